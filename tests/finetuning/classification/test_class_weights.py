"""Weights of labels: balanced by hand, and files that do not fit."""

import pytest

from albert.base.errors import UserError
from albert.finetuning.classification.class_weights import balanced_weights, read_weights

LABELS = ("bad", "fair", "good")


def test_balanced_weights_by_hand():
    assert balanced_weights([2, 0, 6], 8, is_multilabel=False) == (2.0, 1.0, pytest.approx(2 / 3))
    assert balanced_weights([2, 0, 8], 8, is_multilabel=True) == (3.0, 1.0, 1.0)


def written(folder, text):
    path = folder / "weights.tsv"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_file_in_any_order(tmp_path):
    assert read_weights(written(tmp_path, "good\t0.5\nbad\t2e1\nfair\t1\n"), LABELS) == (20.0, 1.0, 0.5)


@pytest.mark.parametrize(
    "text, message",
    [
        ("bad 1\n", "weights.tsv line 1 has 1 column: give a label and its weight, separated by a tab"),
        ("bad\t1\t2\n", "weights.tsv line 1 has 3 columns"),
        ("bad\t1\nnice\t1\n", "weights.tsv line 2 has the unknown label 'nice': the labels are bad, fair, good"),
        ("bad\t1\nbad\t1\n", "weights.tsv line 2 has the label 'bad' again, which is in line 1"),
        ("bad\t0\n", "weights.tsv line 1 has the weight '0': give a number over 0"),
        ("bad\tnan\n", "has the weight 'nan'"),
        ("bad\tinf\n", "has the weight 'inf'"),
        ("bad\tmuch\n", "has the weight 'much'"),
        ("bad\t1\n", "weights.tsv has no weight for fair, good: give one for each label"),
    ],
)
def test_a_file_that_does_not_fit_is_one_sentence(tmp_path, text, message):
    with pytest.raises(UserError, match=message) as error:
        read_weights(written(tmp_path, text), LABELS)
    assert "\n" not in str(error.value)
