"""Reader of questions on contexts: SQuAD-style JSON, in which CMRC 2018 and DRCD are published.

    {"data": [{"paragraphs": [{"context": "…", "qas": [{"id": "…", "question": "…",
                                                         "answers": [{"text": "…", "answer_start": 0}]}]}]}]}

Other keys are ignored. Only a question of a test file may have no answers.
"""

from __future__ import annotations

import json
import logging
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.tasks.json_rows import JsonObject
from albert.tasks.rows import text_fault
from albert.tasks.splits import SPLIT_WITHOUT_LABELS, split_path
from albert.tasks.task import Task

_log = logging.getLogger(__name__)

_QUESTION_LINE = 0  # a file is one JSON object: its parts are named by their place or id, not by a line


class Answer(NamedTuple):
    """Answer as its file has it."""

    text: str
    start: int


class Question(NamedTuple):
    """Question and the context that contains its answer.

    Attributes:
      own_id: its id in the file.
      question, context: the texts.
      answers: the right ones, in characters of the context; empty in a test file without answers.
    """

    own_id: str
    question: str
    context: str
    answers: Tuple[Answer, ...]


class _Node(JsonObject):
    """Object of the file, named by its place or by the question's id."""

    def __init__(self, values: Dict[str, Any], path: str, place: str) -> None:
        super().__init__(values, path, _QUESTION_LINE)
        self.place = place

    def error(self, fault: str) -> UserError:
        """Returns the error that says what is wrong with this object."""
        return UserError("{} {} {}".format(self.path, self.place, fault))

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
        fault = None if may_be_empty and not text.strip() else text_fault(text, key + " ")
        if fault:
            raise self.error(fault)
        return text


def read_questions(path: str) -> Iterator[Question]:
    """Yields the questions of a file in order.

    Raises:
      UserError: the file cannot be read or is not such JSON.
    """
    for article in _root(path).nodes("data"):
        for paragraph in article.nodes("paragraphs"):
            context = paragraph.checked_text("context")
            for node in paragraph.nodes("qas"):
                yield _question(node, context)


def _root(path: str) -> _Node:
    try:
        with open(path, encoding="utf-8-sig") as file:
            values = json.load(file)
    except OSError as error:
        raise UserError("cannot read {}: {}".format(path, error.strerror)) from error
    except UnicodeDecodeError as error:
        raise UserError("{} is not UTF-8: save it as UTF-8".format(path)) from error
    except ValueError as error:
        raise UserError("{} is not JSON ({}): is it cut off?".format(path, error)) from error
    if not isinstance(values, dict):
        raise UserError("{} is not a JSON object with the key 'data'".format(path))
    return _Node(values, path, "at its top")


def _question(node: _Node, context: str) -> Question:
    own_id = node.own_id(("id",))
    if own_id is None:
        node.value("id")  # raises
    node.place = "question {}".format(own_id)
    answers = list(node.nodes("answers")) if "answers" in node.values else []
    found = tuple(Answer(answer.text("text"), answer.integer("answer_start")) for answer in answers)
    return Question(str(own_id), node.checked_text("question", may_be_empty=True), context, found)


def read_question_splits(task: Task, data_dir: Optional[str], splits: Sequence[str]) -> Dict[str, List[Question]]:
    """Returns the questions of several splits by name (see `read_question_split`)."""
    return {split: read_question_split(task, data_dir, split) for split in splits}


def read_question_split(task: Task, data_dir: Optional[str], split: str) -> List[Question]:
    """Reads and checks all questions of a split, in file order, at least one.

    An answer that is not at the place that its file names is moved to the nearest place where it is, and the log says
    so. In a test split, answers that are not in their context are dropped (some files have placeholders).

    Raises:
      UserError: the file is missing or has no questions, two questions have the same id, or a question outside of the
        test split has no answer or one that is not in its context.
    """
    path = split_path(task, data_dir, split)
    questions: List[Question] = []
    moved: List[str] = []
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
        if any(placed != answer for placed, answer in zip(answers, question.answers)):
            moved.append(question.own_id)
        questions.append(question._replace(answers=tuple(answers)))
    if not questions:
        raise UserError("{} has no questions: give a file with at least one".format(path))
    _say(path, moved, "an answer at another place than answer_start; the nearest place is used")
    # CMRC 2018 has one such question.
    _say(path, [q.own_id for q in questions if not q.question.strip()], "no text; it is kept")
    _say(path, dropped, "an answer that is not in the context; it is not scored")
    return questions


def _placed(question: Question, answer: Answer) -> Optional[Answer]:
    """Returns the answer with its place in the context; None where it is not there."""
    context, text = question.context, answer.text
    if not text.strip():
        return None
    if answer.start >= 0 and context.startswith(text, answer.start):
        return answer
    places = [place for place in range(len(context)) if context.startswith(text, place)]
    return Answer(text, min(places, key=lambda place: abs(place - answer.start))) if places else None


def _check_answers(path: str, question: Question, placed: Sequence[Optional[Answer]]) -> None:
    if not placed:
        raise _error(path, question, "has no answer: only the {} split may have none".format(SPLIT_WITHOUT_LABELS))
    for answer, place in zip(question.answers, placed):
        if place is None:
            raise _error(path, question, "has the answer '{}', which is not in its context".format(answer.text))


def _error(path: str, question: Question, fault: str) -> UserError:
    return UserError("{} question {} {}".format(path, question.own_id, fault))


def _say(path: str, ids: Sequence[str], what: str) -> None:
    if ids:
        count = "1 question has" if len(ids) == 1 else "{:,} questions have".format(len(ids))
        _log.info("%s: %s %s, the first is %s.", path, count, what, ids[0])
