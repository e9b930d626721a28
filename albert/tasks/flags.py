"""Flags that name a classification task and its data."""

from __future__ import annotations

from albert.base.errors import UsageError
from albert.base.flags import Flags
from albert.tasks.registry import CLASSIFIER, TASKS_OF


def declare_task_flags(flags: Flags) -> None:
    """Declares --task_name, --task_file and --data_dir."""
    flags.needs("task_name", unless=["task_file"])
    flags.needs("data_dir", unless=["task_file"])
    flags.group("Data")
    flags.string("task_name", None, "one of " + ", ".join(sorted(TASKS_OF[CLASSIFIER])))
    flags.location("task_file", None, "a task of your own, described in a JSON file (docs/en/fine_tuning.md)")
    flags.location("data_dir", None, "the folder with the task's files; by default that of --task_file")


def check_task_flags(flags: Flags) -> None:
    """Raises `UsageError` unless the flags name one task and its data."""
    if flags.task_name and flags.task_file:
        raise UsageError("give --task_name or --task_file, not both")
    flags.require()
