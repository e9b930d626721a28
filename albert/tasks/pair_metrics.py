"""Metrics of similarities of pairs: area under the ROC curve, accuracy at the best threshold, Spearman correlation."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


def ranks(values: np.ndarray) -> np.ndarray:
    """Ranks of values from 1 on, float64 [n]; equal values share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2.0)[inverse.reshape(-1)]


def auc(similarities: np.ndarray, labels: np.ndarray) -> float:
    """Returns the area under the ROC curve: how often a pair of label 1 is above one of label 0, of equals half.

    Args:
      similarities: float [n].
      labels: [n] of 0 and 1; both must occur.
    """
    positives = int(np.sum(labels == 1))
    negatives = len(labels) - positives
    rank_sum = ranks(similarities)[labels == 1].sum()
    return float((rank_sum - positives * (positives + 1) / 2.0) / (positives * negatives))


class Threshold(NamedTuple):
    """Threshold of similarities: pairs from it on are called alike.

    Attributes:
      value: between two similarities.
      accuracy: the share of pairs that it tells right, 0 to 1.
    """

    value: float
    accuracy: float


def best_threshold(similarities: np.ndarray, labels: np.ndarray) -> Threshold:
    """Finds the threshold with the highest accuracy; of equals the lowest. Arguments as of `auc`."""
    order = np.argsort(similarities, kind="stable")
    sorted_values, sorted_labels = similarities[order].astype(np.float64), labels[order] == 1
    # Right at a cut before place k: the zeros below it and the ones from it on.
    zeros_below = np.concatenate([[0], np.cumsum(~sorted_labels)])
    ones_above = sorted_labels.sum() - np.concatenate([[0], np.cumsum(sorted_labels)])
    cuts = np.concatenate([[-np.inf], sorted_values, [np.inf]])
    is_cut = cuts[1:] > cuts[:-1]  # equal similarities cannot be told apart
    right = np.where(is_cut, zeros_below + ones_above, -1)
    at = int(right.argmax())
    low, high = cuts[at], cuts[at + 1]
    return Threshold(_between(low, high), float(right[at] / len(labels)))


def _between(low: float, high: float) -> float:
    """A threshold above one value and not above the next; either may be infinite where there is none."""
    if np.isinf(high):
        return float(np.nextafter(low, high))
    return float((low + high) / 2.0 if np.isfinite(low) else high)


def spearman(similarities: np.ndarray, scores: np.ndarray) -> float:
    """Returns Spearman's rank correlation, -1 to 1; 0 where all values of a side are equal."""
    a, b = (ranks(values) - (len(values) + 1) / 2.0 for values in (similarities, scores))
    norm = np.sqrt((a @ a) * (b @ b))
    return float((a @ b) / norm) if norm > 0 else 0.0
