"""The tasks, each a declaration: its files, how their rows are read, its labels and its metric (spec: tasks).

A new task is a new entry of TASKS; a file format that no reader knows yet is a new function in `task_rows`.
"""

from __future__ import annotations

import difflib
from typing import Callable, Dict, Iterator, NamedTuple, Tuple

from errors import UserError
from task_rows import Row, tab_separated


class Task(NamedTuple):
    """What the runners know of a task.

    Attributes:
      name: the value of --task_name, in lower case.
      labels: the label strings as in the training file; the position of a label is its id.
      files: split ("train", "dev", "test") -> names in the data folder; the first that exists is read.
      read_rows: path of such a file -> its rows in order; checks the format, while `task_rows.read_split` checks
        texts and labels.
      metric: a key of `metrics.METRICS`.
    """

    name: str
    labels: Tuple[str, ...]
    files: Dict[str, Tuple[str, ...]]
    read_rows: Callable[[str], Iterator[Row]]
    metric: str = "accuracy"


def _files(*extensions: str) -> Dict[str, Tuple[str, ...]]:
    return {split: tuple(split + extension for extension in extensions) for split in ("train", "dev", "test")}


_NO_YES = ("0", "1")

_DECLARATIONS = (
    Task(
        name="lcqmc",
        labels=_NO_YES,
        files=_files(".txt"),
        read_rows=tab_separated("sentence_a", "sentence_b", "label", labels=_NO_YES),
    ),
    Task(
        name="lcqmc_pair",
        labels=_NO_YES,
        files=_files(".txt"),
        read_rows=tab_separated("sentence_a", "sentence_b", "label", labels=_NO_YES),
    ),
    Task(
        name="sentence_pair",
        labels=_NO_YES,
        files=_files(".tsv", ".txt"),
        read_rows=tab_separated("label", "sentence_a", "sentence_b", labels=_NO_YES),
    ),
)

TASKS: Dict[str, Task] = {task.name: task for task in _DECLARATIONS}


def get_task(name: str) -> Task:
    """Returns the task of this name, in upper or lower case.

    Raises:
      UserError: there is none; names the nearest and all that are known.
    """
    task = TASKS.get(name.lower())
    if task is None:
        near = difflib.get_close_matches(name.lower(), sorted(TASKS), n=1, cutoff=0.0)[0]
        raise UserError(
            "unknown task '{}': the nearest known one is {} (known: {})".format(name, near, ", ".join(sorted(TASKS)))
        )
    return task
