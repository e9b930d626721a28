"""Checks a submission before it is handed in: a line per test row, its ids in file order, labels as in training.

python check_submission.py --task_name=tnews --data_dir=tnews --file=out/tnews_predict.json
"""

from __future__ import annotations

import logging

from albert.base.flags import Flags, run_command
from albert.tasks import submission
from albert.tasks.flags import check_task_flags, declare_task_flags
from albert.tasks.registry import declared_task
from albert.tasks.splits import TEST, read_split, with_labels

_log = logging.getLogger(__name__)


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    declare_task_flags(flags)
    flags.needs("file")
    flags.location("file", None, "the submission to check")
    return flags


def main(flags: Flags) -> None:
    """Checks the file and logs that it is right."""
    check_task_flags(flags)
    task = with_labels(declared_task(flags.task_name, flags.task_file, flags.data_dir), flags.data_dir)
    rows = read_split(task, flags.data_dir, TEST)
    submission.check(flags.file, task, rows)
    _log.info("%s answers all rows (%s) of the task %s.", flags.file, format(len(rows), ","), task.name)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
