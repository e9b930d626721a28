"""Mistakes of a classifier: a table of the rows whose answer is wrong, the worst first."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

import numpy as np

from albert.files.complete import CompleteFile
from albert.tasks.rows import Row
from albert.tasks.task import Task

_MOST_SHOWN = 5  # labels of a row with their probabilities
_COLUMNS = ("line", "loss", "label", "predicted", "probabilities", "text_a", "text_b")
_ESCAPES = {ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}


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


def write_mistakes(path: str, task: Task, mistakes: Sequence[Mistake]) -> None:
    """Writes a table of mistakes, the highest loss first: columns separated by tabs, under their names.

    Labels of a row are separated by commas. Of the probabilities stand the highest, and those of the right labels. Tabs
    and ends of lines in a text are written as in a program.
    """
    with CompleteFile(path) as file:
        file.write(("\t".join(_COLUMNS) + "\n").encode("utf-8"))
        for mistake in sorted(mistakes, key=lambda each: -each.loss):
            file.write(("\t".join(_cells(task, mistake)) + "\n").encode("utf-8"))


def _cells(task: Task, mistake: Mistake) -> List[str]:
    row = mistake.row
    cells = [
        str(row.line),
        "{:.4f}".format(mistake.loss),
        ",".join(mistake.right),
        ",".join(mistake.predicted),
        " ".join("{}={:.4f}".format(label, value) for label, value in _shown(task, mistake)),
        row.text_a,
        " | ".join(row.choices) or row.text_b or "",
    ]
    return [cell.translate(_ESCAPES) for cell in cells]


def _shown(task: Task, mistake: Mistake) -> List[tuple]:
    order = np.argsort(-mistake.probabilities, kind="stable").tolist()
    shown = [index for rank, index in enumerate(order) if rank < _MOST_SHOWN or task.labels[index] in mistake.right]
    return [(task.labels[index], mistake.probabilities[index]) for index in shown]
