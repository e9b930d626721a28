"""Metrics of predictions against gold labels; a task names its metric by the key in METRICS."""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Optional, Sequence

import numpy as np


def confusion_matrix(predicted: Sequence[int], gold: Sequence[int], num_labels: Optional[int] = None) -> np.ndarray:
    """Counts the rows of each gold label [rows] that were given each label [columns]: int64 [num_labels, num_labels].

    Args:
      predicted, gold: label ids, a pair for each row.
      num_labels: of the task; by default one more than the highest id.

    Raises:
      ValueError: the lengths differ or there is no row.
    """
    if len(predicted) != len(gold) or not len(gold):
        raise ValueError("{} predictions for {} gold labels".format(len(predicted), len(gold)))
    size = num_labels or 1 + max(max(predicted), max(gold))
    matrix = np.zeros([size, size], np.int64)
    np.add.at(matrix, (np.asarray(gold), np.asarray(predicted)), 1)
    return matrix


def accuracy(predicted: Sequence[int], gold: Sequence[int]) -> float:
    """Returns the share of rows, 0 to 1, whose predicted label is the gold one.

    Raises:
      ValueError: the lengths differ or there is no row.
    """
    matrix = confusion_matrix(predicted, gold)
    return float(np.trace(matrix) / matrix.sum())


def macro_f1(predicted: Sequence[int], gold: Sequence[int]) -> float:
    """Returns the mean F1, 0 to 1, of the labels that occur among the gold or predicted ones; each weighs the same.

    Raises:
      ValueError: the lengths differ or there is no row.
    """
    scores = label_scores(confusion_matrix(predicted, gold))
    return float(np.mean([score.f1 for score in scores if score.rows or score.predicted]))


def mcc(predicted: Sequence[int], gold: Sequence[int]) -> float:
    """Returns Matthews' correlation coefficient, -1 to 1, for any number of labels; 0 where it is not defined.

    Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", 2004.

    Raises:
      ValueError: the lengths differ or there is no row.
    """
    matrix = confusion_matrix(predicted, gold).astype(np.float64)
    total, hits = matrix.sum(), np.trace(matrix)
    in_gold, in_predicted = matrix.sum(axis=1), matrix.sum(axis=0)
    spread = (total**2 - in_gold @ in_gold) * (total**2 - in_predicted @ in_predicted)
    return float((hits * total - in_gold @ in_predicted) / np.sqrt(spread)) if spread > 0 else 0.0


class LabelScore(NamedTuple):
    """Scores of one label.

    Attributes:
      rows: the number of rows that have it.
      predicted: the number of rows that were given it.
      precision, recall, f1: 0 to 1; 0 where they are not defined.
    """

    rows: int
    predicted: int
    precision: float
    recall: float
    f1: float


def label_scores(matrix: np.ndarray) -> List[LabelScore]:
    """Returns the scores of each label of a confusion matrix, by its id."""
    scores = []
    for hits, rows, predicted in zip(np.diag(matrix), matrix.sum(axis=1), matrix.sum(axis=0)):
        precision, recall = float(hits / max(1, predicted)), float(hits / max(1, rows))
        scores.append(
            LabelScore(int(rows), int(predicted), precision, recall, float(2 * hits / max(1, rows + predicted)))
        )
    return scores


METRICS: Dict[str, Callable[[Sequence[int], Sequence[int]], float]] = {
    "accuracy": accuracy,
    "macro_f1": macro_f1,
    "mcc": mcc,
}
