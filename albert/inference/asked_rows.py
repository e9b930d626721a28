"""Rows of a file that a model is asked: lines of text, tables, JSON lines, questions in the layouts of CMRC 2018.

| what is asked | lines and tables | JSON |
|---|---|---|
| a text | the line, or the column that the header or a flag names | "text", or a common name of a text |
| a pair | two columns | "text_a" and "text_b", or other common names |
| a question | question and context in two columns | "question" and "context"; CMRC 2018, DRCD, SQuAD |
"""

from __future__ import annotations

import itertools
import os
import re
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.files.reading import decoded_lines, text_lines
from albert.inference.text_batches import place_in
from albert.tasks import headers
from albert.tasks.columns import Column
from albert.tasks.delimited_rows import TAB
from albert.tasks.json_records import json_records
from albert.tasks.json_rows import ID_KEYS, JsonObject
from albert.tasks.mrc_rows import is_nested, read_questions
from albert.tasks.text_table import TextTable, open_pairs, open_texts

TEXT, PAIR, TEXT_OR_PAIR, QUESTION = "text", "pair", "text or pair", "question"  # what may be asked
_QUESTION_NAMES = (("question", "context"), ("问题", "上下文"), ("问题", "原文"), ("问题", "正文"))
_JSON = re.compile(r'\s*(\[\s*)?\{\s*("|\}|$)|\s*\[\s*$')  # the beginning of an object or of a list of them
_FLAGS = "--column_a and --column_b"


class AskedRow(NamedTuple):
    """Row that is asked.

    Attributes:
      texts: one, or both of a pair: first the question, then its context.
      place: the file and the line, for messages.
      content: the whole line of a table.
      values: the values of a JSON object that describe the row in an answer: its id, and all but a context.
    """

    texts: Tuple[str, ...]
    place: str
    content: str = ""
    values: Optional[Dict[str, Any]] = None


class AskedFile(NamedTuple):
    """File of rows that is read as a stream.

    Attributes:
      rows: in file order.
      header: the line that names the columns of a table, if any.
      separator: of the columns.
      is_json: whether rows have values, not content.
    """

    rows: Iterator[AskedRow]
    header: Optional[str] = None
    separator: str = TAB
    is_json: bool = False


def open_rows(path: str, shape: str, columns: Sequence[Column] = ()) -> AskedFile:
    """Opens a file of rows.

    Args:
      path: the file.
      shape: what is asked: TEXT, PAIR, TEXT_OR_PAIR or QUESTION.
      columns: of the texts, names or numbers from 1, or keys of JSON objects; none where the file says which they are.

    Raises:
      UserError: it cannot be read, or nothing says where the texts are.
    """
    if _is_json(path):
        return AskedFile(_json_rows(path, shape, tuple(map(str, columns))), is_json=True)
    table = _open_table(path, shape, tuple(columns))
    rows = (AskedRow(row.texts, place_in(path)(row.line), row.content) for row in table.rows)
    return AskedFile(rows, table.header, table.separator)


def _is_json(path: str) -> bool:
    """Whether a file holds JSON: by its name, else by its first line; a text may begin with a bracket ("[MASK]")."""
    if os.path.splitext(path)[1].lower() in (".json", ".jsonl"):
        return True
    first = next((text for _, text in decoded_lines(path) if text.strip()), "")
    return _JSON.match(first) is not None


def _open_table(path: str, shape: str, columns: Tuple[Column, ...]) -> TextTable:
    if shape == TEXT_OR_PAIR:
        shape = PAIR if len(columns) == 2 or (not columns and _holds_pairs(path)) else TEXT
    if shape == TEXT:
        return open_texts(path, columns[0] if columns else None)
    return open_pairs(path, columns or (_question_columns(path) if shape == QUESTION else ()), _FLAGS)


def _first_cells(path: str) -> List[str]:
    line = next((text for _, text in itertools.islice(text_lines(path), 1)), "")
    return line.split(TAB if TAB in line else ",")


def _holds_pairs(path: str) -> bool:
    """Whether the first line of a table names two texts, or holds two without a header."""
    cells = _first_cells(path)
    if headers.are_names(cells):
        return headers.find_texts(cells, 2, is_strict=False) is not None
    return any(TAB in text for _, text in itertools.islice(text_lines(path), 1))


def _question_columns(path: str) -> Tuple[Column, ...]:
    cells = [cell.strip().lower() for cell in _first_cells(path)]
    return next((names for names in _QUESTION_NAMES if all(name in cells for name in names)), ())


def _json_rows(path: str, shape: str, keys: Tuple[str, ...]) -> Iterator[AskedRow]:
    if shape == QUESTION and not keys and _is_nested(path):
        yield from _nested_questions(path)
        return
    for entry in json_records(path):
        used = keys or _keys_of(entry, shape)
        # A context may be asked many times: the answers do not repeat it.
        values = {key: value for key, value in entry.values.items() if shape != QUESTION or key != used[1]}
        own_id = entry.own_id(ID_KEYS)
        if own_id is not None:
            values = dict({"id": own_id}, **values)
        texts = tuple(entry.text(key) for key in used)
        yield AskedRow(texts, "{} {} {}".format(path, entry.unit, entry.line), values=values)


def _is_nested(path: str) -> bool:
    """Whether questions stand in their contexts, not in a line or an object each."""
    try:
        first = next(json_records(path), None)
    except UserError:  # one object over many lines; or no JSON, which `read_questions` says
        return True
    return first is None or is_nested(first.values)


def _nested_questions(path: str) -> Iterator[AskedRow]:
    for question in read_questions(path):
        values = {"id": question.own_id, "question": question.question}
        place = "{} question {}".format(path, question.own_id)
        yield AskedRow((question.question, question.context), place, values=values)


def _keys_of(entry: JsonObject, shape: str) -> Tuple[str, ...]:
    """Finds the keys of the texts of an object."""
    names = [key for key, value in entry.values.items() if isinstance(value, str)]
    if shape == QUESTION:
        return next((keys for keys in _QUESTION_NAMES if all(key in names for key in keys)), _QUESTION_NAMES[0])
    pair = headers.find_texts(names, 2, is_strict=False) if shape != TEXT else None
    if pair is None and shape == PAIR:
        raise entry.error(
            "has the keys {}, which do not tell the two texts: name them with {}".format(
                ", ".join(entry.values) or "none", _FLAGS
            )
        )
    if pair is not None:
        return tuple(names[place] for place in pair)
    single = headers.find_texts(names, 1, is_strict=False)
    return ("text",) if single is None or "text" in names else (names[single[0]],)
