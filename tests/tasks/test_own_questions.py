"""Reading tasks of one's own: the same answers out of every format, and one sentence for every fault."""

import json

import pytest

from albert.tasks.mrc_rows import Answer
from tests.support.own_tasks import fault, lines, read, region, studio

CONTEXT = "😀北京很大，北京在中国。"
QUESTION = "哪里？"
ANSWERS = (Answer("北京", 6), Answer("中国", 9))
SPANS = [[6, 8], [9, 11]]
TEXTS = [{"text": "北京", "start": 6}, {"text": "中国", "answer_start": 9}]
REGIONS = [region(7, 9, "北京", "A", control="answer"), region(10, 12, "中国", "A", control="answer")]
BASE = {"question": QUESTION, "context": CONTEXT}
QA = {"id": "0", "question": QUESTION, "answers": [{"text": a.text, "answer_start": a.start} for a in ANSWERS]}
FILES = {
    "lines.jsonl": (lines(dict(BASE, answers=TEXTS)), {}),
    "browser.jsonl": (lines(dict(BASE, answers=[{"text": "北京", "start": 7}, {"text": "中国", "start": 10}])), {}),
    "spans.json": ([dict(BASE, answers=SPANS)], {}),
    "columns.jsonl": (lines(dict(BASE, answers={"text": ["北京", "中国"], "answer_start": [6, 9]})), {}),
    "squad.json": (json.dumps({"data": [{"paragraphs": [{"context": CONTEXT, "qas": [QA]}]}]}, indent=1), {}),
    "named.json": ({"data": [{"paragraphs": [{"context": CONTEXT, "qas": [QA]}]}]}, {"format": "squad"}),
    "doccano.jsonl": (
        lines({"question": QUESTION, "text": CONTEXT, "label": [span + ["A"] for span in SPANS]}),
        {"context": "text", "answers": "label"},
    ),
    "studio.json": (studio((BASE, REGIONS)), {}),
    "min.json": ([dict(BASE, id=3, annotation_id=1, answer=[each["value"] for each in REGIONS])], {}),
    "table.csv": (
        'question,context,answers\n{},"{}","{}"\n'.format(QUESTION, CONTEXT, json.dumps(TEXTS).replace('"', '""')),
        {},
    ),
    "numbers.tsv": (
        "{}\t{}\t{}\n".format(CONTEXT, QUESTION, json.dumps(TEXTS)),
        {"context": 1, "question": 2, "answers": 3},
    ),
}


@pytest.mark.parametrize("name", sorted(FILES))
def test_the_same_answers_out_of_every_format(tmp_path, name):
    content, values = FILES[name]
    (question,) = read(tmp_path, name, content, kind="spans", **values)
    assert question[:4] == ("0", QUESTION, CONTEXT, ANSWERS)


@pytest.mark.parametrize(
    "content, values, start",
    [
        ("question\tcontext\tanswer\tstart\n{}\t{}\t北京\t6\n", {"answers": "answer", "answer_start": "start"}, 6),
        ("question\tcontext\tanswers\n{}\t{}\t北京\n", {}, 1),
        ("question\tcontext\tanswers\tid\n{}\t{}\t[北京\tq\n", {"id": "id"}, None),
    ],
)
def test_an_answer_in_a_cell(tmp_path, content, values, start):
    content = content.format(QUESTION, CONTEXT)
    if start is None:
        assert fault(tmp_path, "a.tsv", content, kind="spans", **values) == (
            "a.tsv question q (line 2) has the answer '[北京', which is not in its context"
        )
    else:
        assert read(tmp_path, "a.tsv", content, kind="spans", **values)[0].answers == (Answer("北京", start),)


def test_a_test_file_without_answers_and_with_ids(tmp_path):
    rows = lines(dict(BASE, id="x"), dict(BASE, id="y", answers=[]))
    found = read(tmp_path, "a.jsonl", rows, "test", kind="spans", id="id")
    assert [(question.own_id, question.answers) for question in found] == [("x", ()), ("y", ())]
    assert fault(tmp_path, "a.jsonl", rows.replace('"y"', '"x"'), "test", kind="spans", id="id") == (
        "a.jsonl question x (line 2) appears twice: give each question an id of its own"
    )


@pytest.mark.parametrize(
    "changes, expected",
    [
        ({}, "a.jsonl question 1 (line 2) has no answer: only the test split may have none"),
        ({"answers": ["南京"]}, "a.jsonl question 1 (line 2) has the answer '南京', which is not in its context"),
        ({"answers": [[1, 99]]}, "a.jsonl line 2 has a span from 1 to 99, but its text has 12 characters"),
        ({"answers": [[3, 3]]}, "a.jsonl line 2 has an empty span from 3 to 3"),
        (
            {"answers": [{"text": "北京", "start": "x"}]},
            'a.jsonl line 2 has no answer but {"text": "北京", "start": "x"}',
        ),
        ({"answers": {"text": ["北京"], "answer_start": [1, 2]}}, 'a.jsonl line 2 has no answer but {"text": null'),
        ({"answers": [3]}, "a.jsonl line 2 has no span but 3"),
        ({"context": " "}, "a.jsonl line 2 has an empty context text"),
        ({"context": 3}, "a.jsonl line 2 has no text under 'context' but 3"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path, changes, expected):
    content = lines(dict(BASE, answers=TEXTS), dict(BASE, **changes))
    assert fault(tmp_path, "a.jsonl", content, kind="spans").startswith(expected)


@pytest.mark.parametrize(
    "content, expected",
    [
        ("question\tcontext\n甲\n", "a.tsv line 2 has 1 columns, expected 2 (question, context)"),
        ("question\tquestion\n", "a.tsv line 1 names the column 'question' twice"),
        ("text\tcontext\n甲\t乙\n", "a.tsv line 2 has no key 'question' (its keys: text, context)"),
    ],
)
def test_a_table_that_is_not_as_described(tmp_path, content, expected):
    assert fault(tmp_path, "a.tsv", content, kind="spans").startswith(expected)
