"""Scores of predictions against gold labels; a task names its metric by the key in METRICS."""

from __future__ import annotations

from typing import Callable, Dict, Sequence


def accuracy(predicted: Sequence[int], gold: Sequence[int]) -> float:
    """The share of rows, 0 to 1, whose predicted label is the gold one.

    Raises:
      ValueError: the lengths differ or there is no row.
    """
    if len(predicted) != len(gold) or not len(gold):
        raise ValueError("{} predictions for {} gold labels".format(len(predicted), len(gold)))
    return sum(1 for ours, theirs in zip(predicted, gold) if ours == theirs) / len(gold)


METRICS: Dict[str, Callable[[Sequence[int], Sequence[int]], float]] = {"accuracy": accuracy}
