"""Rows of TSV and CSV files: one per line, columns separated by tabs (quotes are ordinary characters) or commas.

Only a header line and blank lines at the end are skipped.
"""

from __future__ import annotations

import functools
from typing import Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from albert.base.errors import UserError
from albert.files.reading import text_lines
from albert.tasks import headers
from albert.tasks.csv_cells import csv_cells
from albert.tasks.label_columns import marked_labels
from albert.tasks.rows import UNNUMBERED, LeftOut, Row, RowReader

LABEL_COLUMN = "label"
TAB, COMMA = "\t", ","

_MOST_NAMES = 8  # that an error lists


class Layout(NamedTuple):
    """Layout of a file: which column is which.

    Attributes:
      texts: places of the first and of the second text, from 0.
      label: place of the label; None where the file has none.
      own_id: place of the row's id; None where the file has none.
      names: of all columns, in file order; each line must have this many.
      has_header: whether the first line names the columns and is no row.
      kept: (place, value) of columns that must have this value; rows with another are left out.
      label_columns: (place, label) of columns of 0 and 1, one for each label.
    """

    texts: Tuple[int, ...]
    label: Optional[int]
    names: Tuple[str, ...]
    has_header: bool
    own_id: Optional[int] = None
    kept: Tuple[Tuple[int, str], ...] = ()
    label_columns: Tuple[Tuple[int, str], ...] = ()


# The cells of the first line and its path -> the layout of the file.
FindLayout = Callable[[List[str], str], Layout]


def read_rows(path: str, *, find_layout: FindLayout, separator: str = TAB) -> Iterator[Union[Row, LeftOut]]:
    """Yields the rows of a file whose first line decides its layout.

    Raises:
      UserError: a line has too few or too many columns, or something else than 0 or 1 for a label with its own column.
    """
    layout = None  # type: Optional[Layout]
    for line, text in text_lines(path):
        cells = split_cells(text, separator, path, line)
        if layout is None:
            layout = find_layout(cells, path)
            if layout.has_header:
                continue
        if len(cells) != len(layout.names):
            raise UserError(wrong_width_message(path, line, len(cells), layout, separator))
        yield _row_of_cells(cells, layout, line, path)


def split_cells(text: str, separator: str, path: str, line: int) -> List[str]:
    """Returns the cells of a line.

    Raises:
      UserError: it is no row of comma-separated columns.
    """
    return text.split(separator) if separator != COMMA else _csv_cells(text, path, line)


def _csv_cells(text: str, path: str, line: int) -> List[str]:
    try:
        return csv_cells(text)
    except ValueError as error:
        raise UserError(
            "{} line {} is not a row of comma-separated columns ({}): a quoted text must end in its line, and quotes "
            "in it are doubled".format(path, line, error)
        ) from error


def _row_of_cells(cells: Sequence[str], layout: Layout, line: int, path: str) -> Union[Row, LeftOut]:
    for place, value in layout.kept:
        if cells[place].strip() != value:
            return LeftOut(line, "with a {} other than '{}'".format(layout.names[place], value))
    texts = [cells[place] for place in layout.texts]
    return Row(
        row_id=UNNUMBERED,
        text_a=texts[0],
        text_b=texts[1] if len(texts) > 1 else None,
        label=None if layout.label is None else cells[layout.label].strip(),
        line=line,
        own_id=(cells[layout.own_id].strip() or None) if layout.own_id is not None else None,
        labels=_marked_labels(cells, layout, line, path) if layout.label_columns else None,
    )


def _marked_labels(cells: Sequence[str], layout: Layout, line: int, path: str) -> Tuple[str, ...]:
    def error(fault: str) -> UserError:
        return UserError("{} line {} {}".format(path, line, fault))

    return marked_labels(((label, cells[place]) for place, label in layout.label_columns), error)


def wrong_width_message(path: str, line: int, width: int, layout: Layout, separator: str) -> str:
    """Says that a line has another number of columns than the layout."""
    names = layout.names
    return "{} line {} has {} column{}, expected {}{}, separated by {}{}".format(
        path,
        line,
        width,
        "" if width == 1 else "s",
        len(names),
        " ({})".format(", ".join(names)) if len(names) <= _MOST_NAMES else "",
        {TAB: "tabs", COMMA: "commas"}.get(separator, "'{}'".format(separator)),
        ", because the first line has no label" if layout.label is None and not layout.has_header else "",
    )


def tab_separated(*columns: str, labels: Sequence[str]) -> RowReader:
    """Makes the reader of a file with one row per line and columns separated by tabs.

    Args:
      *columns: names in file order: "label" and one or two texts, the first of them text_a. A header that names them
        all, by these names or common ones, decides their places, and the file may have more columns then.
      labels: the known labels. Otherwise the first line is a header, and not a row, only if a header word ("label",
        "标签") is in the place of the label; without a label column, if all its columns are header words.

    Returns:
      path -> rows. A file whose first line lacks only the label column has no labels at all.
    """
    return functools.partial(
        read_rows, find_layout=lambda cells, path: layout_by_position(cells, columns=columns, labels=labels)
    )


def layout_by_position(cells: Sequence[str], *, columns: Sequence[str], labels: Sequence[str]) -> Layout:
    """Returns the layout of a file of `tab_separated`, from its first line."""
    words = _words(cells)
    named = layout_by_names(words, texts=[name for name in columns if name != LABEL_COLUMN], label=LABEL_COLUMN)
    num_texts = len(columns) - 1
    if named and LABEL_COLUMN not in labels:
        return named
    if len(cells) == num_texts:
        columns = [column for column in columns if column != LABEL_COLUMN]
    has_header = _is_header(words, columns, labels)
    named = None if has_header or LABEL_COLUMN in labels else _layout_by_common_names(words, num_texts)
    if named:
        return named
    places = {column: place for place, column in enumerate(columns)}
    return Layout(
        texts=tuple(place for column, place in places.items() if column != LABEL_COLUMN),
        label=places.get(LABEL_COLUMN),
        names=tuple(columns),
        has_header=has_header,
    )


def _words(cells: Sequence[str]) -> List[str]:
    return [cell.strip() for cell in cells]


def _layout_by_common_names(words: Sequence[str], num_texts: int) -> Optional[Layout]:
    """Returns the layout of a file whose header has common names; None where the first line may be a row."""
    texts = headers.find_texts(words, num_texts, is_strict=True)
    labels = [place for place, word in enumerate(words) if headers.is_label_name(word)]
    if texts is None or len(labels) > 1:
        return None
    return Layout(texts=texts, label=labels[0] if labels else None, names=tuple(words), has_header=True)


def _is_header(words: Sequence[str], columns: Sequence[str], labels: Sequence[str]) -> bool:
    if len(words) != len(columns):
        return False
    if LABEL_COLUMN in columns:
        label = words[list(columns).index(LABEL_COLUMN)]
        return label not in labels and headers.is_label_name(label)
    return headers.are_names_of_texts(words)


def layout_by_names(
    cells: Sequence[str],
    *,
    texts: Sequence[str],
    label: str,
    own_id: Optional[str] = None,
    kept: Optional[Dict[str, str]] = None,
) -> Optional[Layout]:
    """Returns the layout of a file whose header names the text columns; None where the first line does not.

    Args:
      cells: of the first line.
      texts: names of one or two columns.
      label: name of the label's column, which may be missing.
      own_id: name of the id's column, which may be missing.
      kept: name -> value as in `Layout`; the columns may be missing.
    """
    words = _words(cells)
    if not all(name in words for name in texts):
        return None
    return Layout(
        texts=tuple(words.index(name) for name in texts),
        label=words.index(label) if label in words else None,
        own_id=words.index(own_id) if own_id in words else None,
        names=tuple(words),
        has_header=True,
        kept=tuple((words.index(name), value) for name, value in (kept or {}).items() if name in words),
    )
