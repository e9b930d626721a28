"""Mistakes of a classifier: a table of the rows whose answer is wrong, the worst first."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

import numpy as np

from albert.finetuning.mistake_table import write_table
from albert.tasks.rows import Row
from albert.tasks.task import Task

_MOST_SHOWN = 5  # labels of a row with their probabilities
_COLUMNS = ("line", "loss", "label", "predicted", "probabilities", "text_a", "text_b")


class Mistake(NamedTuple):
    """Row whose answer is wrong.

    Attributes:
      row: the row.
      loss: how wrong it is: the loss of its labels.
      right, predicted: its labels, and those that it was given.
      probabilities: of all labels by their ids.
    """

    row: Row
    loss: float
    right: Sequence[str]
    predicted: Sequence[str]
    probabilities: np.ndarray


def write_mistakes(path: str, task: Task, mistakes: Sequence[Mistake]) -> int:
    """Writes a table of mistakes, the highest loss first, and returns their number.

    Labels of a row are separated by commas. Of the probabilities stand the highest, and those of the right labels.
    """
    return write_table(path, _COLUMNS, ((mistake.loss, _cells(task, mistake)) for mistake in mistakes))


def _cells(task: Task, mistake: Mistake) -> List[str]:
    row = mistake.row
    return [
        str(row.line),
        "{:.4f}".format(mistake.loss),
        ",".join(mistake.right),
        ",".join(mistake.predicted),
        " ".join("{}={:.4f}".format(label, value) for label, value in _shown(task, mistake)),
        row.text_a,
        " | ".join(row.choices) or row.text_b or "",
    ]


def _shown(task: Task, mistake: Mistake) -> List[tuple]:
    order = np.argsort(-mistake.probabilities, kind="stable").tolist()
    shown = [index for rank, index in enumerate(order) if rank < _MOST_SHOWN or task.labels[index] in mistake.right]
    return [(task.labels[index], mistake.probabilities[index]) for index in shown]
