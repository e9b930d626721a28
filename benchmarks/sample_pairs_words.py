"""What a model without word order reaches on the shipped sentence pairs: none of it should be much above chance.

    python -m benchmarks.sample_pairs_words
    python -m benchmarks.sample_pairs_words --data_dir=lcqmc

Prints the accuracy on dev of a logistic regression on the characters and words of both sentences together, of one on
those that both sentences have and those that only one has, and of the share of common words at its best threshold.
Regressions are trained on train, with the best of a few penalties; threshold and penalty are chosen on dev itself, so
that the figures are upper bounds.
"""

from __future__ import annotations

import logging
import os
import sys
from typing import Callable, Dict, FrozenSet, List, NamedTuple, Sequence, Tuple

import jieba
import numpy as np

from albert.base.flags import Flags, run_command
from albert.base.paths import ROOT
from albert.base.terminal import table

PENALTIES = (1e-4, 1e-3, 1e-2)
STEPS = 300
RATE = 0.5
MIN_COUNT = 2  # a feature of a single training pair says nothing about others


class Pair(NamedTuple):
    """Characters and words of both sentences, and the label."""

    first: FrozenSet[str]
    second: FrozenSet[str]
    label: int


Features = Callable[[Pair], List[str]]


def read_pairs(path: str) -> List[Pair]:
    """Reads sentence TAB sentence TAB label."""
    with open(path, encoding="utf-8") as file:
        rows = [line.rstrip("\n").split("\t") for line in file]
    return [Pair(pieces(first), pieces(second), int(label)) for first, second, label in rows]


def pieces(text: str) -> FrozenSet[str]:
    """Returns the characters and words of a text."""
    return frozenset(text) | frozenset(jieba.cut(text))


def bag(pair: Pair) -> List[str]:
    """Features of both sentences together: what occurs in one, and what occurs in both counts twice."""
    return list(pair.first) + list(pair.second)


def common_and_single(pair: Pair) -> List[str]:
    """Features: what both sentences have, and what only one has."""
    return ["both " + one for one in pair.first & pair.second] + ["one " + one for one in pair.first ^ pair.second]


def overlap(pair: Pair) -> float:
    """Returns the share of common characters and words among all of both sentences."""
    return len(pair.first & pair.second) / len(pair.first | pair.second)


def vocabulary(pairs: Sequence[Pair], features: Features) -> Dict[str, int]:
    """Numbers the features that occur often enough, from 1."""
    counts: Dict[str, int] = {}
    for pair in pairs:
        for one in features(pair):
            counts[one] = counts.get(one, 0) + 1
    return {one: number for number, one in enumerate(sorted(key for key in counts if counts[key] >= MIN_COUNT), 1)}


class Sparse(NamedTuple):
    """Feature numbers of all pairs in a row, int [entries], and where each pair's begin, int [pairs]."""

    numbers: np.ndarray
    starts: np.ndarray

    def scores(self, weights: np.ndarray) -> np.ndarray:
        """Sums the weights of each pair's features, float [pairs]."""
        return np.add.reduceat(weights[self.numbers], self.starts)

    def gradient(self, errors: np.ndarray, size: int) -> np.ndarray:
        """Sums the errors of the pairs that have each feature, float [size]."""
        lengths = np.diff(np.append(self.starts, len(self.numbers)))
        return np.bincount(self.numbers, np.repeat(errors, lengths), size)


def numbered(pairs: Sequence[Pair], features: Features, known: Dict[str, int]) -> Sparse:
    """Looks up the features of pairs; each pair also has the constant one, number 0."""
    rows = [[0] + [known[one] for one in features(pair) if one in known] for pair in pairs]
    lengths = np.array([len(row) for row in rows])
    return Sparse(np.concatenate(rows), np.cumsum(lengths) - lengths)


def labels_of(pairs: Sequence[Pair]) -> np.ndarray:
    """Labels, float [pairs]."""
    return np.array([pair.label for pair in pairs], float)


def fit(inputs: Sparse, labels: np.ndarray, size: int, penalty: float) -> np.ndarray:
    """Fits a logistic regression by accelerated gradient descent; returns its weights, float [size]."""
    weights = previous = np.zeros(size)
    for step in range(1, STEPS + 1):
        ahead = weights + (step - 1) / (step + 2) * (weights - previous)
        errors = 1.0 / (1.0 + np.exp(-inputs.scores(ahead))) - labels
        slope = inputs.gradient(errors, size) / len(labels) + penalty * ahead
        previous, weights = weights, ahead - RATE * slope
    return weights


def regression_accuracy(train: Sequence[Pair], dev: Sequence[Pair], features: Features) -> float:
    """Accuracy on dev of a logistic regression, with the best of the penalties."""
    known = vocabulary(train, features)
    inputs, held_out = (numbered(pairs, features, known) for pairs in (train, dev))
    found = [fit(inputs, labels_of(train), len(known) + 1, penalty) for penalty in PENALTIES]
    return max(float(np.mean((held_out.scores(weights) > 0) == (labels_of(dev) > 0.5))) for weights in found)


def threshold_accuracy(scores: np.ndarray, labels: np.ndarray) -> float:
    """Accuracy at the best threshold, whichever side of it means "similar"."""
    above = np.array([np.mean((scores >= limit) == (labels > 0.5)) for limit in np.unique(scores)])
    return float(max(above.max(), 1.0 - above.min()))


def measure(folder: str) -> List[Tuple[str, float]]:
    """Accuracy on dev by what it is based on."""
    train, dev = (read_pairs(os.path.join(folder, split + ".txt")) for split in ("train", "dev"))
    scores, labels = np.array([overlap(pair) for pair in dev]), labels_of(dev)
    return [
        ("commoner label", max(labels.mean(), 1.0 - labels.mean())),
        ("words of both sentences together", regression_accuracy(train, dev, bag)),
        ("words in both, words in only one", regression_accuracy(train, dev, common_and_single)),
        ("share of common words", threshold_accuracy(scores, labels)),
    ]


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    flags.location("data_dir", os.path.join(ROOT, "data", "sample_pairs"), "folder with train.txt and dev.txt")
    return flags


def main(flags: Flags) -> None:
    """Prints the table."""
    jieba.setLogLevel(logging.WARNING)
    rows = [(what, "{:.1f} %".format(100 * value)) for what, value in measure(flags.data_dir)]
    sys.stdout.write(table(("accuracy on dev by", ""), rows))


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
