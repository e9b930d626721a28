"""Questions of a reading task of one's own: SQuAD's and CMRC's JSON, lines of JSON, tables, doccano, Label Studio.

{"question": "哪里？", "context": "我在北京", "answers": [{"text": "北京", "start": 2}]}     in each line, or in a list
{"question": "哪里？", "text": "我在北京", "label": [[2, 4, "答案"]]}                         doccano, "context": "text"

An answer is a text, a text with its start, or a span [start, end]. One without a start is at its first place in the
context. In Label Studio, the spans that are marked in the context answer the question that is beside it in the data.
"""

from __future__ import annotations

import functools
import itertools
import json
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from albert.base.errors import UserError
from albert.files.plain_text import is_blank
from albert.tasks.columns import Column
from albert.tasks.file_form import JSON_FORMATS, FileForm, opened_records, table_objects
from albert.tasks.json_records import begins_with, json_records
from albert.tasks.json_rows import JsonObject, shown
from albert.tasks.label_studio import labelled_tasks, marked_spans
from albert.tasks.mrc_rows import UNPLACED, Answer, Question, is_nested, read_questions
from albert.tasks.own_rows import own_id_of
from albert.tasks.rows import text_fault
from albert.tasks.span_values import (
    Reading,
    TextSpan,
    in_characters,
    in_utf16_units,
    placed,
    preferred_readings,
    spans_of_value,
)

_STARTS = ("answer_start", "start")


class QuestionForm(NamedTuple):
    """Form of questions: the columns, with JSON the keys, of their parts."""

    question: Column = "question"
    context: Column = "context"
    answers: Column = "answers"
    answer_start: Optional[Column] = None
    own_id: Optional[Column] = None

    def columns(self) -> List[Column]:
        """Returns the columns that are named or numbered."""
        return [column for column in self if column is not None]


def question_reader(form: FileForm, questions: QuestionForm) -> Callable[[str], Iterator[Question]]:
    """Makes the reader of files of a form: path -> questions; one without an id has its number from 0 as its id."""
    return functools.partial(_read, form=form, questions=questions)


class _Asked(NamedTuple):
    """Question as its file has it; its answers are texts that may have a start, or spans."""

    entry: JsonObject
    own_id: Union[int, str, None]
    question: str
    context: str
    texts: Tuple[Answer, ...]
    spans: Tuple[TextSpan, ...]


def _read(path: str, form: FileForm, questions: QuestionForm) -> Iterator[Question]:
    readings: List[Reading] = [in_characters, in_utf16_units]
    if form.format not in JSON_FORMATS:
        asked = _of_table(path, form, questions)
    elif _is_nested(path):
        yield from read_questions(path)
        return
    else:
        is_studio, records = opened_records(path, form)
        asked = _of_studio(records, form, questions) if is_studio else _of_objects(records, questions)
        if is_studio:
            readings.reverse()
    found = list(asked)
    order = preferred_readings([(each.context, each.spans) for each in found], readings)
    for number, each in enumerate(found):
        own_id = number if each.own_id is None else each.own_id
        place = "{} {}".format(each.entry.unit, each.entry.line)
        yield Question(str(own_id), each.question, each.context, _answers(each, order), place)


def _is_nested(path: str) -> bool:
    """Whether a file has the layers of SQuAD or CMRC; an object over several lines is no line of JSON."""
    try:
        first = next(json_records(path), None)
    except UserError:
        return begins_with(path, "{")  # what is wrong with it is said where it is read
    return first is not None and is_nested(first.values)


def _of_objects(records: Iterator[JsonObject], questions: QuestionForm) -> Iterator[_Asked]:
    for entry in records:
        value = entry.values.get(str(questions.answers))
        start = entry.values.get(str(questions.answer_start))
        yield _asked(entry, entry, questions, *_answers_of(entry, value, start))


def _answers_of(entry: JsonObject, value: Any, start: Any) -> Tuple[List[Answer], List[TextSpan]]:
    """The answers of a JSON value: texts, and spans."""
    if value is None or value == "":
        return [], []
    if isinstance(value, dict) and isinstance(value.get("text"), list):
        starts = value.get("answer_start", [UNPLACED] * len(value["text"]))
        value = [{"text": text, "start": begin} for text, begin in itertools.zip_longest(value["text"], starts)]
    values = value if isinstance(value, list) else [value]
    if len(values) == 1 and isinstance(values[0], str) and start not in (None, ""):
        values = [{"text": values[0], "start": start}]
    texts = [_answer(entry, each) for each in values if _has_text(each)]
    return texts, spans_of_value(entry, [each for each in values if not _has_text(each)], needs_type=False)


def _has_text(value: Any) -> bool:
    """Whether an answer is a text, with or without its start."""
    return isinstance(value, str) or (isinstance(value, dict) and "text" in value)


def _answer(entry: JsonObject, value: Any) -> Answer:
    text, start = value, UNPLACED
    if isinstance(value, dict):
        text = value["text"]
        start = next((value[key] for key in _STARTS if key in value), UNPLACED)
    if isinstance(start, str) and start.strip().isdecimal():
        start = int(start)
    if not isinstance(text, str) or type(start) is not int:
        raise entry.error("has no answer but {}: a text, and its start where it is known".format(shown(value)))
    return Answer(text, start)


def _of_table(path: str, form: FileForm, questions: QuestionForm) -> Iterator[_Asked]:
    for entry in table_objects(path, form, questions.columns()):
        cell = entry.values.get(str(questions.answers), "")
        start = entry.values.get(str(questions.answer_start))
        yield _asked(entry, entry, questions, *_answers_of(entry, _value_of_cell(cell), start))


def _value_of_cell(cell: str) -> Any:
    """The answers in a cell: a list or an object of JSON, else the text itself."""
    try:
        value = json.loads(cell) if cell.startswith(("[", "{")) else cell
    except ValueError:
        return cell
    is_list = isinstance(value, list) and all(isinstance(each, (str, list, dict)) for each in value)
    return value if is_list or (isinstance(value, dict) and "text" in value) else cell


def _of_studio(records: Iterator[JsonObject], form: FileForm, questions: QuestionForm) -> Iterator[_Asked]:
    tasks = labelled_tasks(records, form.annotator)
    for task, spans in zip(tasks, marked_spans(tasks, form.control, needs_type=False)):
        yield _asked(task.record, task.data, questions, [], spans or [])


def _asked(
    record: JsonObject, data: JsonObject, questions: QuestionForm, texts: Sequence[Answer], spans: Sequence[TextSpan]
) -> _Asked:
    question, context = data.text(str(questions.question)), data.text(str(questions.context))
    fault = text_fault(context, "context ") or (None if is_blank(question) else text_fault(question, "question "))
    if fault:
        raise record.error(fault)
    return _Asked(record, own_id_of(record, data, questions.own_id), question, context, tuple(texts), tuple(spans))


def _answers(asked: _Asked, order: Sequence[Reading]) -> Tuple[Answer, ...]:
    spans = placed(asked.entry, asked.context, asked.spans, order)
    marked = [Answer(asked.context[span.start : span.end], span.start) for span in spans]
    return tuple(_in_characters(asked.context, answer) for answer in asked.texts) + tuple(marked)


def _in_characters(context: str, answer: Answer) -> Answer:
    """The answer with the start that its file gives in UTF-16 units, where it stands there and not at its start."""
    if answer.start < 0 or context.startswith(answer.text, answer.start):
        return answer
    (span,) = in_utf16_units(context, [TextSpan(answer.start, answer.start, "")])
    is_there = span.start >= 0 and context.startswith(answer.text, span.start)
    return answer._replace(start=span.start) if is_there else answer
