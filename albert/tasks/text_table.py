"""Table of texts without labels: a pair or a text in each line, in columns that are named, chosen or the first."""

from __future__ import annotations

import itertools
import json
import logging
import os
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.files.reading import text_lines
from albert.tasks import headers
from albert.tasks.columns import Column, Columns, column_layout
from albert.tasks.delimited_rows import COMMA, TAB, Layout, split_cells, wrong_width_message

_log = logging.getLogger(__name__)

_CHOICE = "name them with {}, each by its name or its number from 1"


class TableRow(NamedTuple):
    """Line of a table: its number from 1, all of it, and its texts."""

    line: int
    content: str
    texts: Tuple[str, ...]


class TextTable(NamedTuple):
    """Table that is read as a stream.

    Attributes:
      header: the line that names the columns; None where the first line is a row.
      separator: of the columns.
      rows: in file order.
    """

    header: Optional[str]
    separator: str
    rows: Iterator[TableRow]


def column_of(text: str) -> Column:
    """Returns the column that a flag names: its number where the text is one."""
    return int(text) if text.isdecimal() and int(text) > 0 else text


def open_pairs(path: str, columns: Sequence[Column] = (), flags: str = "") -> TextTable:
    """Opens a file with two texts in each line.

    Args:
      path: the file; columns are separated by tabs, in a .csv file by commas.
      columns: of both texts; none where the names of its header say it, or the first two columns hold them.
      flags: those that choose the columns, for messages.

    Raises:
      UserError: it cannot be read, or nothing says which columns hold the texts.
    """
    lines = text_lines(path)
    first = list(itertools.islice(lines, 2))
    separator = _separator(path, first)
    if not first:
        return TextTable(None, separator, iter(()))
    _check_no_json(path, first[0][1])
    cells = [split_cells(text, separator, path, line) for line, text in first]
    if columns:
        layout = _chosen(cells[0], path, columns)
    else:
        layout = _pairs_by_names(cells[0], path, flags) or _first_two(cells, path, flags)
        _say(path, layout)
    content = itertools.chain(first[1:] if layout.has_header else first, lines)
    return TextTable(first[0][1] if layout.has_header else None, separator, _rows(content, path, layout, separator))


def open_texts(path: str, column: Optional[Column] = None) -> TextTable:
    """Opens a file with a text in each line: of a table one column, else the whole line.

    Args:
      path: the file; columns are separated by tabs, in a .csv file by commas.
      column: of the text; None where the header says it, or the file is no table.

    Raises:
      UserError: it cannot be read, or its header names several texts.
    """
    lines = text_lines(path)
    first = list(itertools.islice(lines, 1))
    separator = _separator(path, first)
    layout = None
    if first and column is not None:
        layout = _chosen(split_cells(first[0][1], separator, path, 1), path, (column,))
    elif first:
        _check_no_json(path, first[0][1])
        layout = _text_by_names(first[0][1], separator, path)
    if layout is None:
        whole = (TableRow(line, text, (text,)) for line, text in itertools.chain(first, lines))
        return TextTable(None, separator, whole)
    content = lines if layout.has_header else itertools.chain(first, lines)
    return TextTable(first[0][1] if layout.has_header else None, separator, _rows(content, path, layout, separator))


def _separator(path: str, first: Sequence[Tuple[int, str]]) -> str:
    is_csv = os.path.splitext(path)[1].lower() == ".csv"
    return COMMA if is_csv and not any(TAB in text for _, text in first) else TAB


def _check_no_json(path: str, text: str) -> None:
    if text.lstrip().startswith("{"):
        try:
            json.loads(text)
        except ValueError:
            return
        raise UserError("{} line 1 is a JSON object: give a text file, or a table with tabs or commas".format(path))


def _chosen(cells: List[str], path: str, columns: Sequence[Column]) -> Layout:
    has_header = any(isinstance(column, str) for column in columns) or headers.are_names(cells)
    return column_layout(cells, path, columns=Columns(tuple(columns)), has_header=has_header)


def _pairs_by_names(cells: List[str], path: str, flags: str) -> Optional[Layout]:
    """Returns the layout of a file whose header names both texts; None where the first line is a row."""
    places = headers.find_texts(cells, 2, is_strict=False)
    are_texts = [headers.are_names_of_texts([cell]) for cell in cells]
    if places is None and are_texts[:2] == [True, True] and not any(are_texts[2:]):
        places = (0, 1)
    if places is not None:
        return Layout(texts=places, label=None, names=tuple(cell.strip() for cell in cells), has_header=True)
    if len(cells) > 1 and headers.are_names(cells):
        raise UserError(
            "{} line 1 names the columns {}, which do not tell the two texts: {}".format(
                path, ", ".join(cells), _CHOICE.format(flags)
            )
        )
    return None


def _first_two(cells: Sequence[List[str]], path: str, flags: str) -> Layout:
    """Returns the layout of a file without a header: the texts are its first two columns."""
    for line, row in enumerate(cells, start=1):
        number = next((cell for cell in row[:2] if cell.strip().isdecimal()), None) if len(row) > 2 else None
        if number is not None:
            raise UserError(
                "{} line {} has {} columns without names, and '{}' among the first two, which should hold the texts: "
                "{}".format(path, line, len(row), number, _CHOICE.format(flags))
            )
    names = tuple("column {}".format(number + 1) for number in range(len(cells[0])))
    return Layout(texts=(0, 1), label=None, names=names, has_header=False)


def _say(path: str, layout: Layout) -> None:
    if layout.has_header:
        _log.info("%s: the texts are in the columns %s.", path, " and ".join(layout.names[p] for p in layout.texts))
    elif len(layout.names) > 1:  # else its error says what is missing
        _log.info("%s: line 1 names no columns and is a pair; the texts are in the first two columns.", path)


def _text_by_names(text: str, separator: str, path: str) -> Optional[Layout]:
    """Returns the layout of a table whose header names one text; None where the file is no table with names."""
    if separator not in text:
        return None
    try:
        cells = split_cells(text, separator, path, 1)
    except UserError:
        return None  # a sentence with commas and quotes
    if not headers.are_names(cells):
        return None
    places = headers.find_texts(cells, 1, is_strict=True)
    if places is None:
        raise UserError(
            "{} line 1 names the columns {}, which do not tell the text: {}".format(
                path, ", ".join(cells), _CHOICE.replace("them", "it").replace("each ", "").format("--column")
            )
        )
    layout = Layout(texts=places, label=None, names=tuple(cell.strip() for cell in cells), has_header=True)
    _log.info("%s: the text is in the column %s.", path, layout.names[places[0]])
    return layout


def _narrow_message(path: str, line: int, width: int, least: int, separator: str) -> str:
    mark = "tab" if separator == TAB else "comma"
    if (width, least) == (1, 2):
        return "{} line {} has no {}: give two sentences, separated by a {}".format(path, line, mark, mark)
    return "{} line {} has {} columns, expected at least {}, separated by {}s".format(path, line, width, least, mark)


def _rows(content: Iterator[Tuple[int, str]], path: str, layout: Layout, separator: str) -> Iterator[TableRow]:
    """Yields the rows of a table; where columns have names, each line must have as many."""
    least = max(layout.texts) + 1
    for line, text in content:
        cells = split_cells(text, separator, path, line)
        if layout.has_header and len(cells) != len(layout.names):
            raise UserError(wrong_width_message(path, line, len(cells), layout, separator))
        if len(cells) < least:
            raise UserError(_narrow_message(path, line, len(cells), least, separator))
        yield TableRow(line, text, tuple(cells[place] for place in layout.texts))
