"""The check of a task's files: a line for each split in the log, and what the task is."""

import logging

import pytest

import check_task
from albert.base.errors import UserError
from tests.support.own_tasks import describe, lines


def check(folder, content, **values):
    (folder / "a.jsonl").write_text(content, encoding="utf-8")
    flags = check_task.declare_flags()
    flags.parse([describe(folder, "a.jsonl", **values)])
    check_task.main(flags)


@pytest.mark.parametrize(
    "content, values, summary, sentence",
    [
        (
            lines({"text": "好", "label": "正"}, {"text": "太差了", "label": "负"}),
            {"text_a": "text"},
            "2 rows; labels (正 1, 负 1); characters: median 1, 95 % at most 1, longest 3.",
            "The task mine has 2 labels (正, 负).",
        ),
        (
            lines({"text": "好", "label": []}, {"text": "太差了", "label": ["正", "负"]}),
            {"text_a": "text", "kind": "multilabel"},
            "2 rows; labels (正 1, 负 1); 1.0 labels a row, 2 at most; "
            "characters: median 1, 95 % at most 1, longest 3.",
            "The task mine has 2 labels (正, 负), any number of them a row.",
        ),
        (
            lines({"text": "好", "正": 0, "负": 0}, {"text": "太差了", "正": 0, "负": 1}),
            {"text_a": "text", "kind": "multilabel", "label_columns": ["正", "负"]},
            "2 rows; labels (负 1); 0.5 labels a row, 1 at most; characters: median 1, 95 % at most 1, longest 3.",
            "The task mine has 2 labels (正, 负), any number of them a row.",
        ),
        (
            lines({"text": "在北京", "label": [[1, 3, "LOC"]]}),
            {"kind": "tags"},
            "1 sentence; 1 entity (LOC 1); characters: median 3, 95 % at most 3, longest 3.",
            "The task mine has 1 entity types (LOC).",
        ),
        (
            lines(*({"question": "哪？", "context": "在北京", "answers": ["北京"]} for _ in "12")),
            {"kind": "spans"},
            "2 questions on 1 context; 2 answers, characters: median 2, 95 % at most 2, longest 2; "
            "contexts, characters: median 3, 95 % at most 3, longest 3.",
            "The task mine has questions that spans of their contexts answer.",
        ),
    ],
)
def test_each_split_has_a_line(tmp_path, caplog, capsys, content, values, summary, sentence):
    caplog.set_level(logging.INFO)
    check(tmp_path, content, **values)
    for split in ("train", "dev", "test"):
        assert "{} ({}): {}".format(split, tmp_path / "a.jsonl", summary) in caplog.messages
    assert capsys.readouterr().out == sentence + "\n"


@pytest.mark.parametrize("values, what", [({"text_a": "text"}, "no labels"), ({"kind": "tags"}, "no tags")])
def test_a_split_without_labels(tmp_path, caplog, values, what):
    caplog.set_level(logging.INFO)
    check(tmp_path, lines({"text": "好"}), files={"test": "a.jsonl"}, **values)
    assert "1 " in caplog.text and "; {}; characters: median 1".format(what) in caplog.text


def test_the_first_fault_ends_it(tmp_path):
    with pytest.raises(UserError, match="a.jsonl line 1 has a span from 0 to 9"):
        check(tmp_path, lines({"text": "好", "label": [[0, 9, "A"]]}), kind="tags")
