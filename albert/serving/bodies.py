"""Request bodies: strict reader of JSON rows, whose time and memory follow the bytes and the rows that are allowed.

A general JSON reader makes objects of all that a body holds before anyone counts its rows: from 4 MB of `[1,1,1,…]` a
million. This one reads what the service understands, a row or a list of rows, each an object of texts; it stops at the
first fault and at the first row too many.
"""

from __future__ import annotations

import json
import re
from typing import Dict, List, NamedTuple, Optional, Tuple, Union

from starlette.exceptions import HTTPException

from albert.base.sentences import Sentence
from albert.text.arrays import has_lone_surrogate

Row = Dict[str, Optional[str]]

_string_at = json.JSONDecoder().raw_decode
_SPACES = " \t\n\r"
_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN_NAME = re.compile(r'[ \t\n\r]*"([a-z_]{1,40})"[ \t\n\r]*:')
_NESTED = re.compile(r"(?:[\[{][ \t\n\r]*){20}")  # deeper than any reader of JSON has to follow
_BEGIN_OF_VALUE = frozenset('"[{-0123456789tfn')
_NULL = "null"
_COUNTED = 2  # times the allowed rows: longer lists are not counted to their end


class RowFields(NamedTuple):
    """Fields of a row.

    Attributes:
      required: names that every row has; their values are texts.
      optional: names that a row may have; their values are texts or null.
    """

    required: Tuple[str, ...]
    optional: Tuple[str, ...] = ()


class BodyReader:
    """Reader of the bodies of one route."""

    def __init__(self, fields: RowFields, max_rows: Optional[int]) -> None:
        """Creates the reader.

        Args:
          fields: of a row.
          max_rows: rows of a list; None where the body is one row.
        """
        self._fields = fields
        self._max_rows = max_rows

    def read(self, content: Union[bytes, bytearray]) -> Union[Row, List[Row]]:
        """Reads a row, or a list of rows.

        Raises:
          HTTPException: 400 for a body that is not JSON in UTF-8, 413 for too many rows, 422 for a row that does not
            fit; one sentence about the first fault.
        """
        if not content:
            raise HTTPException(400, "the body is empty: send JSON as shown in /docs")
        try:
            text = str(content, "utf-8-sig")
        except UnicodeDecodeError as error:
            raise HTTPException(
                400, Sentence("the body is not JSON in UTF-8: see its byte {:,}", error.start)
            ) from None
        scanner = _Scanner(text)
        is_list = self._max_rows is not None and scanner.take("[")
        found: Union[Row, List[Row]] = self._list(scanner) if is_list else self._row(scanner, None)
        scanner.expect_end()
        return found

    def _list(self, scanner: _Scanner) -> List[Row]:
        rows: List[Row] = []
        if scanner.take("]"):
            return rows
        assert self._max_rows is not None
        while len(rows) < self._max_rows:
            rows.append(self._row(scanner, len(rows) + 1))
            if not scanner.take_comma("]"):
                return rows
        raise HTTPException(
            413,
            Sentence(
                "the list has {} rows, at most {:,} are answered at a time: send it in parts",
                self._count(scanner),
                self._max_rows,
            ),
        )

    def _count(self, scanner: _Scanner) -> str:
        """The number of rows of a list that is too long, as far as it is worth counting."""
        assert self._max_rows is not None
        try:
            for number in range(self._max_rows + 1, _COUNTED * self._max_rows + 1):
                self._row(scanner, number)
                if not scanner.take_comma("]"):
                    return "{:,}".format(number)
        except HTTPException:
            return Sentence("over {:,}", self._max_rows)
        return Sentence("over {:,}", _COUNTED * self._max_rows)

    def _row(self, scanner: _Scanner, number: Optional[int]) -> Row:
        if not scanner.take("{"):
            scanner.check_value()
            raise HTTPException(422, Sentence("{} is not a JSON object as shown in /docs", _place(number)))
        row: Row = {}
        is_open = not scanner.take("}")
        while is_open:
            name = scanner.name()
            row[name] = self._value(scanner, name, row, number)
            is_open = scanner.take_comma("}")
        for name in self._fields.required:
            if name not in row:
                raise HTTPException(422, Sentence("{} is missing", _field(name, number)))
        return row

    def _value(self, scanner: _Scanner, name: str, row: Row, number: Optional[int]) -> Optional[str]:
        is_optional = name in self._fields.optional
        if not is_optional and name not in self._fields.required:
            if has_lone_surrogate(name):
                message = "{} holds half of a surrogate pair, which is not a character"
                raise HTTPException(422, Sentence(message, _place(number)))
            raise HTTPException(422, Sentence("{} is unknown: /docs lists the known names", _field(name, number)))
        if name in row:
            raise HTTPException(422, Sentence("{} appears twice", _field(name, number)))
        if scanner.next() == '"':
            return scanner.string()
        if is_optional and scanner.take(_NULL):
            return None
        scanner.check_value()
        raise HTTPException(422, Sentence("{} must be a text", _field(name, number)))


class _Scanner:
    """Place in a JSON text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def next(self) -> str:
        """The next character that is no space; empty at the end."""
        char = self._text[self._place : self._place + 1]
        if not char or char not in _SPACES:
            return char
        found = _SPACE.match(self._text, self._place)
        assert found is not None
        self._place = found.end()
        return self._text[self._place : self._place + 1]

    def take(self, token: str) -> bool:
        """Reads a token if it comes next, and returns whether it did."""
        if self.next() != token[0] or not self._text.startswith(token, self._place):
            return False
        self._place += len(token)
        return True

    def take_comma(self, end: str) -> bool:
        """Reads a comma or the end of a list or object; returns whether it was a comma."""
        if self.take(","):
            return True
        if not self.take(end):
            self._fail(Sentence("',' or '{}' is expected", end))
        return False

    def name(self) -> str:
        """Reads the name of a value and the colon after it."""
        found = _PLAIN_NAME.match(self._text, self._place)
        if found:
            self._place = found.end()
            return found.group(1)
        if self.next() != '"':
            self._fail(Sentence("a name in double quotes is expected"))
        name = self.string()
        if not self.take(":"):
            self._fail(Sentence("':' is expected"))
        return name

    def string(self) -> str:
        """Reads a string."""
        try:
            value, self._place = _string_at(self._text, self._place)
        except json.JSONDecodeError as error:
            self._place = error.pos
            self._fail(Sentence("a string that ends and has no control characters and no unknown escapes is expected"))
        return str(value)

    def check_value(self) -> None:
        """Raises `HTTPException` where no value begins, or one that is nested too deep to be read."""
        if self.next() not in _BEGIN_OF_VALUE:
            self._fail(Sentence("a value is expected"))
        if _NESTED.match(self._text, self._place):
            raise HTTPException(400, "the body is not JSON that can be read: it is nested too deep")

    def expect_end(self) -> None:
        """Raises `HTTPException` where anything but space follows."""
        if self.next():
            self._fail(Sentence("nothing more is expected"))

    def _fail(self, reason: str) -> None:
        raise HTTPException(400, Sentence("the body is not JSON: at character {:,} {}", self._place + 1, reason))


def _place(number: Optional[int]) -> str:
    return Sentence("row {}", number) if number else "the body"


def _field(name: str, number: Optional[int]) -> str:
    """Name of a field, and of its row, for a message."""
    shown = name[:40]
    if not shown.isprintable():
        shown = shown.encode("unicode_escape").decode("ascii")
    return Sentence("{} of row {}", shown, number) if number else shown
