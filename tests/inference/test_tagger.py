"""Entities of any text: places in its own characters, parts of long texts as one, empty texts, values that are none."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.inference.engine_tflite import _joined
from albert.inference.tagger import TaggedEntity, Tagger, open_tagger
from tests.support.token_engines import SURE, TagEngine, open_with


@pytest.fixture
def engine():
    return TagEngine()


@pytest.fixture
def tagger(engine, tmp_path, monkeypatch):
    return open_with(engine, Tagger, tmp_path, monkeypatch)


def entity(start, end, kind, text):
    return TaggedEntity(start, end, kind, text, pytest.approx(SURE))


@pytest.mark.parametrize(
    "text, entities",
    [
        ("我在北京", [entity(0, 1, "PER", "我"), entity(2, 4, "LOC", "北京")]),
        ("😀我\n\u3000hello上海2008𠮷北", [
            entity(1, 2, "PER", "我"), entity(9, 11, "LOC", "上海"), entity(16, 17, "LOC", "北"),
        ]),
        ("Ｈｅｌｌｏ\u200b北\r\n京", [entity(6, 10, "LOC", "北\r\n京")]),
        ("hello", []),
        ("", []),
        (" \n\u200b", []),
    ],
)  # fmt: skip
def test_places_are_those_of_the_text_that_was_given(tagger, text, entities):
    assert tagger.tag([text]) == [entities]
    assert all(text[found.start : found.end] == found.text for found in tagger.tag([text])[0])


def test_a_long_text_is_read_in_parts_and_tagged_as_one(tagger, engine):
    text = "我在北京，你在上海。\n" * 1000
    found = tagger.tag(["北京", text, "我"])
    assert [len(entities) for entities in found] == [1, 3000, 1]
    assert [found[1][number].start for number in (0, 1, 2, 2999)] == [0, 2, 7, 10996]
    assert engine.longest == 16 and engine.rows > len(text) / 16


def test_letters_and_digits_are_read_as_in_the_files_of_the_training(engine, tmp_path, monkeypatch):
    whole = open_with(engine, Tagger, tmp_path, monkeypatch)
    one_by_one = open_with(engine, Tagger, tmp_path, monkeypatch, reads_characters=True)
    longest = []
    for model in (whole, one_by_one):
        engine.longest = 0
        assert model.tag(["hello北"])[0][0].text == "北"
        longest.append(engine.longest)
    assert longest == [4, 8]  # with [CLS] and [SEP]


def test_no_texts_have_no_answers(tagger, engine):
    assert tagger.tag([]) == [] and engine.rows == 0


@pytest.mark.parametrize(
    "value, message",
    [(None, "line 2 must be a text, not None"), (3, "must be a text, not 3"), ("我\ud83d", "line 2 has half a char")],
)
def test_values_that_are_no_texts(tagger, value, message):
    with pytest.raises(UserError, match=message):
        tagger.tag(["我", value], "line {}".format)


def test_a_folder_without_a_description(tmp_path):
    with pytest.raises(UserError, match="no description of a fine-tuned model: name a folder that run_ner.py filled"):
        open_tagger(str(tmp_path))


@pytest.mark.parametrize("axis", [1, 2])
def test_answers_to_rows_of_other_lengths_are_joined(axis):
    shapes = [[1, 2, 2] for _ in range(3)]
    for size, shape in zip((4, 1, 3), shapes):
        shape[axis] = size
    rows = [np.full(shape, number + 1.0, np.float32) for number, shape in enumerate(shapes)]
    joined = _joined(rows)
    assert joined.shape[axis] == 4 and joined.sum() == pytest.approx(sum(row.sum() for row in rows))
    for answer, row in zip(joined, rows):
        np.testing.assert_array_equal(answer[tuple(slice(size) for size in row.shape[1:])], row[0])
