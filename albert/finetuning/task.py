"""Task of a run: the one that the settings name, checked against what the output folder was trained on."""

from __future__ import annotations

from typing import Optional

from albert.base.errors import UserError
from albert.checkpoints.description import ModelFolder, read_description
from albert.checkpoints.training_folder import latest_checkpoint
from albert.finetuning.settings import FineTuningSettings
from albert.tasks.registry import CLASSIFIER, declared_task
from albert.tasks.task import Task, label_list
from albert.tasks.task_check import with_known_labels


def find_task(settings: FineTuningSettings, runner: str = CLASSIFIER) -> Task:
    """Finds the task with its labels: the declared ones, else those of the train split or of the trained model.

    Args:
      settings: name the task, or the file that describes it.
      runner: the command, of `registry.TASKS_OF`.

    Raises:
      UserError: the command has no such task, or the output folder's checkpoints tell other labels apart.
    """
    task = declared_task(settings.task_name, settings.task_file, settings.data_dir, runner)
    trained = _trained_description(settings.output_dir)
    if trained and not task.labels and not settings.do_train:
        return task._replace(labels=trained.labels)
    task = with_known_labels(task, settings.data_dir)
    check_trained(settings, task)
    return task


def check_trained(settings: FineTuningSettings, task: Task) -> None:
    """Raises `UserError` where the output folder's checkpoints were trained on a task of other labels."""
    trained = _trained_description(settings.output_dir)
    if trained and trained.labels != task.labels:
        theirs, ours = (label_list(labels) or "no labels" for labels in (trained.labels, task.labels))
        raise UserError(
            "the checkpoints in {} tell {} apart (task {}), the task {} has {}: give another --output_dir".format(
                settings.output_dir, theirs, trained.task, task.name, ours
            )
        )


def _trained_description(output_dir: str) -> Optional[ModelFolder]:
    is_trained = latest_checkpoint(output_dir) is not None
    return read_description(output_dir) if is_trained else None
