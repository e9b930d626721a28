"""Answers to questions: cut out of the context that was given, over all its windows; contexts that hold nothing."""

import pytest

from albert.base.errors import UserError
from albert.inference.reader import Reader, open_reader
from tests.support.token_engines import SpanEngine, open_with

CUT = {"doc_stride": 4, "max_query_length": 3, "max_answer_length": 6}


@pytest.fixture
def engine():
    return SpanEngine()


@pytest.fixture
def reader(engine, tmp_path, monkeypatch):
    return open_with(engine, Reader, tmp_path, monkeypatch, **CUT)


@pytest.mark.parametrize(
    "context, answer",
    [
        ("我在北京大学", "北京大学"),
        ("😀hello\n你在" * 5 + "北\u3000京\n大学" + "书𠮷" * 9, "北\u3000京\n大学"),
        ("书" * 20000 + "北京大学" + "书" * 20000, "北京大学"),
    ],
)
def test_an_answer_is_cut_out_of_its_context(reader, engine, context, answer):
    ((found,),) = reader.answer([("谁写书", context)])
    assert found.text == answer and context[found.start : found.end] == answer
    assert found.start == context.index(answer) and 0 < found.score <= 1 and engine.longest <= 16


def test_the_best_answers_share_a_probability(reader):
    questions = [("谁", "我在北京大学"), ("", "你写北大学书")]
    found = reader.answer(questions, n_best=3)
    assert [len(answers) for answers in found] == [3, 3]
    assert [answers[0].text for answers in found] == ["北京大学", "北大学"]
    for answers in found:
        scores = [answer.score for answer in answers]
        assert scores == sorted(scores, reverse=True) and sum(scores) <= 1
    assert reader.answer(questions)[0] == found[0][:1]  # the number of answers changes no probability


def test_what_a_description_leaves_open_is_as_run_mrc_has_it(engine, tmp_path, monkeypatch):
    reader = open_with(engine, Reader, tmp_path, monkeypatch, max_seq_length=128)
    assert reader.settings == (128, 128, 64) and reader.max_answer_length == 50


def test_an_export_of_short_sequences_leaves_room_for_the_context(engine, tmp_path, monkeypatch):
    reader = open_with(engine, Reader, tmp_path, monkeypatch, max_seq_length=14, export_format="tflite")
    assert reader.settings == (14, 3, 5)
    assert reader.answer([("谁写书在我你", "我在北京大学")])[0][0].text == "北京大学" and engine.longest == 14
    with pytest.raises(UserError, match="weights reads 4 tokens, too few for a question"):
        open_with(engine, Reader, tmp_path, monkeypatch, max_seq_length=4)


@pytest.mark.parametrize(
    "value, message",
    [
        (("谁", ""), "the context of row 2 is empty"),
        (("谁", " \n"), "the context of row 2 is empty"),
        (("谁", "\u200b\u200b"), "the context of row 2 holds nothing that can be read"),
        (("谁", None), "the context of row 2 must be a text, not None"),
        ((1, "我"), "the question of row 2 must be a text, not 1"),
        ("谁", r"row 2 is '谁': give questions \(question, context\)"),
        (("谁", "我", "你"), "row 2 is .*: give questions"),
        (("\ud83d", "我"), "the question of row 2 has half a character"),
    ],
)
def test_values_that_are_no_questions(reader, value, message):
    with pytest.raises(UserError, match=message):
        reader.answer([("谁", "我"), value])


def test_a_folder_without_a_description(tmp_path):
    with pytest.raises(UserError, match="no description of a fine-tuned model: name a folder that run_mrc.py filled"):
        open_reader(str(tmp_path))
