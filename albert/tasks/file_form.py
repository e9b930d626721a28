"""Form of the files of a task of one's own: JSON, table or tagged lines, and what each needs beside its name."""

from __future__ import annotations

import functools
import itertools
from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple, Union

from albert.base.errors import UserError
from albert.files.reading import text_lines
from albert.tasks.columns import Column, Columns, column_layout
from albert.tasks.delimited_rows import COMMA, TAB, read_rows, split_cells
from albert.tasks.json_records import json_records
from albert.tasks.json_rows import JsonObject
from albert.tasks.label_studio import is_export
from albert.tasks.rows import LeftOut, Row

JSON, TSV, CSV, TAGGED = "json", "tsv", "csv", "conll"
LABEL_STUDIO, DOCCANO, SQUAD = "label_studio", "doccano", "squad"
JSON_FORMATS = (JSON, LABEL_STUDIO, DOCCANO, SQUAD)


class FileForm(NamedTuple):
    """Form of a task's files.

    Attributes:
      format: one of the formats.
      has_header: whether the first line of a table names its columns; None where the columns' names tell.
      separator: of a table's columns; None for that of the format.
      annotator: of Label Studio, see `label_studio.labelled_tasks`.
      control: of Label Studio, the name of the tag that labels; None where there is only one.
    """

    format: str
    has_header: Optional[bool] = None
    separator: Optional[str] = None
    annotator: Optional[str] = None
    control: Optional[str] = None

    @property
    def is_table(self) -> bool:
        """Whether the files are TSV or CSV."""
        return self.format in (TSV, CSV)

    def names_columns(self, columns: Sequence[Optional[Column]]) -> bool:
        """Whether the first line of a table is a header: as the task file says, else where a column has a name."""
        named = any(isinstance(column, str) for column in columns)
        return named if self.has_header is None else self.has_header


def table_rows(path: str, form: FileForm, columns: Columns) -> Iterator[Union[Row, LeftOut]]:
    """Yields the rows of a TSV or CSV file; raises as `read_rows`."""
    has_header = (
        any(isinstance(column, str) for column in columns.all()) if form.has_header is None else form.has_header
    )
    find_layout = functools.partial(column_layout, columns=columns, has_header=has_header)
    separator = form.separator or (COMMA if form.format == CSV else TAB)
    return read_rows(path, find_layout=find_layout, separator=separator)


def table_objects(path: str, form: FileForm, columns: Sequence[Column]) -> Iterator[JsonObject]:
    """Yields the rows of a TSV or CSV file as objects: the cells by the names of the columns, or by their numbers.

    Raises:
      UserError: a line has too few or too many columns, or a name stands twice in the header.
    """
    separator = form.separator or (COMMA if form.format == CSV else TAB)
    names: List[str] = []
    for line, text in text_lines(path):
        cells = split_cells(text, separator, path, line)
        if not names:
            has_header = form.names_columns(columns)
            names = [cell.strip() if has_header else str(number) for number, cell in enumerate(cells, start=1)]
            twice = [name for name in names if names.count(name) > 1]
            if twice:
                raise UserError("{} line 1 names the column '{}' twice".format(path, twice[0]))
            if has_header:
                continue
        if len(cells) != len(names):
            raise UserError(
                "{} line {} has {} columns, expected {} ({})".format(
                    path, line, len(cells), len(names), ", ".join(names)[:100]
                )
            )
        yield JsonObject(dict(zip(names, cells)), path, line)


def opened_records(path: str, form: FileForm) -> Tuple[bool, Iterator[JsonObject]]:
    """Returns whether a JSON file is an export of Label Studio, as its first object tells, and its objects.

    Raises:
      UserError: it cannot be read, or is not of the format that the task file names.
    """
    records = json_records(path)
    first = next(records, None)
    if first is None:
        return False, iter(())
    is_studio = is_export(first.values)
    if is_studio != (form.format == LABEL_STUDIO) and form.format != JSON:
        raise UserError(
            '{} is {}an export of Label Studio, as its keys tell ({}), but "format" is "{}"'.format(
                path, "" if is_studio else "not ", ", ".join(first.values)[:80], form.format
            )
        )
    return is_studio, itertools.chain([first], records)
