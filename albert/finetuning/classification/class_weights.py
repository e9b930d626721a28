"""Weights of labels in the loss: balanced by the rows of the train split, or read from a file."""

from __future__ import annotations

import math
from typing import Dict, Sequence, Tuple

import numpy as np

from albert.base.errors import UserError
from albert.files.reading import text_lines
from albert.tasks.task import label_list

BALANCED = "balanced"


def balanced_weights(counts: Sequence[int], num_rows: int, *, is_multilabel: bool) -> Tuple[float, ...]:
    """Computes weights with which rare labels count as much as common ones; 1 for a label that no row has.

    Of labels that exclude each other: rows / (labels that occur · rows of the label), so that the mean over rows is 1.
    Of several labels a row: rows without the label / rows with it; 1 where all have it.

    Args:
      counts: rows of each label.
      num_rows: of the split.
      is_multilabel: whether a row has any number of labels.
    """
    if is_multilabel:
        return tuple((num_rows - count) / count if 0 < count < num_rows else 1.0 for count in counts)
    num_labels = int(np.count_nonzero(counts))
    return tuple(num_rows / (num_labels * count) if count else 1.0 for count in counts)


def read_weights(path: str, labels: Sequence[str]) -> Tuple[float, ...]:
    """Reads a file with a label, a tab and its weight in each line; returns the weights by the labels' ids.

    Raises:
      UserError: the file cannot be read, or a line is no such pair, or a label is unknown, missing or there twice.
    """
    found: Dict[str, float] = {}
    lines: Dict[str, int] = {}
    for line, text in text_lines(path):
        place = "{} line {}".format(path, line)
        cells = [cell.strip() for cell in text.split("\t")]
        if len(cells) != 2:
            raise UserError(
                "{} has {} column{}: give a label and its weight, separated by a tab".format(
                    place, len(cells), "" if len(cells) == 1 else "s"
                )
            )
        label, weight = cells
        if label not in labels:
            raise UserError("{} has the unknown label '{}': the labels are {}".format(place, label, label_list(labels)))
        if label in found:
            raise UserError("{} has the label '{}' again, which is in line {}".format(place, label, lines[label]))
        found[label], lines[label] = _number(weight, place), line
    missing = [label for label in labels if label not in found]
    if missing:
        raise UserError("{} has no weight for {}: give one for each label".format(path, label_list(missing)))
    return tuple(found[label] for label in labels)


def _number(text: str, place: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not 0.0 < weight < math.inf:
        raise UserError("{} has the weight '{}': give a number over 0".format(place, text[:30]))
    return weight
