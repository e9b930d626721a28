"""Which label means "similar": by its name, whatever its place, by a setting, or a refusal that names both."""

import pytest

from albert.base.errors import UserError
from albert.tasks.similar_label import find_similar_label


@pytest.mark.parametrize(
    "similar, other",
    [
        ("1", "0"),
        ("1", "-1"),
        ("LABEL_1", "LABEL_0"),
        ("duplicate", "not_duplicate"),
        ("is_duplicate", "is_not_duplicate"),
        ("Duplicate", "non-duplicate"),
        ("similar", "not similar"),
        ("similar", "dissimilar"),
        ("similar", "different"),
        ("yes", "no"),
        ("True", "False"),
        ("entailment", "not_entailment"),
        ("equivalent", "not_equivalent"),
        ("paraphrase", "non_paraphrase"),
        ("related", "unrelated"),
        ("1.0", "0.0"),
        ("match", "no_match"),
        ("匹配", "不匹配"),
        ("同", "不同"),
        ("正例", "负例"),
        ("相似", "不相似"),
        ("相同", "不同"),
        ("重复", "不重复"),
        ("是", "否"),
        ("是", "不是"),
        ("同义", "非同义"),
    ],
)
def test_known_names_in_either_order(similar, other):
    assert find_similar_label((similar, other)) == find_similar_label((other, similar)) == similar


@pytest.mark.parametrize(
    "labels",
    [("甲", "乙"), ("1", "2"), ("yes", "1"), ("duplicate", "similar"), ("0", "2"), ("yes", "maybe"), ("a", "1")],
)
def test_unknown_names_are_refused_and_both_named(labels):
    with pytest.raises(UserError) as error:
        find_similar_label(labels, where="out/task.json")
    assert str(error.value) == (
        "which of the model's labels '{}' and '{}' means similar is not known: name it under the key 'similar_label' "
        "in out/task.json".format(*labels)
    )


def test_a_setting_comes_first():
    assert find_similar_label(("甲", "乙"), "甲") == "甲"
    assert find_similar_label(("0", "1"), "0") == "0"
    with pytest.raises(
        UserError, match="'similar_label' must be one of a task's two labels, not '丙': the labels are 甲"
    ):
        find_similar_label(("甲", "乙"), "丙")


@pytest.mark.parametrize("labels", [(), ("1",), ("0", "1", "2")])
def test_other_numbers_of_labels_are_refused(labels):
    with pytest.raises(UserError, match="the model has {} labels, not the two".format(len(labels))):
        find_similar_label(labels)
