"""Rows of JSON-lines files: one object per line, its keys are the columns."""

from __future__ import annotations

import difflib
import functools
import json
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple, Union

from albert.base.errors import UserError
from albert.files.json_reading import parse
from albert.files.reading import text_lines
from albert.tasks.rows import LINE, UNNUMBERED, LeftOut, Row, RowReader, Texts

LABEL_KEY = "label"
ID_KEYS = ("id", "idx")
_MOST_SHOWN = 40  # characters of a wrong value


class JsonObject:
    """Object of a line of JSON, or of a list; an error about a missing or wrong value names file and line or record.

    Attributes:
      values: by their keys.
      path: the file.
      line: the number of the line or of the record, from 1.
      unit: "line", or "record" where objects are those of a list.
    """

    def __init__(self, values: Dict[str, Any], path: str, line: int, unit: str = LINE) -> None:
        self.values = values
        self.path = path
        self.line = line
        self.unit = unit

    def error(self, fault: str) -> UserError:
        """Returns the error that says what is wrong with this line or record."""
        return UserError("{} {} {} {}".format(self.path, self.unit, self.line, fault))

    def value(self, key: str) -> Any:
        """Returns the value of a key that must be there."""
        if key not in self.values:
            known = list(self.values)
            near = difflib.get_close_matches(key, known, n=1)
            hint = "; did you mean '{}'?".format(near[0]) if near else ""
            raise self.error("has no key '{}' (its keys: {}){}".format(key, ", ".join(known) or "none", hint))
        return self.values[key]

    def text(self, key: str) -> str:
        """Returns the text of a key."""
        value = self.value(key)
        if not isinstance(value, str):
            raise self.error("has no text under '{}' but {}".format(key, shown(value)))
        return value

    def texts(self, key: str) -> List[str]:
        """Returns the list of texts of a key."""
        value = self.value(key)
        if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
            raise self.error("has no list of texts under '{}' but {}".format(key, shown(value)))
        return value

    def integer(self, key: str) -> int:
        """Returns the whole number of a key."""
        value = self.value(key)
        if isinstance(value, bool) or not isinstance(value, int):
            raise self.error("has no whole number under '{}' but {}".format(key, shown(value)))
        return value

    def object(self, key: str) -> "JsonObject":
        """Returns the object of a key."""
        value = self.value(key)
        if not isinstance(value, dict):
            raise self.error("has no object under '{}' but {}".format(key, shown(value)))
        return self.part(value)

    def objects(self, key: str) -> List["JsonObject"]:
        """Returns the list of objects of a key."""
        value = self.value(key)
        if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
            raise self.error("has no list of objects under '{}' but {}".format(key, shown(value)))
        return [self.part(entry) for entry in value]

    def part(self, values: Dict[str, Any]) -> "JsonObject":
        """Returns an object that stands in this one, with the same place."""
        return JsonObject(values, self.path, self.line, self.unit)

    def label(self, key: str) -> Optional[str]:
        """Returns the label as text (1 is "1", true is "true"); None where the key is missing or null."""
        value = self.values.get(key)
        if isinstance(value, bool):
            return "true" if value else "false"
        if value is not None and not isinstance(value, (str, int)):
            raise self.error("has no label under '{}' but {}".format(key, shown(value)))
        return value if value is None else str(value).strip()

    def own_id(self, keys: Tuple[str, ...]) -> Union[int, str, None]:
        """Returns the row's id: the value of the first of the keys that is there; None where none is, or it is null."""
        for key in keys:
            if self.values.get(key) is not None:
                value = self.values[key]
                if isinstance(value, bool) or not isinstance(value, (str, int)):
                    raise self.error("has no id under '{}' but {}".format(key, shown(value)))
                return value
        return None


def shown(value: Any) -> str:
    """Returns a value as JSON for a message, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"


def json_objects(path: str) -> Iterator[JsonObject]:
    """Yields the objects of a JSON-lines file in order.

    Raises:
      UserError: a line is not a JSON object.
    """
    for line, text in text_lines(path):
        try:
            values = parse(text)
        except UserError as error:
            raise UserError("{} line {} cannot be used: {}".format(path, line, error)) from error
        except ValueError as error:
            raise UserError(
                "{} line {} is not JSON ({}): each line must be one whole object".format(path, line, _fault(error))
            ) from error
        if not isinstance(values, dict):
            raise UserError("{} line {} is not a JSON object but {}".format(path, line, shown(values)))
        yield JsonObject(values, path, line)


def _fault(error: ValueError) -> str:
    if not isinstance(error, json.JSONDecodeError):
        return str(error)
    words = error.msg[: -len(" at")] if error.msg.endswith(" at") else error.msg
    return "{} at character {}".format(words, error.colno)


def json_rows(
    texts: Callable[[JsonObject], Texts],
    *,
    label: str = LABEL_KEY,
    id_keys: Tuple[str, ...] = ID_KEYS,
    language: Optional[str] = None,
) -> RowReader:
    """Makes the reader of a JSON-lines file.

    Args:
      texts: object -> the texts that the model reads.
      label: the label's key, which may be missing.
      id_keys: keys of the row's id; the first that an object has is taken.
      language: rows whose key "language" has another value are left out.

    Returns:
      path -> rows.
    """
    return functools.partial(_read_rows, texts=texts, label=label, id_keys=id_keys, language=language)


def _read_rows(
    path: str,
    *,
    texts: Callable[[JsonObject], Texts],
    label: str,
    id_keys: Tuple[str, ...],
    language: Optional[str],
) -> Iterator[Union[Row, LeftOut]]:
    for entry in json_objects(path):
        if language is not None and entry.values.get("language", language) != language:
            yield LeftOut(entry.line, "with a language other than '{}'".format(language))
            continue
        found = texts(entry)
        yield Row(
            row_id=UNNUMBERED,
            text_a=found.text_a,
            text_b=found.text_b,
            label=entry.label(label),
            line=entry.line,
            own_id=entry.own_id(id_keys),
            choices=found.choices,
        )


def texts_of(key_a: str, key_b: Optional[str] = None) -> Callable[[JsonObject], Texts]:
    """Makes the function that returns the one or two texts of these keys."""
    return lambda entry: Texts(entry.text(key_a), None if key_b is None else entry.text(key_b))
