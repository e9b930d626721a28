"""Tagged lines: files with a token and its tag per line, as CoNLL and corpora of Chinese write them.

科 O                      a token and its tag, separated by a blank or a tab; a blank line ends the sentence.
技 O                      Tags are BIO, BIOES, BMES or BILOU; one that continues an entity that never began (I-PER
                          after O) begins it, and is counted. A test file may have tokens alone.
"""

from __future__ import annotations

import functools
import logging
import re
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.files.plain_text import is_blank
from albert.files.reading import decoded_lines
from albert.tasks.columns import Column
from albert.tasks.entities import PREFIXES, Entity, Tag, entities_of_tags, parse_tag
from albert.tasks.ner_rows import Sentence, SentenceReader
from albert.tasks.rows import UNNUMBERED

_log = logging.getLogger(__name__)

_DOCUMENT = "-DOCSTART-"  # between documents, as in CoNLL 2003
_DIGITS = frozenset("0123456789")


class LineForm(NamedTuple):
    """Form of tagged lines.

    Attributes:
      types: the entity types that are known; None for any.
      token, tag: the columns, by number from 1, or by name where there is a header; the tag is in the last by default.
      has_header: whether the first line names the columns.
      is_pair: whether a line is a token and a tag, and never has more columns.
      drops_word_places: where a token is a character and a digit, its place in a word (科0 技1, as in
        weiboNER_2nd_conll), the digit is left out, token by token; where no types are known,
        only if all tokens have one.
    """

    types: Optional[Tuple[str, ...]] = None
    token: Column = 1
    tag: Optional[Column] = None
    has_header: bool = False
    is_pair: bool = False
    drops_word_places: bool = False


class _TokenLine(NamedTuple):
    """Line of a file of tokens."""

    line: int
    token: str
    tag: Optional[str]


def tagged_lines(*types: str, drops_word_places: bool = False) -> SentenceReader:
    """Makes the reader of a file with a token and its tag per line, for these entity types: path -> sentences."""
    return line_reader(LineForm(types, is_pair=True, drops_word_places=drops_word_places))


def line_reader(form: LineForm) -> SentenceReader:
    """Makes the reader of files with tagged lines of a form: path -> sentences."""
    return functools.partial(_read_tagged_lines, form=form)


def _read_tagged_lines(path: str, *, form: LineForm) -> Iterator[Sentence]:
    sentences = list(_token_lines(path, form))
    if form.drops_word_places or (form.types is None and _have_places(sentences)):
        sentences = _without_word_places(path, sentences)
    repaired: List[_TokenLine] = []
    for lines in sentences:
        yield _sentence(path, lines, form.types, repaired)
    if repaired:
        _log.info(
            "%s: %s tag%s an entity that never began, the first in line %d (%s): each begins one.",
            path,
            format(len(repaired), ","),
            " continues" if len(repaired) == 1 else "s continue",
            repaired[0].line,
            repaired[0].tag,
        )


def _have_places(sentences: List[List[_TokenLine]]) -> bool:
    """Whether all tokens end with a digit, among them characters beyond ASCII, so that it is no part of them."""
    tokens = [line.token for lines in sentences for line in lines]
    return all(map(_may_have_place, tokens)) and any(map(_has_place, tokens))


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


def _token_lines(path: str, form: LineForm) -> Iterator[List[_TokenLine]]:
    """Yields the lines of each sentence; all lines of a file have a tag, or none has."""
    sentence: List[_TokenLine] = []
    split = _Splitter(path, form)
    for number, text in decoded_lines(path):
        if is_blank(text) or text.startswith(_DOCUMENT):
            if sentence:
                yield sentence
            sentence = []
        else:
            found = split.line(number, text)
            sentence += [] if found is None else [found]
    if sentence:
        yield sentence


class _Splitter:
    """Splitter of the lines of a file, which all have the columns of its first one."""

    def __init__(self, path: str, form: LineForm) -> None:
        self._path = path
        self._form = form
        self._names: List[str] = []  # of the columns
        self._first: Optional[_TokenLine] = None
        self._width = 0

    def line(self, number: int, text: str) -> Optional[_TokenLine]:
        """Returns the token of a line; None for the header.

        Raises:
          UserError: it has other columns than the lines before, or lacks its token or tag.
        """
        cells = _cells(text)
        if self._form.has_header and not self._names:
            self._names = [cell.strip() for cell in cells]
            return None
        if self._form.is_pair and len(cells) > 2:
            raise self._error(number, "has {} columns, expected 2: a token and its tag".format(len(cells)))
        found = self._token_line(number, cells)
        self._check(found, len(cells))
        return found

    def _token_line(self, number: int, cells: Sequence[str]) -> _TokenLine:
        token = cells[self._place(number, self._form.token, len(cells))]
        if not token:
            raise self._error(number, "has no token before its tag '{}'".format(cells[-1]))
        if len(cells) == 1:
            return _TokenLine(number, token, None)
        tag = len(cells) - 1 if self._form.tag is None else self._place(number, self._form.tag, len(cells))
        return _TokenLine(number, token, cells[tag].strip())

    def _place(self, number: int, column: Column, width: int) -> int:
        if isinstance(column, str):
            if column not in self._names:
                raise self._error(1, "has no column '{}' (it has {})".format(column, ", ".join(self._names)))
            column = 1 + self._names.index(column)
        if column > width:
            raise self._error(number, "has {} columns, and none with the number {}".format(width, column))
        return column - 1

    def _check(self, found: _TokenLine, width: int) -> None:
        first = self._first or found
        if (found.tag is None) != (first.tag is None):
            without, other = (found, first) if found.tag is None else (first, found)
            raise self._error(
                without.line, "has no tag, but line {} has one: give every line `token tag`".format(other.line)
            )
        if self._first is not None and width != self._width:
            raise self._error(found.line, "has {} columns, but line {} has {}".format(width, first.line, self._width))
        self._first, self._width = first, width

    def _error(self, number: int, fault: str) -> UserError:
        return UserError("{} line {} {}".format(self._path, number, fault))


def _cells(text: str) -> List[str]:
    text = text.rstrip(" \t")
    return text.split("\t") if "\t" in text else re.sub(" +", " ", text).split(" ")


def _sentence(
    path: str, lines: Sequence[_TokenLine], types: Optional[Sequence[str]], repaired: List[_TokenLine]
) -> Sentence:
    text, tokens = _joined([line.token for line in lines])
    entities = None
    if lines[0].tag is not None:
        reading = entities_of_tags([_tag(path, line, types) for line in lines])
        repaired += [lines[place] for place in reading.repaired]
        entities = tuple(Entity(tokens[e.start][0], tokens[e.end - 1][1], e.type) for e in reading.entities)
    return Sentence(UNNUMBERED, text, tokens, entities, lines[0].line)


def _tag(path: str, line: _TokenLine, types: Optional[Sequence[str]]) -> Tag:
    tag = parse_tag(line.tag or "")
    if tag is None or (tag.type and types is not None and tag.type not in types):
        raise UserError(
            "{} line {} has the unknown tag '{}': known are O and {} before {}".format(
                path,
                line.line,
                line.tag,
                ", ".join(prefix + "-" for prefix in PREFIXES),
                "a type" if types is None else ", ".join(types),
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
