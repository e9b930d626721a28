"""The task of a run: what --task_name, --task_file and --data_dir say, and what the output folder was trained on."""

from __future__ import annotations

from typing import Optional

import model_folder
import task_file
from command_line import Flags, UsageError
from errors import UserError
from task_splits import with_labels
from tasks import TASKS, Task, get_task, label_list
from training_checkpoints import latest_checkpoint


def declare_flags(flags: Flags) -> None:
    """The flags that name a task and its data."""
    flags.string("task_name", None, "one of " + ", ".join(sorted(TASKS)))
    flags.string("task_file", None, "a task of your own, described in a JSON file (see task_file.py)")
    flags.string("data_dir", None, "the folder with the task's files; by default that of --task_file")


def check_flags(flags: Flags) -> None:
    """Raises `UsageError` unless the flags name one task and where its data are."""
    if flags.task_name and flags.task_file:
        raise UsageError("give --task_name or --task_file, not both")
    if not flags.task_file:
        flags.require("task_name", "data_dir")


def declared_task(flags: Flags) -> Task:
    """The task as its declaration or description stands; it may have no labels yet."""
    if flags.task_file:
        return task_file.read_task(flags.task_file, has_data_dir=flags.data_dir is not None)
    return get_task(flags.task_name)


def find_task(flags: Flags) -> Task:
    """The task with its labels: the declared ones, else those of the train split or of the trained model.

    Raises:
      UserError: there is no such task, or the output folder's checkpoints tell other labels apart.
    """
    task = declared_task(flags)
    trained = _trained_description(flags.output_dir)
    if trained and not task.labels and not flags.do_train:
        return task._replace(labels=trained.labels)
    task = with_labels(task, flags.data_dir)
    if trained and trained.labels != task.labels:
        raise UserError(
            "the checkpoints in {} tell {} apart (task {}), the task {} has {}: give another --output_dir".format(
                flags.output_dir, label_list(trained.labels), trained.task, task.name, label_list(task.labels)
            )
        )
    return task


def _trained_description(output_dir: str) -> Optional[model_folder.ModelFolder]:
    is_trained = latest_checkpoint(output_dir) is not None
    return model_folder.read_description(output_dir) if is_trained else None
