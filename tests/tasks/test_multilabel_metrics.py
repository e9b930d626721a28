"""Metrics of several labels a row, by hand, and thresholds, by trying all of them."""

import numpy as np
import pytest

from albert.tasks import multilabel_metrics as metrics

GOLD = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]], bool)
PREDICTED = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0]], bool)


def test_metrics_by_hand():
    scores = metrics.scores_of_labels(PREDICTED, GOLD)
    assert scores[0] == (2, 2, 1.0, 1.0, 1.0)
    assert scores[1] == (2, 2, 0.5, 0.5, 0.5)
    assert scores[2] == (0, 0, 0.0, 0.0, 0.0)
    assert metrics.micro_f1(PREDICTED, GOLD) == pytest.approx(6 / 8)
    assert metrics.macro_f1(PREDICTED, GOLD) == pytest.approx(0.75)  # the label that never occurs does not count
    assert metrics.accuracy(PREDICTED, GOLD) == 0.5
    nothing = np.zeros([2, 3], bool)
    assert metrics.micro_f1(nothing, nothing) == metrics.macro_f1(nothing, nothing) == 0.0
    with pytest.raises(ValueError):
        metrics.micro_f1(PREDICTED[:, :2], GOLD)


def f1_at(probabilities, gold, threshold):
    given = probabilities >= threshold
    return 2 * (given & gold).sum() / max(1, given.sum() + gold.sum())


@pytest.mark.parametrize("seed", range(4))
def test_no_other_threshold_is_better(seed):
    random = np.random.RandomState(seed)
    probabilities = (random.randint(0, 12, [30, 3]) / 12).astype(np.float32)  # with equal ones
    gold = random.rand(30, 3) < probabilities * 0.8
    found = metrics.best_thresholds(probabilities, gold)
    for label, threshold in enumerate(found.values):
        tried = [f1_at(probabilities[:, label], gold[:, label], value) for value in np.linspace(0, 1.1, 500)]
        assert f1_at(probabilities[:, label], gold[:, label], threshold) == pytest.approx(max(tried))
    assert found.unknown == ()


def test_a_label_that_no_row_has_gets_one_half_and_is_named():
    probabilities = np.array([[0.9, 0.1], [0.2, 0.3]])
    found = metrics.best_thresholds(probabilities, np.array([[1, 0], [0, 0]], bool))
    assert found.values == (pytest.approx(0.55), 0.5) and found.unknown == (1,)


def test_a_label_that_all_rows_have_and_neighbouring_numbers():
    low = np.float32(0.7)
    high = np.nextafter(low, np.float32(1))
    probabilities = np.array([[low, 0.4], [high, 0.6]], np.float32)
    found = metrics.best_thresholds(probabilities, np.array([[0, 1], [1, 1]], bool))
    assert found.decide(probabilities).tolist() == [[False, True], [True, True]]
    assert 0 < found.values[1] < 0.4
