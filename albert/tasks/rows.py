"""The rows of a task's files: what a reader yields, and the lines that it reads.

A reader takes a path and yields rows as a stream. Lines end at "\\n" only (Chinese text holds other characters that
Python takes for line breaks), "\\r\\n" and a byte order mark are accepted. What a reader leaves out, it says.
"""

from __future__ import annotations

from typing import Callable, Iterator, NamedTuple, Optional, Tuple, Union

from albert.text.arrays import has_lone_surrogate

UNNUMBERED = -1


class Row(NamedTuple):
    """One example of a task.

    Attributes:
      row_id: its number among the rows of its split, from 0; readers leave that to `task_splits.read_split`.
      text_a: the first or only text.
      text_b: the second text of a pair, or None.
      label: one of the task's labels, or None in a test file without labels.
      line: the number of its line in the file, from 1.
      own_id: what the file calls the row, or None.
      choices: the second texts of which one is to be chosen (text_b is None then); empty in most tasks.
    """

    row_id: int
    text_a: str
    text_b: Optional[str]
    label: Optional[str]
    line: int
    own_id: Union[int, str, None] = None
    choices: Tuple[str, ...] = ()


class LeftOut(NamedTuple):
    """A line that is not for this task, and why, in words that go after a count of rows."""

    line: int
    reason: str


RowReader = Callable[[str], Iterator[Union[Row, LeftOut]]]


class Texts(NamedTuple):
    """The texts of a row; see `Row`."""

    text_a: str
    text_b: Optional[str] = None
    choices: Tuple[str, ...] = ()


def text_fault(text: str, which: str) -> Optional[str]:
    """What is wrong with a text, in words that go after its place; None for nothing.

    Args:
      text: the text.
      which: what it is called before "text": "first ", or "" where there is one only.
    """
    if not text.strip():
        return "has an empty {}text: fill it in or remove the row".format(which)
    if has_lone_surrogate(text):
        return "has half a character (\\ud800 to \\udfff) in its {}text".format(which)
    return None
