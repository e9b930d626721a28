"""The reader of questions: places of answers, and one sentence with file and question for every mistake."""

import json
import logging

import pytest

from albert.base.errors import UserError
from albert.tasks import mrc_rows
from albert.tasks.mrc import MRC_TASKS
from albert.tasks.mrc_rows import Answer

TASK = MRC_TASKS["cmrc2018"]
CONTEXT = "北京在中国，北京很大。"


def qa(own_id="q1", question="哪里？", answers=(("北京", 0),)):
    found = [{"text": text, "answer_start": start} for text, start in answers]
    return {"id": own_id, "question": question, "answers": found}


def content(*qas, context=CONTEXT):
    return {"data": [{"paragraphs": [{"context": context, "qas": list(qas)}]}]}


def read(folder, values, split="train"):
    text = values if isinstance(values, (str, bytes)) else json.dumps(values)
    (folder / (split + ".json")).write_bytes(text if isinstance(text, bytes) else text.encode("utf-8"))
    return mrc_rows.read_question_split(TASK, str(folder), split)


def test_questions_in_file_order(tmp_path):
    first, second = read(tmp_path, content(qa(), qa(2, answers=(("很大", 8), ("大", 9)))))
    assert (first.own_id, first.context, first.answers) == ("q1", CONTEXT, (Answer("北京", 0),))
    assert (second.own_id, second.answers) == ("2", (Answer("很大", 8), Answer("大", 9)))


def test_a_mark_at_the_beginning_changes_nothing(tmp_path):
    plain = read(tmp_path, content(qa()))
    assert read(tmp_path, b"\xef\xbb\xbf" + json.dumps(content(qa()), indent=1).replace("\n", "\r\n").encode()) == plain


def test_an_answer_at_another_place_is_moved_to_the_nearest_one_and_logged(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    questions = read(tmp_path, content(qa(answers=(("北京", 4),)), qa("b", answers=(("北京", 1),)), qa("c")))
    assert [q.answers[0].start for q in questions] == [6, 0, 0]
    assert (
        "train.json: 2 questions have an answer at another place than answer_start" in caplog.text
        and "first is q1." in caplog.text
    )


def test_an_empty_question_is_kept_and_logged(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    assert read(tmp_path, content(qa(question="")), "dev")[0].question == ""
    assert "dev.json: 1 question has no text" in caplog.text


def test_a_test_file_may_be_without_answers_or_with_placeholders(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    without = {"id": "b", "question": "？"}
    questions = read(tmp_path, content(qa(answers=()), without, qa("c", answers=(("FAKE", -1),)), qa("d")), "test")
    assert [len(q.answers) for q in questions] == [0, 0, 0, 1]
    assert "1 question has an answer that is not in the context; it is not scored, the first is c." in caplog.text


@pytest.mark.parametrize(
    "values,message",
    [
        ('{"data": [', r"train.json is not JSON \(.*\): is it cut off\?"),
        ("", "train.json is not JSON"),
        (b"\xff{}", "train.json is not UTF-8"),
        ("[]", "train.json is not a JSON object with the key 'data'"),
        ({}, "train.json at its top has no key 'data'"),
        ({"data": {}}, "train.json at its top has no list of objects under 'data'"),
        ({"data": []}, "train.json has no questions"),
        ({"data": [{"paragraph": []}]}, "data number 1 has no key 'paragraphs' .*did you mean 'paragraph'"),
        ({"data": [{"paragraphs": [{"qas": []}]}]}, "data number 1, paragraphs number 1 has no key 'context'"),
        (content(qa(), context=" "), "paragraphs number 1 has an empty context text"),
        (content({"question": "a"}), "qas number 1 has no key 'id'"),
        (content({"id": "x1", "answers": []}), "train.json question x1 has no key 'question'"),
        (
            content({"id": "x1", "question": "a"}),
            "train.json question x1 has no answer: only the test split may have none",
        ),
        (content(qa(answers=(("南京", 0),))), "question q1 has the answer '南京', which is not in its context"),
        (content(qa(answers=(("", 0),))), "question q1 has the answer '', which is not in its context"),
        (
            content(qa(answers=(("北京", "0"),))),
            "question q1, answers number 1 has no whole number under 'answer_start'",
        ),
        (content(qa(), qa()), "train.json question q1 appears twice"),
        (content(qa(question="\ud800")), "question q1 has half a character"),
    ],
)
def test_mistakes(tmp_path, values, message):
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, values)
    assert "\n" not in str(error.value)


OBJECTS = {"text": ["北京"], "answer_start": [0]}
FLAT = {"id": "q1", "context": CONTEXT, "question": "哪里？", "answers": OBJECTS}
TRIAL = {
    "context_id": "T",
    "context_text": CONTEXT,
    "qas": [{"query_id": "q1", "query_text": "哪里？", "answers": ["北京", "中国"]}],
}


def lines(*values):
    return "".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values)


@pytest.mark.parametrize(
    "values",
    [
        lines(FLAT),
        lines(FLAT, dict(FLAT, id="q2")),
        "\ufeff" + lines(FLAT, dict(FLAT, id="q2")).replace("\n", "\r\n"),
        [FLAT],
        {"version": "1", "data": [FLAT]},
        [{"title": "t", "paragraphs": [{"context": CONTEXT, "qas": [qa()]}]}],
        [{"context": CONTEXT, "qas": [qa()]}],
        {"data": [{"context": CONTEXT, "qas": [qa()]}]},
        lines({"context": CONTEXT, "qas": [qa()]}, {"context": CONTEXT, "qas": [qa("q2")]}),
        {"paragraphs": [{"context": CONTEXT, "qas": [qa()]}]},
        content(dict(qa(), answers=OBJECTS)),
        content(dict(qa(), is_impossible=False)),
    ],
)
def test_layouts_in_which_questions_are_published(tmp_path, values):
    for question in read(tmp_path, values):
        assert question[1:4] == ("哪里？", CONTEXT, (Answer("北京", 0),))


def test_cmrc_2018_as_first_published(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    (question,) = read(tmp_path, [TRIAL])
    assert question[:4] == ("q1", "哪里？", CONTEXT, (Answer("北京", 0), Answer("中国", 3)))
    assert [record.getMessage()[len(str(tmp_path)) + 1 :] for record in caplog.records] == [
        "train.json: 1 question has an answer without answer_start; the first place in the context is used, "
        "the first is q1."
    ]
    (question,) = read(tmp_path, [dict(TRIAL, qas=[dict(TRIAL["qas"][0], answers=["FAKE"])])], "test")
    assert question.answers == ()


@pytest.mark.parametrize(
    "answer, placed",
    [
        ((" 北京", 5), ("北京", 6)),
        (("\u3000北京\n", 5), ("北京", 6)),
        (("北京 ", 0), ("北京", 0)),
        ((" 很大", 0), ("很大", 8)),
    ],
)
def test_blanks_around_an_answer_do_not_count(tmp_path, answer, placed):
    (question,) = read(tmp_path, content(qa(answers=(answer,))))
    assert question.answers == (Answer(*placed),)


def test_blanks_that_the_context_has_stay(tmp_path):
    (question,) = read(tmp_path, content(qa(answers=(("a ", 0),)), context="a b"))
    assert question.answers == (Answer("a ", 0),)


@pytest.mark.parametrize(
    "values, message",
    [
        (content(dict(qa(answers=()), is_impossible=True)), r"question q1 has no answer in its context .*SQuAD 2\.0"),
        (content(dict(qa(answers=()), is_impossible="true")), "question q1 has no answer in its context"),
        ([[["一"], [{"question": "？"}], "1"]], "is not a JSON object with the key 'data': expected .*paragraphs"),
        ("7", "is not a JSON object with the key 'data': expected .*paragraphs"),
        (lines({"documents": []}, {"documents": []}), "line 1 has no key 'paragraphs'"),
        (lines(FLAT) + "{", "train.json line 2 is not JSON"),
        (lines(FLAT, {"context": CONTEXT}), "train.json line 2 has no key 'qas'"),
        (lines(dict(FLAT, answers={"text": ["北京"], "answer_start": []})), "q1 has no list of 1 whole numbers under"),
        (lines(dict(FLAT, answers={"text": ["北京"]})), "q1 has no key 'answer_start'"),
        (lines(dict(FLAT, answers={"text": [], "answer_start": []})), "question q1 has no answer: only the test"),
        ([dict(TRIAL, qas=[{"query_id": 3, "answers": []}])], "question 3 has no key 'question'"),
        ([dict(TRIAL, context_text=" ")], "the list number 1 has an empty context_text text"),
    ],
)
def test_mistakes_of_other_layouts(tmp_path, values, message):
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, values)
    assert "\n" not in str(error.value)
