"""Objects of a JSON file: one in each line, or a list of them; each knows its line or its number in the list."""

from __future__ import annotations

from typing import Iterator, List

from albert.base.errors import UserError
from albert.files.json_reading import parse
from albert.files.plain_text import as_utf8
from albert.files.reading import decoded_lines, opened_packed
from albert.tasks.json_rows import JsonObject, json_objects, shown
from albert.tasks.rows import RECORD


def json_records(path: str) -> Iterator[JsonObject]:
    """Yields the objects of a file in order, whichever way it holds them.

    Raises:
      UserError: it cannot be read, or is no such JSON.
    """
    return iter(_listed(path)) if begins_with(path, "[") else json_objects(path)


def begins_with(path: str, mark: str) -> bool:
    """Whether the first line with text in it begins with a mark; raises `UserError` where the file cannot be read."""
    first = next((text.strip() for _, text in decoded_lines(path) if text.strip()), "")
    return first.startswith(mark)


def _listed(path: str) -> List[JsonObject]:
    try:
        with opened_packed(path) as file:
            values = parse(as_utf8(file.read()))
    except UserError as error:
        raise UserError("{} cannot be used: {}".format(path, error)) from error
    except UnicodeDecodeError as error:
        raise UserError("{} is not UTF-8: save it as UTF-8".format(path)) from error
    except ValueError as error:
        raise UserError("{} begins like a JSON list, but is none ({}): is it cut off?".format(path, error)) from error
    for number, value in enumerate(values, start=1):
        if not isinstance(value, dict):
            raise UserError("{} record {} is not a JSON object but {}".format(path, number, shown(value)))
    return [JsonObject(value, path, number, RECORD) for number, value in enumerate(values, start=1)]
