"""Readers of sentences with entities: files with a token and its tag per line, and CLUENER's JSON lines; their splits.

科 O                      a token and its tag, separated by a blank or a tab; a blank line ends the sentence.
技 O                      Tags are BIO, BIOES or BMES; one that continues an entity that never began (I-PER after O)
                          begins it, and is counted. A test file may have tokens alone.

{"text": "浙商银行", "label": {"company": {"浙商银行": [[0, 3]]}}}       first and last character of each entity
"""

from __future__ import annotations

import functools
import logging
import re
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from albert.base.errors import UserError
from albert.files.plain_text import is_blank
from albert.files.reading import decoded_lines
from albert.tasks.entities import PREFIXES, Entity, Tag, entities_of_tags, parse_tag
from albert.tasks.json_rows import ID_KEYS, LABEL_KEY, JsonObject, json_objects
from albert.tasks.rows import UNNUMBERED, text_fault
from albert.tasks.splits import SPLIT_WITHOUT_LABELS, TRAIN, split_path
from albert.tasks.task import Task
from tokenization import BasicTokenizer

_log = logging.getLogger(__name__)

_ALIKE = re.compile("[0-9]+|[A-Za-z]+|[^0-9A-Za-z]+")
_DIGITS = frozenset("0123456789")
_BASIC = BasicTokenizer()


class Sentence(NamedTuple):
    """Sentence to tag.

    Attributes:
      row_id: its number among the sentences of its split, from 0.
      text: its characters; of a file with one token per line, all tokens joined.
      tokens: [start, end) of each token in the text, in order.
      entities: in characters of the text; None in a test file without tags.
      line: the number of its first line in the file, from 1.
      own_id: its id in the file, or None.
    """

    row_id: int
    text: str
    tokens: Tuple[Tuple[int, int], ...]
    entities: Optional[Tuple[Entity, ...]]
    line: int
    own_id: Union[int, str, None] = None


SentenceReader = Callable[[str], Iterator[Sentence]]


class _TokenLine(NamedTuple):
    """Line of a file of tokens."""

    line: int
    token: str
    tag: Optional[str]


def tagged_lines(*types: str, drops_word_places: bool = False) -> SentenceReader:
    """Makes the reader of a file with a token and its tag per line.

    Args:
      *types: the entity types of the task.
      drops_word_places: where a token is a character and a digit, its place in a word (科0 技1, as in
        weiboNER_2nd_conll), the digit is left out, token by token.

    Returns:
      path -> sentences.
    """
    return functools.partial(_read_tagged_lines, types=types, drops_word_places=drops_word_places)


def _read_tagged_lines(path: str, *, types: Sequence[str], drops_word_places: bool) -> Iterator[Sentence]:
    sentences = list(_token_lines(path))
    if drops_word_places:
        sentences = _without_word_places(path, sentences)
    repaired: List[_TokenLine] = []
    for lines in sentences:
        yield _sentence(path, lines, types, repaired)
    if repaired:
        _log.info(
            "%s: %s tag%s an entity that never began, the first in line %d (%s): each begins one.",
            path,
            format(len(repaired), ","),
            " continues" if len(repaired) == 1 else "s continue",
            repaired[0].line,
            repaired[0].tag,
        )


def _without_word_places(path: str, sentences: List[List[_TokenLine]]) -> List[List[_TokenLine]]:
    """Leaves out the digits that are places in words, and says of how many tokens."""
    tokens = [line.token for lines in sentences for line in lines]
    if tokens and all(map(_may_have_place, tokens)):
        _log.info("%s: each token ends with its place in a word, which is left out.", path)
        return [[line._replace(token=line.token[:-1]) for line in lines] for lines in sentences]
    shorter = [_sentence_without_places(lines) for lines in sentences]
    before, after = (sum(len(line.token) for lines in each for line in lines) for each in (sentences, shorter))
    if after < before:
        _log.warning(
            "%s: %s of %s tokens end with their place in a word, which is left out; the others are kept as they are.",
            path,
            format(before - after, ","),
            format(len(tokens), ","),
        )
    return shorter


def _sentence_without_places(lines: List[_TokenLine]) -> List[_TokenLine]:
    """Leaves out places where other tokens of the file have none: in a whole sentence, else only after a character.

    "20" may be a number, or the character 2 at the first place of a word: the sentence around it tells which.
    """
    surely = [_has_place(line.token) for line in lines]
    if any(surely) and all(_may_have_place(line.token) for line in lines):
        surely = [True] * len(lines)
    return [line._replace(token=line.token[:-1]) if is_place else line for line, is_place in zip(lines, surely)]


def _may_have_place(token: str) -> bool:
    return len(token) > 1 and token[-1] in _DIGITS


def _has_place(token: str) -> bool:
    """Whether a token is a character beyond ASCII and a digit; no word is written like that."""
    return len(token) == 2 and token[0] > "\x7f" and token[1] in _DIGITS


def _token_lines(path: str) -> Iterator[List[_TokenLine]]:
    """Yields the lines of each sentence; all lines of a file have a tag, or none has."""
    sentence: List[_TokenLine] = []
    first: Optional[_TokenLine] = None
    for number, text in decoded_lines(path):
        if not is_blank(text):
            found = _token_line(path, number, text)
            first = first or found
            if (found.tag is None) != (first.tag is None):
                without, other = (found, first) if found.tag is None else (first, found)
                raise UserError(
                    "{} line {} has no tag, but line {} has one: give every line `token tag`".format(
                        path, without.line, other.line
                    )
                )
            sentence.append(found)
        elif sentence:
            yield sentence
            sentence = []
    if sentence:
        yield sentence


def _token_line(path: str, number: int, text: str) -> _TokenLine:
    cells = text.rstrip(" \t").split("\t" if "\t" in text else " ")
    if len(cells) > 2:
        raise UserError("{} line {} has {} columns, expected 2: a token and its tag".format(path, number, len(cells)))
    if not cells[0]:
        raise UserError("{} line {} has no token before its tag '{}'".format(path, number, cells[-1]))
    return _TokenLine(number, cells[0], cells[1] if len(cells) == 2 else None)


def _sentence(path: str, lines: Sequence[_TokenLine], types: Sequence[str], repaired: List[_TokenLine]) -> Sentence:
    text, tokens = _joined([line.token for line in lines])
    entities = None
    if lines[0].tag is not None:
        reading = entities_of_tags([_tag(path, line, types) for line in lines])
        repaired += [lines[place] for place in reading.repaired]
        entities = tuple(Entity(tokens[e.start][0], tokens[e.end - 1][1], e.type) for e in reading.entities)
    return Sentence(UNNUMBERED, text, tokens, entities, lines[0].line)


def _tag(path: str, line: _TokenLine, types: Sequence[str]) -> Tag:
    tag = parse_tag(line.tag or "")
    if tag is None or (tag.type and tag.type not in types):
        raise UserError(
            "{} line {} has the unknown tag '{}': known are O and {} before {}".format(
                path, line.line, line.tag, ", ".join(prefix + "-" for prefix in PREFIXES), ", ".join(types)
            )
        )
    return tag


def _joined(tokens: Sequence[str]) -> Tuple[str, Tuple[Tuple[int, int], ...]]:
    """Returns the text of tokens and their places in it; a blank separates only words of Latin letters and digits."""
    text = ""
    places = []
    for number, token in enumerate(tokens):
        before = tokens[number - 1] if number else ""
        if len(before) + len(token) > 2 and _is_latin(before[-1:]) and _is_latin(token[0]):
            text += " "
        places.append((len(text), len(text) + len(token)))
        text += token
    return text, tuple(places)


def _is_latin(char: str) -> bool:
    return char.isalnum() and char < "\x7f"


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
        _warn_of_no_entity(split_path(task, data_dir, split), split, sentences[split])
    trained = {entity.type for sentence in sentences.get(TRAIN, ()) for entity in sentence.entities or ()}
    for split in sentences if TRAIN in sentences else ():
        strange: Dict[str, int] = {}
        for sentence in sentences[split]:
            for entity in sentence.entities or ():
                if entity.type not in trained:
                    strange.setdefault(entity.type, sentence.line)
        for kind, line in strange.items():
            _log.warning(
                "%s: the sentence in line %d has an entity of the type '%s', of which %s has none to learn from.",
                split_path(task, data_dir, split),
                line,
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
    sentences: List[Sentence] = []
    for sentence in task.read_rows(path):
        is_tagged = sentence.entities is not None
        if not is_tagged and split != SPLIT_WITHOUT_LABELS:
            raise UserError(
                "{} line {} has no tags: only the {} split may have none".format(
                    path, sentence.line, SPLIT_WITHOUT_LABELS
                )
            )
        if sentences and is_tagged != (sentences[0].entities is not None):
            lines = (
                (sentence.line, sentences[0].line)
                if sentences[0].entities is None
                else (sentences[0].line, sentence.line)
            )
            raise UserError(
                "{} line {} has tags, but line {} has none: give all sentences tags or none".format(path, *lines)
            )
        sentences.append(sentence._replace(row_id=len(sentences)))
    if not sentences:
        raise UserError(
            "{} has no sentences: give a file with at least one sentence of the task {}".format(path, task.name)
        )
    return sentences
