"""Metrics and thresholds of tasks with several labels a row; a task names its metric by the key in METRICS."""

from __future__ import annotations

from typing import Callable, Dict, List, NamedTuple, Tuple

import numpy as np

from albert.tasks.metrics import LabelScore

DEFAULT_THRESHOLD = 0.5


def scores_of_labels(predicted: np.ndarray, gold: np.ndarray) -> List[LabelScore]:
    """Returns the scores of each label, by its id.

    Args:
      predicted, gold: bool [rows, labels], whether a row was given the label, and whether it has it.

    Raises:
      ValueError: the shapes differ or there is no row.
    """
    if predicted.shape != gold.shape or not len(gold):
        raise ValueError("predictions of the shape {} for gold labels of {}".format(predicted.shape, gold.shape))
    counts = zip((predicted & gold).sum(axis=0), gold.sum(axis=0), predicted.sum(axis=0))
    return [
        LabelScore(
            int(rows), int(given), float(hits / max(1, given)), float(hits / max(1, rows)), _f1(hits, rows + given)
        )
        for hits, rows, given in counts
    ]


def _f1(hits: int, rows_and_given: int) -> float:
    return float(2 * hits / max(1, rows_and_given))


def micro_f1(predicted: np.ndarray, gold: np.ndarray) -> float:
    """Returns the F1, 0 to 1, of all decisions on all labels together; arguments and errors as `scores_of_labels`."""
    scores_of_labels(predicted, gold)
    return _f1(int((predicted & gold).sum()), int(gold.sum() + predicted.sum()))


def macro_f1(predicted: np.ndarray, gold: np.ndarray) -> float:
    """Returns the mean F1, 0 to 1, of the labels that occur among the gold or predicted ones; each weighs the same.

    Where no label occurs at all it is 0. Arguments and errors as `scores_of_labels`.
    """
    f1s = [score.f1 for score in scores_of_labels(predicted, gold) if score.rows or score.predicted]
    return float(np.mean(f1s)) if f1s else 0.0


def accuracy(predicted: np.ndarray, gold: np.ndarray) -> float:
    """Returns the share of rows, 0 to 1, all of whose labels are right; arguments and errors as `scores_of_labels`."""
    scores_of_labels(predicted, gold)
    return float((predicted == gold).all(axis=1).mean())


METRICS: Dict[str, Callable[[np.ndarray, np.ndarray], float]] = {
    "micro_f1": micro_f1,
    "macro_f1": macro_f1,
    "accuracy": accuracy,
}


class Thresholds(NamedTuple):
    """Thresholds of labels: a row has the labels whose probability is at least theirs.

    Attributes:
      values: 0 to 1, by the label's id.
      unknown: ids of the labels that no row has, so that nothing tells their threshold.
    """

    values: Tuple[float, ...]
    unknown: Tuple[int, ...] = ()

    def decide(self, probabilities: np.ndarray) -> np.ndarray:
        """Decides which rows have which labels: [rows, labels] -> bool [rows, labels]."""
        return decisions(probabilities, self.values)


def decisions(probabilities: np.ndarray, thresholds: Tuple[float, ...]) -> np.ndarray:
    """Decides by a threshold for each label: [rows, labels] -> bool [rows, labels]."""
    # In float64: a threshold between two neighbouring float32 numbers still separates them.
    decided: np.ndarray = np.asarray(probabilities, np.float64) >= np.asarray(thresholds, np.float64)
    return decided


def default_thresholds(num_labels: int) -> Thresholds:
    """Returns the thresholds of a model whose dev split nobody has measured yet."""
    return Thresholds((DEFAULT_THRESHOLD,) * num_labels, tuple(range(num_labels)))


def best_thresholds(probabilities: np.ndarray, gold: np.ndarray) -> Thresholds:
    """Finds the threshold of each label at which its F1 is the highest, of equals the one nearest to 0.5.

    Args:
      probabilities: [rows, labels].
      gold: bool [rows, labels]. A label that no row has gets the threshold 0.5.
    """
    columns = range(gold.shape[1])
    unknown = tuple(label for label in columns if not gold[:, label].any())
    values = (
        DEFAULT_THRESHOLD if label in unknown else _best_threshold(probabilities[:, label], gold[:, label])
        for label in columns
    )
    return Thresholds(tuple(values), unknown)


def _best_threshold(probabilities: np.ndarray, gold: np.ndarray) -> float:
    order = np.argsort(-probabilities, kind="stable")
    values = np.append(np.asarray(probabilities, np.float64)[order], 0.0)
    counts = np.arange(1, len(gold) + 1)
    f1 = 2 * np.cumsum(gold[order]) / (counts + gold.sum())  # where the rows up to this one are given the label
    cuts = (values[:-1] + values[1:]) / 2
    is_cut = (values[:-1] > values[1:]) | (counts == len(gold))  # rows of the same probability are decided alike
    is_best = is_cut & (f1 >= f1[is_cut].max())
    best = cuts[is_best]
    return float(best[np.abs(best - DEFAULT_THRESHOLD).argmin()])
