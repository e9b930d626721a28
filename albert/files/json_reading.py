"""JSON reader for descriptions: strict about size, depth, numbers, keys and types.

A description may come from anyone. Whatever is wrong with it, the error is one sentence with its path, and nothing of
it is believed that was not checked.
"""

from __future__ import annotations

import json
import os
import re
from typing import Any, Dict, List, Mapping, Sequence, Tuple, Union

from albert.base.errors import UserError, check_keys
from albert.files.plain_text import as_utf8

MOST_BYTES = 64 << 20  # of a description; that of dynamic records holds a vocabulary, 2 MB
_MOST_DEPTH = 32
_MOST_DIGITS = 40  # Python reads a number of a million digits for minutes
_LARGEST = (1 << 63) - 1
_NOT_IN_NAMES = re.compile(r"[/\\\x00-\x1f\x7f]")


class Description:
    """Object of a JSON file whose values are read by key and type.

    Every method raises `UserError` where the key is missing or its value is of another type.
    """

    def __init__(self, values: Mapping[str, Any], place: str = "") -> None:
        """Creates the object.

        Args:
          values: keys and values.
          place: where it stands in the whole, in front of its keys in messages ("shards[2].").
        """
        self.values: Dict[str, Any] = dict(values)
        self._place = place

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def check_keys(self, known: Sequence[str], required: Sequence[str] = ()) -> None:
        """Checks that only known keys are there, and all that are required."""
        check_keys(list(self.values), known, required)

    def value(self, key: str) -> Any:
        """Returns a value of any type."""
        if key not in self.values:
            raise UserError("the key '{}{}' is missing".format(self._place, key))
        return self.values[key]

    def text(self, key: str) -> str:
        """Returns a text that is not empty."""
        value = self.value(key)
        if not isinstance(value, str) or not value:
            raise self._wrong(key, "a text", value)
        return value

    def file_name(self, key: str) -> str:
        """Returns the name of a file, without any folder."""
        value = self.text(key)
        if not is_file_name(value):
            raise self._wrong(key, "a plain file name, without folders", value)
        return value

    def flag(self, key: str) -> bool:
        """Returns true or false."""
        value = self.value(key)
        if not isinstance(value, bool):
            raise self._wrong(key, "true or false", value)
        return value

    def count(self, key: str, least: int = 0, most: int = _LARGEST) -> int:
        """Returns a whole number between two others, both included."""
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            limits = "from {} on".format(least) if most == _LARGEST else "from {} to {}".format(least, most)
            raise self._wrong(key, "a whole number {}".format(limits), value)
        return value

    def texts(self, key: str) -> Tuple[str, ...]:
        """Returns a list of texts, none of them empty."""
        value = self.value(key)
        if not isinstance(value, list) or not all(isinstance(text, str) and text for text in value):
            raise self._wrong(key, "a list of texts", value)
        return tuple(value)

    def numbers(self, key: str, least: float, most: float) -> Tuple[float, ...]:
        """Returns a list of numbers between two others, both included."""
        value = self.value(key)
        are_numbers = isinstance(value, list) and all(
            isinstance(number, (int, float)) and not isinstance(number, bool) for number in value
        )
        if not are_numbers or not all(least <= number <= most for number in value):
            raise self._wrong(key, "a list of numbers from {:g} to {:g}".format(least, most), value)
        return tuple(map(float, value))

    def section(self, key: str) -> Description:
        """Returns an object in this object."""
        value = self.value(key)
        if not isinstance(value, dict):
            raise self._wrong(key, "an object", value)
        return Description(value, "{}{}.".format(self._place, key))

    def sections(self, key: str) -> List[Description]:
        """Returns a list of objects."""
        value = self.value(key)
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self._wrong(key, "a list of objects", value)
        return [Description(entry, "{}{}[{}].".format(self._place, key, n)) for n, entry in enumerate(value)]

    def _wrong(self, key: str, expected: str, value: Any) -> UserError:
        shown = json.dumps(value, ensure_ascii=False)
        shown = shown if len(shown) <= 60 else shown[:60] + "…"
        return UserError("'{}{}' must be {}, not {}".format(self._place, key, expected, shown))


def is_file_name(name: str) -> bool:
    """Whether a text is the name of a file, without any folder, and can be shown."""
    if name in ("", os.curdir, os.pardir) or _NOT_IN_NAMES.search(name) or re.match("[A-Za-z]:", name):
        return False
    return len(name.encode("utf-8", "replace")) <= 255


def read_description(path: str, kind: str) -> Description:
    """Reads a file that holds one JSON object, in UTF-8, or in an encoding that its byte order mark names.

    Args:
      path: the file.
      kind: what it should be, with its article, for messages.

    Raises:
      UserError: it cannot be read, or holds something else; names the file.
    """
    try:
        return parse_description(read_text(path))
    except OSError as error:
        raise UserError("cannot read {}, {}: {}".format(path, kind, error.strerror or error)) from error
    except UserError as error:
        raise UserError("{} is not {}: {}".format(path, kind, error)) from error


def read_text(path: str, most_bytes: int = MOST_BYTES) -> str:
    """Reads the text of a file of limited size (raises OSError, and `UserError` without the file's name)."""
    with open(path, "rb") as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise UserError("it has more than {:,} bytes".format(most_bytes))
    try:
        return as_utf8(content).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError("it is not UTF-8") from error


def parse_description(text: str) -> Description:
    """Parses one JSON object.

    Raises:
      UserError: as `parse`, or a key occurs twice, a number is NaN or infinite, or a text holds half a surrogate pair.
    """
    values = parse(text, is_description=True)
    if not isinstance(values, dict):
        raise UserError("it holds no JSON object")
    return Description(values)


def parse(text: Union[str, bytes], is_description: bool = False) -> Any:
    """Parses JSON: rows of data, or a description, which is checked more strictly.

    Raises:
      ValueError: it is no JSON.
      UserError: it has a number of very many digits, or too many levels; see `parse_description`.
    """
    hooks: Dict[str, Any] = {"object_pairs_hook": _object, "parse_constant": _no_number} if is_description else {}
    try:
        value = json.loads(text, parse_int=_whole_number, **hooks)
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        if is_description:
            raise UserError("it is not JSON ({})".format(error)) from error
        raise
    _check(value, is_description)
    return value


def _object(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    values: Dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise UserError("the key '{}' occurs twice".format(key))
        values[key] = value
    return values


def _whole_number(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise UserError("it holds a number of {:,} digits".format(len(digits)))
    return int(digits)


def _no_number(name: str) -> None:
    raise UserError("it holds {}, which is no number of JSON".format(name))


def _check(value: Any, is_description: bool) -> None:
    """Checks depth and texts, level by level: without recursion."""
    level: List[Any] = [value]
    for _ in range(_MOST_DEPTH):
        following: List[Any] = []
        for entry in level:
            if isinstance(entry, dict):
                following += entry.keys()
                following += entry.values()
            elif isinstance(entry, list):
                following += entry
            elif is_description and isinstance(entry, str) and not entry.isprintable():
                _check_text(entry)
        if not following:
            return
        level = following
    raise _too_deep()


def _check_text(text: str) -> None:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise UserError("it holds half a surrogate pair (\\u{:04x})".format(ord(text[error.start]))) from error


def _too_deep() -> UserError:
    return UserError("it has more than {} levels".format(_MOST_DEPTH))
