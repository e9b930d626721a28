"""Metrics of similarities, each against its definition by brute force."""

import itertools

import numpy as np
import pytest

from albert.tasks.pair_metrics import auc, best_threshold, ranks, spearman

CASES = [(seed, rows, levels) for seed, (rows, levels) in enumerate([(5, 50), (30, 4), (60, 1000), (41, 2)])]


def drawn(seed, rows, levels):
    """Similarities, many of them equal where there are few levels, and labels of both kinds."""
    random = np.random.RandomState(seed)
    labels = np.arange(rows) % 3 == 0
    random.shuffle(labels)
    return random.randint(0, levels, rows) / levels, labels.astype(float)


@pytest.mark.parametrize("case", CASES)
def test_auc_counts_pairs_in_order(case):
    similarities, labels = drawn(*case)
    ones, zeros = similarities[labels == 1], similarities[labels == 0]
    wins = [1.0 if a > b else 0.5 if a == b else 0.0 for a, b in itertools.product(ones, zeros)]
    assert auc(similarities, labels) == pytest.approx(np.mean(wins))


@pytest.mark.parametrize("case", CASES)
def test_no_other_threshold_is_better(case):
    similarities, labels = drawn(*case)
    found = best_threshold(similarities, labels)
    assert found.accuracy == np.mean((similarities >= found.value) == (labels == 1))
    everywhere = [*similarities, *(similarities + 1e-9), similarities.min() - 1]
    assert found.accuracy == max(np.mean((similarities >= value) == (labels == 1)) for value in everywhere)


def test_thresholds_of_labels_that_are_told_apart_lie_between_them():
    found = best_threshold(np.array([0.1, 0.9, 0.2, 0.8]), np.array([0.0, 1.0, 0.0, 1.0]))
    assert found.accuracy == 1.0 and found.value == pytest.approx(0.5)


@pytest.mark.parametrize("case", CASES)
def test_spearman_is_the_correlation_of_ranks(case):
    similarities, _ = drawn(*case)
    scores = similarities + np.random.RandomState(9).randint(0, 2, len(similarities))
    by_hand = [np.array([np.mean([np.sum(v < x) + 1, np.sum(v <= x)]) for x in v]) for v in (similarities, scores)]
    np.testing.assert_allclose(ranks(similarities), by_hand[0])
    assert spearman(similarities, scores) == pytest.approx(np.corrcoef(by_hand)[0, 1])


def test_equal_values_have_no_correlation():
    assert spearman(np.ones(4), np.arange(4.0)) == 0.0
