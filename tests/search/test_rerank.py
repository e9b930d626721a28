"""Pair models order lines by the probability of their label of similar pairs."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.search.index import Match
from albert.search.rerank import Reranker, open_reranker
from tests.support import exports
from tests.support.tiny_search import LengthPredictor


def test_the_most_probable_comes_first_and_of_equals_the_nearest():
    matches = [Match(number, text, 0.5) for number, text in enumerate(("一二", "一", "一二三四", "七"), 1)]
    ordered = Reranker(LengthPredictor(), 1).rerank("我", matches)
    assert [(match.line, round(match.score, 6)) for match in ordered] == [(3, 0.8), (1, 0.666667), (2, 0.5), (4, 0.5)]
    assert [match.line for match in Reranker(LengthPredictor(), 0).rerank("我", matches)] == [2, 4, 1, 3]
    assert Reranker(LengthPredictor(), 1).rerank("我", []) == []


def test_the_label_of_similar_pairs_is_found_by_its_name(tmp_path):
    reranker = open_reranker(exports.write_classifier(tmp_path / "m", labels=("same", "different")))
    matches = [Match(1, "我吃苹果", 0.5), Match(2, "明天下雨吗", 0.4)]
    scores = reranker.predictor.predict([("我喜欢", match.text) for match in matches])[:, 0]
    ordered = reranker.rerank("我喜欢", matches)
    assert [match.line for match in ordered] == [1 + place for place in np.argsort(-scores)]
    reranker.predictor.close()


def test_a_model_without_such_a_label_orders_nothing(tmp_path):
    with pytest.raises(UserError, match="has 3 labels"):
        open_reranker(exports.write_classifier(tmp_path / "m"))
