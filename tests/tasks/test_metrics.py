"""The expected figures of METRICS are scikit-learn's (1.9.1: accuracy_score, f1_score(average="macro"), and so on)."""

import numpy as np
import pytest

from albert.tasks.metrics import METRICS, LabelScore, accuracy, confusion_matrix, label_scores, macro_f1, mcc

PREDICTED, GOLD = [0, 1, 2, 2, 1, 0, 2, 1], [0, 2, 2, 1, 1, 0, 2, 2]


@pytest.mark.parametrize(
    "predicted, gold, expected",
    [
        ([1, 0, 1], [1, 1, 1], (0.6666666666666666, 0.4, 0.0)),
        (PREDICTED, GOLD, (0.625, 0.6571428571428571, 0.43915503282683993)),
        ([3, 3, 3, 3], [3, 3, 3, 3], (1.0, 1.0, 0.0)),
        ([0, 0, 0, 0], [1, 1, 0, 0], (0.5, 0.3333333333333333, 0.0)),
        ([5, 0, 5, 2, 2, 7], [5, 5, 0, 2, 7, 7], (0.5, 0.45833333333333326, 0.34615384615384615)),
        ([0, 1, 0, 1], [1, 0, 1, 0], (0.0, 0.0, -1.0)),
    ],
)
def test_the_metrics_are_those_of_scikit_learn(predicted, gold, expected):
    assert (accuracy(predicted, gold), macro_f1(predicted, gold), mcc(predicted, gold)) == pytest.approx(expected)


def test_mcc_of_two_labels_is_the_correlation_of_two_columns():
    random = np.random.RandomState(5)
    predicted, gold = random.randint(0, 2, 60), random.randint(0, 2, 60)
    assert mcc(predicted.tolist(), gold.tolist()) == pytest.approx(np.corrcoef(predicted, gold)[0, 1])


def test_the_confusion_matrix_has_gold_labels_down_and_predicted_ones_across():
    assert confusion_matrix(PREDICTED, GOLD, 4).tolist() == [[2, 0, 0, 0], [0, 1, 1, 0], [0, 2, 2, 0], [0, 0, 0, 0]]
    assert confusion_matrix([0], [2]).tolist() == [[0, 0, 0], [0, 0, 0], [1, 0, 0]]


def test_the_scores_of_each_label():
    scores = label_scores(confusion_matrix(PREDICTED, GOLD, 4))
    assert scores[1] == LabelScore(2, 3, pytest.approx(1 / 3), pytest.approx(1 / 2), pytest.approx(0.4))
    assert scores[2] == LabelScore(4, 3, pytest.approx(2 / 3), pytest.approx(1 / 2), pytest.approx(4 / 7))
    assert scores[3] == LabelScore(0, 0, 0.0, 0.0, 0.0)


@pytest.mark.parametrize("name", sorted(METRICS))
@pytest.mark.parametrize("predicted, gold", [([], []), ([1], [1, 1]), ([1, 1, 0], [1, 1])])
def test_nothing_and_unequal_lengths_are_refused(name, predicted, gold):
    with pytest.raises(ValueError, match="{} predictions for {} gold".format(len(predicted), len(gold))):
        METRICS[name](predicted, gold)
