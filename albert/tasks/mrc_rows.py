"""Reader of questions on contexts, in the layouts of JSON in which CMRC 2018, DRCD and their like are published.

SQuAD 1.1, CMRC 2018, DRCD:
    {"data": [{"paragraphs": [{"context": "…", "qas": [{"id": "…", "question": "…",
                                                         "answers": [{"text": "…", "answer_start": 0}]}]}]}]}
CMRC 2018 as first published:
    [{"context_text": "…", "qas": [{"query_id": "…", "query_text": "…", "answers": ["…"]}]}]
The library `datasets`, a question per line, in a list, or in "data":
    {"id": "…", "context": "…", "question": "…", "answers": {"text": ["…"], "answer_start": [0]}}

The keys of an object tell its layout; other keys are ignored. Only a question of a test file may have no answers.
"""

from __future__ import annotations

import json
import logging
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.files.json_reading import parse
from albert.files.plain_text import is_blank
from albert.tasks.json_rows import JsonObject, json_objects
from albert.tasks.rows import text_fault
from albert.tasks.split_summary import of_questions
from albert.tasks.splits import SPLIT_WITHOUT_LABELS, split_path
from albert.tasks.task import Task

_log = logging.getLogger(__name__)

_QUESTION_LINE = 0  # a file is one JSON object: its parts are named by their place or id, not by a line


_CONTEXTS, _IDS, _QUESTIONS = ("context", "context_text"), ("id", "query_id"), ("question", "query_text")
UNPLACED = -1  # the place of an answer whose file gives none
_LAYOUTS = (
    'expected {"data": [{"paragraphs": […]}]} as CMRC 2018, DRCD and SQuAD 1.1 have it, a list of contexts with "qas", '
    'or "context", "question" and "answers" in each line'
)


class Answer(NamedTuple):
    """Answer as its file has it; `start` is -1 where the file gives no place."""

    text: str
    start: int


class Question(NamedTuple):
    """Question and the context that contains its answer.

    Attributes:
      own_id: its id in the file.
      question, context: the texts.
      answers: the right ones, in characters of the context; empty in a test file without answers.
      place: the line or record of the file ("line 3"); None where the id names the question.
    """

    own_id: str
    question: str
    context: str
    answers: Tuple[Answer, ...]
    place: Optional[str] = None


class _Node(JsonObject):
    """Object of the file, named by its place or by the question's id."""

    def __init__(self, values: Dict[str, Any], path: str, place: str) -> None:
        super().__init__(values, path, _QUESTION_LINE)
        self.place = place

    def error(self, fault: str) -> UserError:
        """Returns the error that says what is wrong with this object."""
        return UserError("{} {} {}".format(self.path, self.place, fault))

    def one_of(self, keys: Sequence[str]) -> str:
        """Returns the key that the object has; the first where it has none of them."""
        return next((key for key in keys if key in self.values), keys[0])

    def nodes(self, key: str) -> Iterator["_Node"]:
        """Yields the objects of a list."""
        values = self.value(key)
        if not isinstance(values, list) or not all(isinstance(value, dict) for value in values):
            raise self.error("has no list of objects under '{}'".format(key))
        for number, value in enumerate(values):
            yield _Node(value, self.path, "{}, {} number {}".format(self.place, key, number + 1))

    def checked_text(self, key: str, may_be_empty: bool = False) -> str:
        """Returns the text of a key; raises `UserError` where it has a fault."""
        text = self.text(key)
        fault = None if may_be_empty and is_blank(text) else text_fault(text, key + " ")
        if fault:
            raise self.error(fault)
        return text


def is_nested(values: Dict[str, Any]) -> bool:
    """Whether an object holds questions on contexts in layers of objects, as SQuAD and CMRC have them."""
    return any(isinstance(values.get(key), list) for key in ("data", "paragraphs", "qas"))


def read_questions(path: str) -> Iterator[Question]:
    """Yields the questions of a file in order.

    Raises:
      UserError: the file cannot be read or is not such JSON.
    """
    for node in _top_nodes(path):
        if node.one_of(_CONTEXTS) in node.values:
            yield from _questions_of_context(node)
            continue
        for paragraph in node.nodes("paragraphs"):
            yield from _questions_of_context(paragraph)


def _top_nodes(path: str) -> Iterator[_Node]:
    """Yields articles, contexts or questions, whichever the file lists."""
    try:
        with open(path, "rb") as file:  # as bytes: JSON tells its encoding
            values = parse(file.read())
    except OSError as error:
        raise UserError("cannot read {}: {}".format(path, error.strerror)) from error
    except UserError as error:
        raise UserError("{} cannot be used: {}".format(path, error)) from error
    except UnicodeDecodeError as error:
        raise UserError("{} is not UTF-8: save it as UTF-8".format(path)) from error
    except ValueError as error:
        if _has_lines(error):
            return (_Node(entry.values, path, "line {}".format(entry.line)) for entry in json_objects(path))
        raise UserError("{} is not JSON ({}): is it cut off?".format(path, error)) from error
    if isinstance(values, list) and values and all(isinstance(value, dict) for value in values):
        return _Node({"the list": values}, path, "at its top").nodes("the list")
    if not isinstance(values, dict):
        raise UserError("{} is not a JSON object with the key 'data': {}".format(path, _LAYOUTS))
    node = _Node(values, path, "at its top")
    is_alone = "data" not in values and node.one_of(_CONTEXTS + ("paragraphs",)) in values
    return iter([node]) if is_alone else node.nodes("data")


def _has_lines(error: ValueError) -> bool:
    """Whether the text of a JSON fault goes on after a whole first line."""
    return isinstance(error, json.JSONDecodeError) and error.msg == "Extra data" and error.lineno > 1


def _questions_of_context(node: _Node) -> Iterator[Question]:
    context = node.checked_text(node.one_of(_CONTEXTS))
    if "qas" not in node.values and node.one_of(_QUESTIONS) in node.values:
        yield _question(node, context)
        return
    for each in node.nodes("qas"):
        yield _question(each, context)


def _question(node: _Node, context: str) -> Question:
    own_id = node.own_id(_IDS)
    if own_id is None:
        node.value("id")  # raises
    node.place = "question {}".format(own_id)
    question = node.checked_text(node.one_of(_QUESTIONS), may_be_empty=True)
    answers = tuple(_answers(node))
    if not answers and node.values.get("is_impossible") in (True, "true"):
        raise node.error(
            "has no answer in its context (is_impossible, as in SQuAD 2.0), which run_mrc.py does not learn: "
            "leave such questions out"
        )
    return Question(str(own_id), question, context, answers)


def _answers(node: _Node) -> Iterator[Answer]:
    """Yields the answers of any layout: texts, objects, or an object of lists."""
    found = node.values.get("answers", [])
    if isinstance(found, dict):
        lists = _Node(found, node.path, node.place)
        texts, starts = lists.texts("text"), lists.value("answer_start")
        if not isinstance(starts, list) or len(starts) != len(texts) or any(type(start) is not int for start in starts):
            raise node.error("has no list of {} whole numbers under 'answer_start'".format(len(texts)))
        yield from map(Answer, texts, starts)
    elif isinstance(found, list) and found and all(isinstance(text, str) for text in found):
        yield from (Answer(text, UNPLACED) for text in found)
    elif "answers" in node.values:
        for answer in node.nodes("answers"):
            yield Answer(answer.text("text"), answer.integer("answer_start"))


def read_question_splits(task: Task, data_dir: Optional[str], splits: Sequence[str]) -> Dict[str, List[Question]]:
    """Returns the questions of several splits by name (see `read_question_split`)."""
    questions = {split: read_question_split(task, data_dir, split) for split in splits}
    for split in questions:
        _log.info("%s (%s): %s.", split, split_path(task, data_dir, split), of_questions(questions[split]))
    return questions


def read_question_split(task: Task, data_dir: Optional[str], split: str) -> List[Question]:
    """Reads and checks all questions of a split, in file order, at least one.

    An answer that is not at the place that its file names, or has blanks around it, is moved to the nearest place where
    it is; one without a place to the first. The log says so. In a test split, answers that are not in their context are
    dropped (some files have placeholders).

    Raises:
      UserError: the file is missing or has no questions, two questions have the same id, or a question outside of the
        test split has no answer or one that is not in its context.
    """
    path = split_path(task, data_dir, split)
    questions: List[Question] = []
    moved: List[str] = []
    unplaced: List[str] = []
    dropped: List[str] = []
    known = set()
    for question in task.read_rows(path):
        if question.own_id in known:
            raise _error(path, question, "appears twice: give each question an id of its own")
        known.add(question.own_id)
        answers = [_placed(question, answer) for answer in question.answers]
        if split == SPLIT_WITHOUT_LABELS and None in answers:
            dropped.append(question.own_id)
            answers = []
        elif split != SPLIT_WITHOUT_LABELS:
            _check_answers(path, question, answers)
        if any(answer.start == UNPLACED for answer in question.answers):
            unplaced.extend([question.own_id] if answers else [])
        elif any(placed != answer for placed, answer in zip(answers, question.answers)):
            moved.append(question.own_id)
        questions.append(question._replace(answers=tuple(answers)))
    if not questions:
        raise UserError("{} has no questions: give a file with at least one".format(path))
    _say(path, moved, "an answer at another place than answer_start; the nearest place is used")
    _say(path, unplaced, "an answer without answer_start; the first place in the context is used")
    # CMRC 2018 has one such question.
    _say(path, [q.own_id for q in questions if is_blank(q.question)], "no text; it is kept")
    _say(path, dropped, "an answer that is not in the context; it is not scored")
    return questions


def _placed(question: Question, answer: Answer) -> Optional[Answer]:
    """Returns the answer with its place in the context; None where it is not there."""
    context, text = question.context, answer.text
    if is_blank(text):
        return None
    if answer.start >= 0 and context.startswith(text, answer.start):
        return answer
    places = [place for place in range(len(context)) if context.startswith(text, place)]
    if places:
        return Answer(text, min(places, key=lambda place: abs(place - answer.start)))
    inner = text.strip()
    if inner == text:
        return None
    return _placed(question, Answer(inner, answer.start + text.index(inner)))


def _check_answers(path: str, question: Question, placed: Sequence[Optional[Answer]]) -> None:
    if not placed:
        raise _error(path, question, "has no answer: only the {} split may have none".format(SPLIT_WITHOUT_LABELS))
    for answer, place in zip(question.answers, placed):
        if place is None:
            raise _error(path, question, "has the answer '{}', which is not in its context".format(answer.text))


def _error(path: str, question: Question, fault: str) -> UserError:
    place = "" if question.place is None else " ({})".format(question.place)
    return UserError("{} question {}{} {}".format(path, question.own_id, place, fault))


def _say(path: str, ids: Sequence[str], what: str) -> None:
    if ids:
        count = "1 question has" if len(ids) == 1 else "{:,} questions have".format(len(ids))
        _log.info("%s: %s %s, the first is %s.", path, count, what, ids[0])
