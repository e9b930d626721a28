"""Columns by name or by number: of a task of one's own, and of tables whose texts are to be answered."""

from __future__ import annotations

from typing import List, NamedTuple, Optional, Tuple, Union

from albert.base.errors import UserError
from albert.tasks.delimited_rows import Layout

Column = Union[str, int]  # its name, or its number from 1


class Columns(NamedTuple):
    """Columns by role; label and id may be missing.

    Attributes:
      texts: of one or two texts.
      label: of the label or labels.
      own_id: of the row's id.
      label_columns: in place of a label's column, one of 0 and 1 for each label, by the labels' names.
    """

    texts: Tuple[Column, ...]
    label: Optional[Column] = None
    own_id: Optional[Column] = None
    label_columns: Tuple[str, ...] = ()

    def all(self) -> List[Column]:
        """Returns the columns that are named or numbered."""
        named = self.texts + (self.label, self.own_id) + self.label_columns
        return [column for column in named if column is not None]


def column_layout(cells: List[str], path: str, *, columns: Columns, has_header: bool) -> Layout:
    """Returns the layout of a file from its first line.

    Raises:
      UserError: the line lacks the column of a text, or of some labels but not of all, or names one twice.
    """
    words = [cell.strip() for cell in cells]
    numbers = [column for column in columns.all() if isinstance(column, int)]
    # Where lines lack only the label, the columns behind it move up.
    label_number = columns.label if isinstance(columns.label, int) else 0
    is_short = label_number > 0 and len(words) == max(numbers) - 1

    def place(column: Optional[Column]) -> Optional[int]:
        if isinstance(column, str):
            if words.count(column) > 1:
                raise UserError("{} line 1 names the column '{}' twice".format(path, column))
            return words.index(column) if column in words else None
        moved = column - 1 - (is_short and column > label_number) if column else len(words)
        return moved if moved < len(words) else None

    def known_place(column: Column) -> int:
        found = place(column)
        if found is None:
            raise UserError(
                "{} line 1 has no column {} (it has {}: {})".format(path, column, len(words), ", ".join(words)[:100])
            )
        return found

    has_labels = any(label in words for label in columns.label_columns)  # a test file may have none
    return Layout(
        texts=tuple(known_place(column) for column in columns.texts),
        label=None if is_short else place(columns.label),
        own_id=place(columns.own_id),
        names=tuple(words) if has_header else tuple("column {}".format(n + 1) for n in range(len(words))),
        has_header=has_header,
        label_columns=tuple((known_place(label), label) for label in columns.label_columns) if has_labels else (),
    )
