"""Flags that name a task and its data."""

from __future__ import annotations

from albert.base.errors import UsageError
from albert.base.flags import Flags
from albert.tasks.registry import CLASSIFIER, TASKS_OF


def declare_task_flags(flags: Flags, runner: str = CLASSIFIER) -> None:
    """Declares --task_name, --task_file and --data_dir of the tasks that a command fine-tunes."""
    flags.needs("task_name", unless=["task_file"])
    flags.needs("data_dir", unless=["task_file"])
    flags.group("Data")
    flags.string(
        "task_name", None, "one of " + ", ".join(sorted(TASKS_OF[runner])) + "; a task of your own: --task_file"
    )
    flags.location("task_file", None, "a task of your own, described in a JSON file (docs/en/tasks.md)")
    flags.location("data_dir", None, "the folder with the task's files; by default that of --task_file")


def check_task_flags(flags: Flags) -> None:
    """Raises `UsageError` unless the flags name one task and its data."""
    if flags.task_name and flags.task_file:
        raise UsageError("give --task_name or --task_file, not both")
    flags.require()
