"""Checks a task of your own before it is trained: reads all files of a task file and says what is in each.

    python check_task.py my_task.json

Each split has a line in the log: its rows, how often each label or entity type occurs, and the lengths of its texts.
The first fault is named with its file and line, as in training.
"""

from __future__ import annotations

from albert.base.flags import Flags, run_command
from albert.base.terminal import say
from albert.tasks.task_check import check_files
from albert.tasks.task_file import read_task


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    flags.word("task_file", "the JSON file that describes the task (docs/en/tasks.md)", is_path=True)
    flags.group("Data")
    flags.location("data_dir", None, "the folder with the task's files; by default that of the task file")
    return flags


def main(flags: Flags) -> None:
    """Reads the files and says what is in them."""
    say([check_files(read_task(flags.task_file, has_data_dir=flags.data_dir is not None), flags.data_dir)])


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
