"""The task of a run: what --task_name, --task_file and --data_dir say, and what the output folder was trained on."""

from __future__ import annotations

from typing import Optional

from albert.base.errors import UserError
from albert.base.flags import Flags, UsageError
from albert.checkpoints.description import ModelFolder, read_description
from albert.checkpoints.training_folder import latest_checkpoint
from albert.tasks import task_file
from albert.tasks.registry import CLASSIFIER, TASKS_OF, get_task
from albert.tasks.splits import with_labels
from albert.tasks.task import Task, label_list


def declare_flags(flags: Flags, runner: str = CLASSIFIER) -> None:
    """The flags that name a task of a command, and its data."""
    flags.string("task_name", None, "one of " + ", ".join(sorted(TASKS_OF[runner])))
    if runner != CLASSIFIER:
        flags.string("data_dir", None, "the folder with the task's files")
        return
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
    check_trained(flags, task)
    return task


def find_named_task(flags: Flags, runner: str) -> Task:
    """The task of a command whose tasks are all declared.

    Raises:
      UserError: the command has no such task, or the output folder's checkpoints were trained on another kind.
    """
    flags.require("task_name", "data_dir")
    task = get_task(flags.task_name, runner)
    check_trained(flags, task)
    return task


def check_trained(flags: Flags, task: Task) -> None:
    """Raises `UserError` where the output folder's checkpoints were trained on a task of other labels."""
    trained = _trained_description(flags.output_dir)
    if trained and trained.labels != task.labels:
        theirs, ours = (label_list(labels) or "no labels" for labels in (trained.labels, task.labels))
        raise UserError(
            "the checkpoints in {} tell {} apart (task {}), the task {} has {}: give another --output_dir".format(
                flags.output_dir, theirs, trained.task, task.name, ours
            )
        )


def _trained_description(output_dir: str) -> Optional[ModelFolder]:
    is_trained = latest_checkpoint(output_dir) is not None
    return read_description(output_dir) if is_trained else None
