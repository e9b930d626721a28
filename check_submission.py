"""Checks a submission before it is handed in: a line per test row, its ids in file order, labels as in training.

python check_submission.py --task_name=tnews --data_dir=tnews --file=out/tnews_predict.json
"""

from __future__ import annotations

import logging

from albert.base.flags import Flags, run_command
from albert.finetuning import task_flags
from albert.tasks import submission
from albert.tasks.splits import TEST, read_split, with_labels

_log = logging.getLogger(__name__)


def declare_flags() -> Flags:
    """The flags of the command."""
    flags = Flags()
    task_flags.declare_flags(flags)
    flags.string("file", None, "the submission to check")
    return flags


def main(flags: Flags) -> None:
    """Checks, and says that all is well."""
    flags.require("file")
    task_flags.check_flags(flags)
    task = with_labels(task_flags.declared_task(flags), flags.data_dir)
    rows = read_split(task, flags.data_dir, TEST)
    submission.check(flags.file, task, rows)
    _log.info("%s answers all rows (%s) of the task %s.", flags.file, format(len(rows), ","), task.name)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
