"""Answers on the screen: nearest lines, lines that a pair model ordered, and questions that come line by line."""

import io
import logging
import sys

import numpy as np
import pytest

from albert.search.command import Question, prompt
from albert.search.index import SearchIndex
from albert.search.rerank import Reranker
from albert.search.searcher import Searcher
from tests.support.tiny_search import LengthPredictor, LetterEmbedder, ReadableEmbedder, write_index

LINES = ["一丁七万", "万七", "丈三上下不与", "一", "丁丁丁丁丁丁丁"]


@pytest.fixture
def searcher(tmp_path):
    return Searcher(SearchIndex(write_index(tmp_path, LINES)), ReadableEmbedder())


def test_the_nearest_lines_are_shown_with_their_cosines(searcher):
    first, second = (line.split(" | ") for line in Question(searcher, 2).answer("万七"))
    assert first[1:] == ["line 2", "万七"] and first[0] in ("0.9999", "1.0000")  # vectors are stored as float16
    number = int(second[1].split()[1])
    vectors = LetterEmbedder().embed(["万七", LINES[number - 1]]).astype(float)
    cosine = vectors[0].dot(vectors[1]) / np.prod(np.linalg.norm(vectors, axis=1))
    assert second[2] == LINES[number - 1] and float(second[0]) == pytest.approx(cosine, abs=1e-3)


def test_a_pair_model_orders_as_many_as_it_is_given(searcher):
    question = Question(searcher, 1, Reranker(LengthPredictor(), 1), 1)
    assert question.answer("一") == [" 50.0% similar | line 4 | 一"]
    assert question._replace(rerank_top=5).answer("一") == [" 87.5% similar | line 5 | 丁丁丁丁丁丁丁"]


def test_questions_come_line_by_line_until_an_empty_one(searcher, monkeypatch, capsys, caplog):
    monkeypatch.setattr(sys, "stdin", io.StringIO("万七\n\ufffd\n一\n\n丁\n"))
    with caplog.at_level(logging.INFO):
        prompt(Question(searcher, 1))
    answers = [line.split(" | ")[1:] for line in capsys.readouterr().out.splitlines()]
    assert answers == [["line 2", "万七"], ["line 4", "一"]]
    assert [record.getMessage() for record in caplog.records] == ["error: the question holds nothing"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("丁"))  # the end without an empty line
    prompt(Question(searcher, 1))
    assert capsys.readouterr().out.endswith(" | line 5 | 丁丁丁丁丁丁丁\n")
