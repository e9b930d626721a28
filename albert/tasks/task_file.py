"""Task file: a task of your own, described in JSON (--task_file=my_task.json); no Python is needed.

    {"name": "reviews", "files": {"train": "train.tsv", "dev": "dev.tsv", "test": "test.tsv"},
     "text_a": "review", "label": "stars", "labels": "infer", "metric": "macro_f1"}

| key | meaning |
|---|---|
| name | the name of the task in messages and in the submission |
| files | the file of each split, relative to --data_dir, or to this file's folder without that flag |
| text_a, text_b | the column of the first text, and of the second where rows are pairs |
| label | the column of the label, which a test file need not have ("label" by default) |
| id | the column of the row's id (optional); only the test file must have it |
| labels | a list of texts, or "infer": the labels of the train file (the default) |
| similar_label | of two labels of pairs, the one that means "the same", for similarity.py and serve.py (optional) |
| metric | accuracy (the default), macro_f1 or mcc: the figure by which the best checkpoint is chosen |
| format | "json" (an object per line), "tsv" or "csv"; by default from the ending of the files' names |
| header | whether the first line of a tsv or csv file names the columns (by default true if a column has a name here) |
| separator | the character between the columns of a tsv or csv file, if not a tab or a comma |

A column is its name, or its number from 1 in a tsv or csv file.
"""

from __future__ import annotations

import functools
import os
from typing import Any, Dict, Optional, Sequence, Tuple

from albert.base.errors import UserError, check_keys
from albert.base.paths import expand_home
from albert.files.json_reading import parse_description, read_text
from albert.tasks.columns import Column, Columns, column_layout
from albert.tasks.delimited_rows import COMMA, TAB, read_rows
from albert.tasks.json_rows import json_rows, texts_of
from albert.tasks.metrics import METRICS
from albert.tasks.rows import RowReader
from albert.tasks.similar_label import SETTING, checked_similar_label
from albert.tasks.task import Task

INFER = "infer"
_SPLITS = ("train", "dev", "test")
_JSON, _TSV, _CSV = _FORMATS = ("json", "tsv", "csv")
_FORMAT_OF_SUFFIX = {".json": _JSON, ".jsonl": _JSON, ".tsv": _TSV, ".txt": _TSV, ".csv": _CSV}
_KEYS = (
    "name",
    "files",
    "text_a",
    "text_b",
    "label",
    "id",
    "labels",
    SETTING,
    "metric",
    "format",
    "header",
    "separator",
)


def read_task(path: str, has_data_dir: bool = False) -> Task:
    """Reads the task that a JSON file describes.

    Args:
      path: the file.
      has_data_dir: whether the task's files are in a data folder, rather than beside the description.

    Raises:
      UserError: it cannot be read, or a key is unknown, missing or has a wrong value.
    """
    try:
        values = dict(parse_description(read_text(path)).values)
        return _task(values, "" if has_data_dir else os.path.dirname(os.path.abspath(path)))
    except OSError as error:
        raise UserError("cannot read the task file {}: {}".format(path, error.strerror)) from error
    except UserError as error:
        raise UserError("{} does not describe a task: {}".format(path, error)) from error


def _task(values: Dict[str, Any], folder: str) -> Task:
    check_keys(values, _KEYS, required=("name", "files", "text_a"))
    name = _text(values, "name")
    if not name.replace("_", "").replace("-", "").isalnum():
        raise UserError("'name' must be of letters, digits, _ and -, not {!r}".format(name))
    files = _files(values["files"])
    columns = Columns(
        texts=tuple(_column(values, key) for key in ("text_a", "text_b") if key in values),
        label=_column(values, "label") if "label" in values else "label",
        own_id=_column(values, "id") if "id" in values else None,
    )
    labels = _labels(values.get("labels", INFER))
    return Task(
        name=name,
        labels=labels,
        files={split: (os.path.join(folder, expand_home(file)),) for split, file in files.items()},
        read_rows=_reader(values, _format(values, files), columns),
        metric=_choice(values, "metric", "accuracy", sorted(METRICS)),
        similar_label=_similar_label(values, labels),
        id_name=None if columns.own_id is None else str(columns.own_id),
    )


def _text(values: Dict[str, Any], key: str) -> str:
    value = values[key]
    if not isinstance(value, str) or not value:
        raise UserError("'{}' must be a text, not {!r}".format(key, value))
    return value


def _choice(values: Dict[str, Any], key: str, default: str, choices: Sequence[str]) -> str:
    value = values.get(key, default)
    if value not in choices:
        raise UserError("'{}' must be one of {}, not {!r}".format(key, ", ".join(choices), value))
    return value


def _files(files: Any) -> Dict[str, str]:
    if not isinstance(files, dict) or not files:
        raise UserError('\'files\' must be an object like {"train": "train.tsv"}, not ' + repr(files))
    check_keys(files, _SPLITS)
    return {split: _text(files, split) for split in files}


def _column(values: Dict[str, Any], key: str) -> Column:
    value = values[key]
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not (is_number and value >= 1) and not (isinstance(value, str) and value):
        raise UserError("'{}' must be a column's name or its number from 1, not {!r}".format(key, value))
    return value


def _labels(labels: Any) -> Tuple[str, ...]:
    if labels == INFER:
        return ()
    if not isinstance(labels, list) or not all(isinstance(label, str) and label.strip() for label in labels):
        raise UserError("'labels' must be a list of texts or \"infer\", not {!r}".format(labels))
    stripped = tuple(label.strip() for label in labels)
    if len(set(stripped)) != len(stripped) or len(stripped) < 2:
        hint = ": blanks around a label do not count" if stripped != tuple(labels) else ""
        raise UserError("'labels' must be at least two that differ, not {!r}{}".format(labels, hint))
    return stripped


def _similar_label(values: Dict[str, Any], labels: Sequence[str]) -> Optional[str]:
    """The label that means "similar"; inferred labels are compared with it where they are known."""
    if SETTING not in values:
        return None
    chosen = _text(values, SETTING).strip()
    if "text_b" not in values:
        raise UserError("'{}' is for pairs: name the second text with 'text_b'".format(SETTING))
    return checked_similar_label(labels, chosen) if labels else chosen


def _format(values: Dict[str, Any], files: Dict[str, str]) -> str:
    if "format" in values:
        return _choice(values, "format", "", _FORMATS)
    suffixes = {os.path.splitext(file)[1].lower() for file in files.values()}
    formats = {_FORMAT_OF_SUFFIX.get(suffix) for suffix in suffixes}
    found = formats.pop() if len(formats) == 1 else None
    if found is None:
        raise UserError("the key 'format' ({}) is missing: the files' names do not show it".format(", ".join(_FORMATS)))
    return found


def _reader(values: Dict[str, Any], format_name: str, columns: Columns) -> RowReader:
    numbered = [column for column in columns.all() if isinstance(column, int)]
    if format_name == _JSON:
        for key in ("header", "separator"):
            if key in values:
                raise UserError("'{}' has no use with JSON lines".format(key))
        if numbered:
            raise UserError("the columns of JSON lines have names, not numbers ({})".format(numbered[0]))
        id_keys = () if columns.own_id is None else (str(columns.own_id),)
        return json_rows(texts_of(*map(str, columns.texts)), label=str(columns.label), id_keys=id_keys)
    named = [column for column in columns.all() if isinstance(column, str)]
    has_header = values.get("header", bool(named))
    if not isinstance(has_header, bool):
        raise UserError("'header' must be true or false, not {!r}".format(has_header))
    if named and not has_header:
        raise UserError("the column '{}' needs a header that names it: give its number, from 1".format(named[0]))
    separator = _text(values, "separator") if "separator" in values else {_TSV: TAB, _CSV: COMMA}[format_name]
    find_layout = functools.partial(column_layout, columns=columns, has_header=has_header)
    return functools.partial(read_rows, find_layout=find_layout, separator=separator)
