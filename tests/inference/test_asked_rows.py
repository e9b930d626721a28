"""Rows of files that are asked: lines, tables, JSON lines and questions in every layout; files that do not say."""

import json

import pytest

from albert.base.errors import UserError
from albert.inference.asked_rows import PAIR, QUESTION, TEXT, TEXT_OR_PAIR, open_rows

CMRC = {"data": [{"paragraphs": [{"context": "我在北京", "qas": [{"id": "q7", "question": "谁"}]}]}]}


def write(folder, name, content):
    path = folder / name
    path.write_text(content, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    "name, content, shape, columns, texts",
    [
        ("a.txt", "我在\t北京\n上,海\n", TEXT, (), [("我在\t北京",), ("上,海",)]),
        ("a.txt", "我在\t北京\n", TEXT_OR_PAIR, (), [("我在", "北京")]),
        ("a.txt", "[MASK]气\n{我}\n", TEXT, (), [("[MASK]气",), ("{我}",)]),
        ("a.txt", '\n[\n{"text": "我"}]\n', TEXT, (), [("我",)]),
        ("a.txt", "我在\n北京\n", TEXT_OR_PAIR, (), [("我在",), ("北京",)]),
        ("a.csv", 'id,text\n1,"我,在"\n', TEXT, (), [("我,在",)]),
        ("a.csv", "id,text\n1,我在\n", TEXT_OR_PAIR, (), [("我在",)]),
        ("a.csv", "text_a,text_b\n我,在\n", TEXT_OR_PAIR, (), [("我", "在")]),
        ("a.tsv", "body\tno\n我在\t1\n", TEXT, ("body",), [("我在",)]),
        ("a.tsv", "body\tno\n我在\t1\n", TEXT_OR_PAIR, ("body",), [("我在",)]),
        ("a.tsv", "我在\t北京\n", PAIR, (), [("我在", "北京")]),
        ("a.tsv", "谁\t我在北京\n", QUESTION, (), [("谁", "我在北京")]),
        ("a.tsv", "context\tquestion\n我在北京\t谁\n", QUESTION, (), [("谁", "我在北京")]),
        ("a.csv", "问题,原文\n谁,我在\n", QUESTION, (), [("谁", "我在")]),
        ("a.jsonl", '{"text": "我\\n在"}\n{"text": "北"}\n', TEXT, (), [("我\n在",), ("北",)]),
        ("a.json", '[{"content": "我在", "id": 4}]', TEXT, (), [("我在",)]),
        ("a.jsonl", '{"sentence1": "我", "sentence2": "在"}\n', PAIR, (), [("我", "在")]),
        ("a.jsonl", '{"sentence": "我", "label": "x"}\n', TEXT_OR_PAIR, (), [("我",)]),
        ("a.jsonl", '{"body": "我"}\n', TEXT, ("body",), [("我",)]),
        ("a.jsonl", '{"question": "谁", "context": "我在北京"}\n', QUESTION, (), [("谁", "我在北京")]),
        ("a.json", json.dumps(CMRC), QUESTION, (), [("谁", "我在北京")]),
        ("a.json", json.dumps(CMRC, indent=1), QUESTION, (), [("谁", "我在北京")]),
    ],
)
def test_texts_are_found(tmp_path, name, content, shape, columns, texts):
    assert [row.texts for row in open_rows(write(tmp_path, name, content), shape, columns).rows] == texts


def test_values_of_objects_are_kept_but_for_contexts(tmp_path):
    path = write(tmp_path, "a.jsonl", '{"question": "谁", "context": "我在北京", "idx": 3}\n')
    (row,) = open_rows(path, QUESTION).rows
    assert row.values == {"id": 3, "question": "谁", "idx": 3} and row.place == path + " line 1"
    path = write(tmp_path, "b.json", json.dumps(CMRC))
    (row,) = open_rows(path, QUESTION).rows
    assert row.values == {"id": "q7", "question": "谁"} and row.place == path + " question q7"


@pytest.mark.parametrize(
    "content, shape, message",
    [
        ('{"name": "我"}\n', TEXT, "line 1 has no key 'text'"),
        ('{"text": 3}\n', TEXT, "line 1 has no text under 'text' but 3"),
        ('{"a1": "我", "a2": "在"}\n', PAIR, "keys a1, a2, which do not tell the two texts: name them with --column_a"),
        ('{"question": "谁"}\n', QUESTION, "line 1 has no key 'context'"),
        ('{"data": [\n', QUESTION, "is not JSON"),
        ("我在北京\n", PAIR, "line 1 has no tab: give two sentences"),
    ],
)
def test_files_that_do_not_say_where_their_texts_are(tmp_path, content, shape, message):
    with pytest.raises(UserError, match=message):
        list(open_rows(write(tmp_path, "a.txt", content), shape).rows)
