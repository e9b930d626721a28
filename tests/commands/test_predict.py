"""Words of predict.py: which texts go with which model."""

from types import SimpleNamespace

import pytest

import predict
from albert.base.flags import UsageError
from albert.inference.open_model import ANSWER, CLASSIFY, SIMILARITY, TAG

MODEL = SimpleNamespace(path="m")


def texts(ability, *words):
    flags = predict.declare_flags()
    flags.parse(["--model=m", "--text=甲", *words])
    return predict._texts(flags, MODEL, ability)


@pytest.mark.parametrize(
    "ability,words,expected",
    [
        (TAG, [], ("甲",)),
        (CLASSIFY, [], ("甲",)),
        (CLASSIFY, ["--text_b=乙"], ("甲", "乙")),
        (SIMILARITY, ["--text_b=乙"], ("甲", "乙")),
        (ANSWER, ["--context=乙"], ("甲", "乙")),
    ],
)
def test_texts_that_go_with_a_model(ability, words, expected):
    assert texts(ability, *words) == expected


@pytest.mark.parametrize(
    "ability,words,message",
    [
        (TAG, ["--text_b=乙"], "m reads one text: leave --text_b out"),
        (TAG, ["--context=乙"], "m answers no questions: leave --context out"),
        (SIMILARITY, [], "m scores pairs: give the second text with --text_b"),
        (SIMILARITY, ["--context=乙"], "m answers no questions: leave --context out"),
        (ANSWER, [], "m answers questions on a text: give it with --context"),
        (ANSWER, ["--text_b=乙"], "m answers questions on a text: give it with --context"),
        (ANSWER, ["--text_b=乙", "--context=丙"], "m answers questions on a text: give it with --context alone"),
    ],
)
def test_texts_that_do_not_go_with_a_model_are_said(ability, words, message):
    with pytest.raises(UsageError, match=message):
        texts(ability, *words)
