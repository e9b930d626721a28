"""Labels of a row as files write them: one, a list, or several in one text, separated by a mark."""

from __future__ import annotations

import json
from typing import Any, Callable, Optional, Tuple

from albert.tasks.json_rows import JsonObject, shown

SETTING = "label_separator"  # the key in task files
_SEPARATOR = "|"
_OTHER_SEPARATORS = ",，;；、"

Error = Callable[[str], Exception]  # a fault, in words that follow its place -> the error


def labels_of_value(entry: JsonObject, key: str) -> Optional[Tuple[str, ...]]:
    """Returns the labels under a key: a text, number, true or false, or a list; None where it is missing or null.

    Raises:
      UserError: it is something else.
    """
    value = entry.values.get(key)
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(label, (str, int)) for label in found) and value is not None:
        raise entry.error("has no label under '{}' but {}".format(key, shown(value)))
    return None if value is None else tuple(map(_text, found))


def _text(label: Any) -> str:
    return ("true" if label else "false") if isinstance(label, bool) else str(label).strip()


def only_label(labels: Optional[Tuple[str, ...]], error: Error) -> Optional[str]:
    """Returns the one label of a row; None where it has none.

    Raises:
      UserError: it has several.
    """
    if labels is not None and len(labels) > 1:
        raise error('has {} labels ({}): the "kind" multilabel is for several'.format(len(labels), ", ".join(labels)))
    return labels[0] if labels else None


def split_labels(text: str, separator: Optional[str], error: Error) -> Tuple[str, ...]:
    """Returns the labels in a text: a JSON list, or separated by a mark; none in an empty one.

    Args:
      text: of a cell or of a JSON value.
      separator: None where the task names none; then it is "|".
      error: makes an error that names the place.

    Raises:
      UserError: a label is empty, or the text looks like several labels that something else separates.
    """
    listed = _listed(text)
    return checked_labels(_separated(text, separator, error) if listed is None else listed, error)


def _listed(text: str) -> Optional[Tuple[str, ...]]:
    """The labels of a JSON list; None where the text is something else."""
    try:
        values = json.loads(text)
    except ValueError:
        return None
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        return None
    return tuple(value.strip() for value in values)


def _separated(text: str, separator: Optional[str], error: Error) -> Tuple[str, ...]:
    other = next((mark for mark in _OTHER_SEPARATORS if mark in text), None)
    if separator is None and _SEPARATOR not in text and other is not None:
        raise error(
            'has the label \'{}\': if it is several, name what separates them in the task file ("{}": "{}"), '
            'if it is one, name a mark that no label has ("{}": "{}")'.format(text, SETTING, other, SETTING, _SEPARATOR)
        )
    return tuple(label.strip() for label in text.split(separator or _SEPARATOR)) if text.strip() else ()


def checked_labels(labels: Tuple[str, ...], error: Error) -> Tuple[str, ...]:
    """Returns the labels of a row without repeated ones; raises `UserError` where one is empty."""
    if not all(labels):
        raise error("has an empty label among {}".format(shown(list(labels))))
    return tuple(dict.fromkeys(labels))
