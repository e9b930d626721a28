"""Answers of files and of typed lines: more columns of a table, JSON lines, lines for the screen."""

import io
import json
import sys

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.inference import predict_command
from albert.inference.fill_mask import Candidate
from albert.inference.predict_command import predict_file, prompt, show_row
from albert.inference.predictions import PredictOptions
from albert.inference.predictor import Predictions
from albert.inference.reader import FoundAnswer
from albert.inference.tagger import TaggedEntity
from albert.inference.text_batches import check_text


class Oracle:
    """Answers without a model."""

    has_cosines = False
    labels = ("是", "a,b")

    def check(self, ability):
        pass

    def classify(self, rows, symmetric, place):
        for number, row in enumerate(rows, start=1):
            check_text(row if isinstance(row, str) else row[0], place(number))
        return Predictions([self.labels[len("".join(row)) % 2] for row in rows], np.full(len(rows), 0.5), None)

    def similarity(self, rows, symmetric, place):
        return np.array([0.25 for _ in rows])

    def tag(self, texts, place):
        return [[TaggedEntity(0, 1, "PER", text[0], 0.5)] for text in texts]

    def answer(self, questions, n_best, place):
        return [[FoundAnswer(context[:2], 0, 2, 0.5)] * n_best for _, context in questions]

    def embed(self, texts, place):
        return np.array([[0.5, 1.0] for _ in texts])

    def fill_mask(self, texts, top_k, place):
        return [[[Candidate("天", 0.5)] * top_k] for _ in texts]


def answered(folder, ability, name, content, model=None, **options):
    (folder / name).write_text(content, encoding="utf-8")
    out = folder / "out"
    predict_file(model or Oracle(), ability, str(folder / name), str(out), PredictOptions(**options))
    return out.read_text(encoding="utf-8")


ENTITY = {"start": 0, "end": 1, "type": "PER", "text": "我", "score": 0.5}
ANSWER = {"text": "我在", "start": 0, "end": 2, "score": 0.5}
ASKED = '{"id": 8, "question": "谁", "context": "我在京"}\n'


@pytest.mark.parametrize(
    "ability, name, content, expected",
    [
        ("classify", "a.txt", "我在\n京\n", "我在\t是\t0.500000\n京\ta,b\t0.500000\n"),
        ("classify", "a.csv", "id,text\n1,京\n", 'id,text,label,score\n1,京,"a,b",0.500000\n'),
        ("similarity", "a.tsv", "text_a\ttext_b\n我\t在\n", "text_a\ttext_b\tsimilar\n我\t在\t0.250000\n"),
        ("classify", "a.jsonl", '{"text": "我", "n": 1}\n', {"text": "我", "n": 1, "label": "a,b", "score": 0.5}),
        ("tag", "a.txt", "我在\n", {"text": "我在", "entities": [ENTITY]}),
        ("answer", "a.jsonl", ASKED, {"id": 8, "question": "谁", "answers": [ANSWER]}),
        ("answer", "a.tsv", "谁\t我在京\n", {"question": "谁", "answers": [ANSWER]}),
        ("embed", "a.txt", "我\n", {"text": "我", "vector": [0.5, 1.0]}),
        ("fill_mask", "a.txt", "[MASK]气\n", {"text": "[MASK]气", "masks": [[{"token": "天", "probability": 0.5}]]}),
    ],
)
def test_answers_of_a_file(tmp_path, ability, name, content, expected):
    found = answered(tmp_path, ability, name, content)
    if isinstance(expected, str):
        assert found == expected
    else:
        assert [json.loads(line) for line in found.splitlines()] == [dict({"id": 0}, **expected)]


def test_several_labels_share_a_cell(tmp_path):
    model = Oracle()
    model.classify = lambda rows, *_: Predictions([("甲", "乙"), ()], np.array([0.5, 0.25]), None)
    assert answered(tmp_path, "classify", "a.txt", "我\n在\n", model) == "我\t甲|乙\t0.500000\n在\t\t0.250000\n"


def test_a_file_is_answered_in_chunks(tmp_path, monkeypatch):
    monkeypatch.setattr(predict_command, "_CHUNK_ROWS", 2)
    lines = answered(tmp_path, "tag", "a.txt", "我\n在\n北\n京\n海\n").splitlines()
    assert [json.loads(line)["id"] for line in lines] == [0, 1, 2, 3, 4]


def test_a_wrong_row_is_named_and_no_file_is_left(tmp_path, monkeypatch):
    monkeypatch.setattr(predict_command, "_CHUNK_ROWS", 2)
    content = "".join(json.dumps({"text": text}) + "\n" for text in ("我", "在", "\ud83d"))
    with pytest.raises(UserError, match="a.jsonl line 3 has half a character"):
        answered(tmp_path, "classify", "a.jsonl", content)
    with pytest.raises(UserError, match="a.txt is empty: it holds no row"):
        answered(tmp_path, "tag", "a.txt", "")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.jsonl", "a.txt"]


@pytest.mark.parametrize(
    "ability, texts, options, lines",
    [
        ("classify", ("我在",), {}, [" 50.0% | 是 | 我在"]),
        ("similarity", ("我", "在"), {}, [" 25.0% similar | 我 | 在"]),
        ("tag", ("我在",), {}, ["我在", "    PER 我 [0, 1) 50.0%"]),
        ("answer", ("谁", "我在京"), {"top_k": 2}, ["谁"] + ["    我在 [0, 2) 50.0%"] * 2),
        ("embed", ("我",), {}, ["我", "    2 numbers: 0.5000 1.0000 …"]),
        ("fill_mask", ("今[MASK]",), {"top_k": 2}, ["今[MASK]", "    天 50.0%  天 50.0%"]),
    ],
)
def test_answers_on_the_screen(capsys, ability, texts, options, lines):
    show_row(Oracle(), ability, texts, PredictOptions(**options))
    assert capsys.readouterr().out.splitlines() == lines


@pytest.mark.parametrize(
    "ability, typed, lines",
    [
        ("tag", "我\n\n在\n", ["我", "    PER 我 [0, 1) 50.0%"]),
        ("answer", "我在京\n谁\n\n北京\n谁\n", ["谁", "    我在 [0, 2) 50.0%", "谁", "    北京 [0, 2) 50.0%"]),
        ("similarity", "我\t在\n北\n京\n", [" 25.0% similar | 我 | 在", " 25.0% similar | 北 | 京"]),
        ("classify", "我\t在\n京\n", [" 50.0% | 是 | 我 | 在", " 50.0% | a,b | 京"]),
    ],
)
def test_typed_rows_are_answered_until_an_empty_line(capsys, monkeypatch, ability, typed, lines):
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    prompt(Oracle(), ability)
    assert capsys.readouterr().out.splitlines() == lines
