"""Rows of classification tasks, which readers yield, and the check of their texts.

A reader takes a path and yields rows as a stream. Lines end at "\\n" only (Chinese text contains other characters that
Python takes for line breaks), or at "\\r" where there is none; "\\r\\n" and byte order marks are accepted. For a row
that is not for the task it yields `LeftOut`.
"""

from __future__ import annotations

from typing import Callable, Iterator, NamedTuple, Optional, Tuple, Union

from albert.files.plain_text import is_blank
from albert.text.arrays import has_lone_surrogate

UNNUMBERED = -1
LINE, RECORD = "line", "record"  # what a file counts: its lines, or the objects of its list


class Row(NamedTuple):
    """Row: one example of a task.

    Attributes:
      row_id: its number among the rows of its split, from 0; readers leave that to `splits.read_split`.
      text_a: the first or only text.
      text_b: the second text of a pair, or None.
      label: one of the task's labels, or None in a test file without labels.
      line: the number of its line in the file, from 1, or of its record where the file is a list.
      own_id: its id in the file, or None.
      choices: the second texts of which one is right (text_b is None then); empty in most tasks.
      labels: all labels of the row in a task of several labels a row (label is None then), perhaps none; None in a test
        file without labels, and in other tasks.
      unit: what `line` counts, LINE or RECORD.
    """

    row_id: int
    text_a: str
    text_b: Optional[str]
    label: Optional[str]
    line: int
    own_id: Union[int, str, None] = None
    choices: Tuple[str, ...] = ()
    labels: Optional[Tuple[str, ...]] = None
    unit: str = LINE

    @property
    def all_labels(self) -> Optional[Tuple[str, ...]]:
        """The row's labels, one or several; None in a test file without labels."""
        return self.labels if self.label is None else (self.label,)


class LeftOut(NamedTuple):
    """Line that is not for this task, and the reason, in words that follow a count of rows."""

    line: int
    reason: str


RowReader = Callable[[str], Iterator[Union[Row, LeftOut]]]


class Texts(NamedTuple):
    """Texts of a row; see `Row`."""

    text_a: str
    text_b: Optional[str] = None
    choices: Tuple[str, ...] = ()


def text_fault(text: str, which: str) -> Optional[str]:
    """Returns the fault of a text, in words that follow its place; None where it has none.

    Args:
      text: the text.
      which: its name before "text": "first ", or "" where there is only one.
    """
    if is_blank(text):
        return "has an empty {}text: fill it in or remove the row".format(which)
    if has_lone_surrogate(text):
        return "has half a character (\\ud800 to \\udfff) in its {}text".format(which)
    return None
