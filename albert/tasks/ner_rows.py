"""Sentences with entities: CLUENER's JSON lines, the splits of a task, and the types of its entities.

{"text": "浙商银行", "label": {"company": {"浙商银行": [[0, 3]]}}}       first and last character of each entity
"""

from __future__ import annotations

import functools
import logging
import re
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from albert.base.errors import UserError
from albert.tasks.entities import Entity, bio_tags, parse_tag
from albert.tasks.json_rows import ID_KEYS, LABEL_KEY, JsonObject, json_objects
from albert.tasks.rows import LINE, UNNUMBERED, text_fault
from albert.tasks.split_summary import of_sentences
from albert.tasks.splits import SPLIT_WITHOUT_LABELS, TRAIN, split_path
from albert.tasks.task import Task, label_list
from tokenization import BasicTokenizer

_log = logging.getLogger(__name__)

_ALIKE = re.compile("[0-9]+|[A-Za-z]+|[^0-9A-Za-z]+")
_BASIC = BasicTokenizer()


class Sentence(NamedTuple):
    """Sentence to tag.

    Attributes:
      row_id: its number among the sentences of its split, from 0.
      text: its characters; of a file with one token per line, all tokens joined.
      tokens: [start, end) of each token in the text, in order.
      entities: in characters of the text; None in a test file without tags.
      line: the number of its first line in the file, from 1, or of its record where the file is a list.
      own_id: its id in the file, or None.
      unit: what `line` counts, LINE or RECORD.
    """

    row_id: int
    text: str
    tokens: Tuple[Tuple[int, int], ...]
    entities: Optional[Tuple[Entity, ...]]
    line: int
    own_id: Union[int, str, None] = None
    unit: str = LINE


SentenceReader = Callable[[str], Iterator[Sentence]]


def json_spans(*types: str) -> SentenceReader:
    """Makes the reader of CLUENER's JSON lines for these entity types: path -> sentences."""
    return functools.partial(_read_json_spans, types=types)


def _read_json_spans(path: str, *, types: Sequence[str]) -> Iterator[Sentence]:
    for entry in json_objects(path):
        text = entry.text("text")
        fault = text_fault(text, "")
        if fault:
            raise entry.error(fault)
        has_label = entry.values.get(LABEL_KEY) not in (None, "")
        entities = tuple(_labelled(entry, text, types)) if has_label else None
        yield Sentence(UNNUMBERED, text, word_places(text), entities, entry.line, entry.own_id(ID_KEYS))


def _labelled(entry: JsonObject, text: str, types: Sequence[str]) -> Iterator[Entity]:
    labels = entry.object(LABEL_KEY)
    for kind in labels.values:
        if kind not in types:
            raise entry.error("has the unknown entity type '{}': known are {}".format(kind, ", ".join(types)))
        for name, places in labels.object(kind).values.items():
            for start, last in _places(entry, name, places):
                if text[start : last + 1] != name:
                    raise entry.error(
                        "says that '{}' is at characters {} to {}, but the text has '{}' there".format(
                            name, start, last, text[start : last + 1]
                        )
                    )
                yield Entity(start, last + 1, kind)


def _places(entry: JsonObject, name: str, places: Any) -> List[List[int]]:
    is_list = isinstance(places, list) and all(isinstance(place, list) and len(place) == 2 for place in places)
    if not is_list or not all(type(number) is int and number >= 0 for place in places for number in place):
        raise entry.error("gives no list of [first, last] characters for '{}'".format(name))
    return places


def word_places(text: str) -> Tuple[Tuple[int, int], ...]:
    """Returns [start, end) of the words of a text: Chinese characters, marks, and runs of letters or of digits."""
    return tuple(
        (start + match.start(), start + match.end())
        for start, end in _BASIC.word_spans(text)
        for match in _ALIKE.finditer(text[start:end])
    )


def read_sentence_splits(task: Task, data_dir: Optional[str], splits: Sequence[str]) -> Dict[str, List[Sentence]]:
    """Returns the sentences of several splits by name; warns of splits without entities, and of types that train lacks.

    Raises:
      UserError: see `read_sentence_split`.
    """
    sentences = {split: read_sentence_split(task, data_dir, split) for split in splits}
    for split in sentences:
        _log.info("%s (%s): %s.", split, split_path(task, data_dir, split), of_sentences(sentences[split]))
        _warn_of_no_entity(split_path(task, data_dir, split), split, sentences[split])
    trained = {entity.type for sentence in sentences.get(TRAIN, ()) for entity in sentence.entities or ()}
    for split in sentences if TRAIN in sentences else ():
        strange: Dict[str, Sentence] = {}
        for sentence in sentences[split]:
            for entity in sentence.entities or ():
                if entity.type not in trained:
                    strange.setdefault(entity.type, sentence)
        for kind, sentence in strange.items():
            _log.warning(
                "%s: the sentence in %s %d has an entity of the type '%s', of which %s has none to learn from.",
                split_path(task, data_dir, split),
                sentence.unit,
                sentence.line,
                kind,
                split_path(task, data_dir, TRAIN),
            )
    return sentences


def _warn_of_no_entity(path: str, split: str, sentences: Sequence[Sentence]) -> None:
    """Warns where the sentences of a split have tags, but none marks an entity."""
    if any(sentence.entities is None or sentence.entities for sentence in sentences):
        return
    effect = "there is nothing to learn" if split == TRAIN else "the F1 of every model is 0"
    count = "the only sentence" if len(sentences) == 1 else "none of {:,} sentences".format(len(sentences))
    _log.warning("%s: %s has %sentity: %s.", path, count, "no " if len(sentences) == 1 else "an ", effect)


def read_sentence_split(task: Task, data_dir: Optional[str], split: str) -> List[Sentence]:
    """Reads and checks all sentences of a split, in file order, at least one.

    Args:
      task: of `ner.NER_TASKS`.
      data_dir: the folder that holds its files.
      split: "train", "dev" or "test"; only in the last may sentences have no tags, all of them or none.

    Raises:
      UserError: the file is missing or has no sentences, or a line of it has a fault.
    """
    path = split_path(task, data_dir, split)
    check = _Check(task, split, path)
    sentences: List[Sentence] = []
    for sentence in task.read_rows(path):
        check.check(sentence)
        sentences.append(sentence._replace(row_id=len(sentences)))
    if not sentences:
        raise UserError(
            "{} has no sentences: give a file with at least one sentence of the task {}".format(path, task.name)
        )
    check.log_findings()
    return sentences


class _Check:
    """Check of the sentences of one file, in their order."""

    def __init__(self, task: Task, split: str, path: str) -> None:
        self._task = task
        self._needs_tags = split != SPLIT_WITHOUT_LABELS
        self._path = path
        self._types = types_of(task)
        self._first: Optional[Sentence] = None
        self._known_ids: Dict[str, Sentence] = {}
        self._repeated: List[Sentence] = []

    def check(self, sentence: Sentence) -> None:
        """Raises `UserError` where a sentence has a fault."""
        first = self._first = self._first or sentence
        if sentence.entities is None and self._needs_tags:
            raise self._error(sentence, "has no tags: only the {} split may have none".format(SPLIT_WITHOUT_LABELS))
        if (sentence.entities is None) != (first.entities is None):
            tagged, other = (first, sentence) if sentence.entities is None else (sentence, first)
            raise self._error(
                tagged,
                "has tags, but {} {} has none: give all sentences tags or none".format(other.unit, other.line),
            )
        for entity in sentence.entities or ():
            if self._types and entity.type not in self._types:
                raise self._error(
                    sentence,
                    "has the unknown entity type '{}' ('{}'): the types of the task {} are {}".format(
                        entity.type, sentence.text[entity.start : entity.end], self._task.name, label_list(self._types)
                    ),
                )
        self._check_id(sentence)

    def _check_id(self, sentence: Sentence) -> None:
        if sentence.own_id is None:
            return
        before = self._known_ids.setdefault(str(sentence.own_id), sentence)
        if before is sentence:
            return
        if not self._needs_tags:
            raise self._error(
                sentence,
                "has the id {}, as has {} {}: give each its own".format(sentence.own_id, before.unit, before.line),
            )
        self._repeated.append(sentence)

    def _error(self, sentence: Sentence, fault: str) -> UserError:
        return UserError("{} {} {} {}".format(self._path, sentence.unit, sentence.line, fault))

    def log_findings(self) -> None:
        """Logs repeated ids."""
        if self._repeated:
            _log.info(
                "%s: the ids of %s sentences are those of earlier ones, the first in %s %d; all are kept.",
                self._path,
                format(len(self._repeated), ","),
                self._repeated[0].unit,
                self._repeated[0].line,
            )


def types_of(task: Task) -> Tuple[str, ...]:
    """Returns the entity types of a tagging task in the order of their tags; none where it does not know them yet."""
    tags = [parse_tag(label) for label in task.labels]
    return tuple(dict.fromkeys(tag.type for tag in tags if tag is not None and tag.type))


def with_types(task: Task, data_dir: Optional[str]) -> Task:
    """Returns the task with the tags of its entity types; if it declares none, those of its train split, by name.

    Raises:
      UserError: the train split has no entity; see also `read_sentence_split`.
    """
    if task.labels:
        return task
    sentences = read_sentence_split(task, data_dir, TRAIN)
    types = {entity.type for sentence in sentences for entity in sentence.entities or ()}
    if not types:
        raise UserError("{} has no entity to learn from".format(split_path(task, data_dir, TRAIN)))
    return task._replace(labels=bio_tags(sorted(types)))
