"""The files of a task as rows: readers of file formats, and the checks that every row goes through.

A reader takes a path and yields rows as a stream. Lines end at "\\n" only (Chinese text holds other characters that
Python takes for line breaks), "\\r\\n" and a byte order mark are accepted, and quotes are ordinary characters.
Nothing is skipped but a header line and blank lines at the end.
"""

from __future__ import annotations

import functools
import os
from typing import TYPE_CHECKING, Callable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from errors import UserError
from input_files import decode_line

if TYPE_CHECKING:
    from tasks import Task  # which is made of this module's readers

LABEL_COLUMN = "label"
SPLIT_WITHOUT_LABELS = "test"  # the only split whose rows may come without labels

# What stands in the first line of a file that names its columns.
_LABEL_HEADERS = frozenset(("label", "labels", "label_id", "gold_label", "class", "标签", "类别", "标注"))
_TEXT_HEADERS = frozenset(
    ("a", "b", "text", "text1", "text2", "text_a", "text_b", "sentence", "sentence1", "sentence2", "sentence_a")
    + ("sentence_b", "query1", "query2", "question1", "question2", "句子", "句子1", "句子2", "文本", "文本1", "文本2")
)


class Row(NamedTuple):
    """One example of a task.

    Attributes:
      row_id: the number of the row in its file, from 0; a header line does not count.
      text_a: the first or only text.
      text_b: the second text of a pair, or None.
      label: one of the task's labels, or None in a test file without labels.
      line: the number of its line in the file, from 1.
    """

    row_id: int
    text_a: str
    text_b: Optional[str]
    label: Optional[str]
    line: int


def read_split(task: Task, data_dir: str, split: str) -> List[Row]:
    """Reads and checks all rows of a split.

    Args:
      task: the declaration of the task.
      data_dir: the folder that holds its files.
      split: "train", "dev" or "test".

    Returns:
      The rows in file order, at least one. In a test file either all rows have a label or none has.

    Raises:
      UserError: the file is missing or holds no rows, or a line of it is no proper row.
    """
    path = split_path(task, data_dir, split)
    rows = []
    for row in task.read_rows(path):
        _check_row(row, task, split, path)
        rows.append(row)
    if not rows:
        raise UserError("{} holds no rows: give a file with at least one row of the task {}".format(path, task.name))
    return rows


def split_path(task: Task, data_dir: str, split: str) -> str:
    """The path of the file that holds a split: the first of the task's names that exists.

    Raises:
      UserError: the folder or the file is missing.
    """
    names = task.files[split]
    wanted = " or ".join(names)
    if not os.path.isdir(data_dir):
        raise UserError("there is no folder {}: it must hold {}".format(data_dir, wanted))
    for name in names:
        path = os.path.join(data_dir, name)
        if os.path.isfile(path):
            return path
    raise UserError(
        "the folder {} has no {}: put the {} rows of the task {} there".format(data_dir, wanted, split, task.name)
    )


def _check_row(row: Row, task: Task, split: str, path: str) -> None:
    for place, text in (("first", row.text_a), ("second", row.text_b)):
        if text is not None and not text.strip():
            raise UserError(
                "{} line {} has an empty {} text: fill it in or remove the row".format(path, row.line, place)
            )
    if row.label is None:
        if split != SPLIT_WITHOUT_LABELS:
            raise UserError(
                "{} line {} has no label (one of {}): only the {} split may go without".format(
                    path, row.line, ", ".join(task.labels), SPLIT_WITHOUT_LABELS
                )
            )
    elif row.label not in task.labels:
        raise UserError(
            "{} line {} has the unknown label '{}': the labels of the task {} are {}".format(
                path, row.line, row.label, task.name, ", ".join(task.labels)
            )
        )


def tab_separated(*columns: str, labels: Sequence[str]) -> Callable[[str], Iterator[Row]]:
    """Makes the reader of a file with one row per line, its columns parted by tabs.

    Args:
      *columns: names in file order: "label" and one or two texts, the first of them text_a.
      labels: the known labels. A first line is a header, and not a row, only if a header word ("label", "标签")
        stands where the label belongs; one without a label column if all its columns are such words.

    Returns:
      path -> rows. A file whose first line lacks just the label column has no labels at all.
    """
    return functools.partial(_read_tab_separated, columns=columns, labels=labels)


def _read_tab_separated(path: str, *, columns: Tuple[str, ...], labels: Sequence[str]) -> Iterator[Row]:
    present = None  # type: Optional[Tuple[str, ...]]
    row_id = 0
    for line, text in text_lines(path):
        cells = text.split("\t")
        if present is None:
            present = _columns_of_first_line(cells, columns)
            if _is_header(cells, present, labels):
                continue
        if len(cells) != len(present):
            raise UserError(_wrong_width_message(path, line, cells, present, columns))
        yield _row_of_cells(cells, present, row_id, line)
        row_id += 1


def _columns_of_first_line(cells: Sequence[str], columns: Tuple[str, ...]) -> Tuple[str, ...]:
    if len(cells) == len(columns) - 1:
        return tuple(column for column in columns if column != LABEL_COLUMN)
    return columns


def _is_header(cells: Sequence[str], columns: Sequence[str], labels: Sequence[str]) -> bool:
    if len(cells) != len(columns):
        return False
    words = [cell.strip() for cell in cells]
    if LABEL_COLUMN in columns:
        label = words[columns.index(LABEL_COLUMN)]
        return label not in labels and label.lower() in _LABEL_HEADERS
    return all(word.lower() in _TEXT_HEADERS for word in words)


def _wrong_width_message(
    path: str, line: int, cells: Sequence[str], present: Sequence[str], columns: Sequence[str]
) -> str:
    return "{} line {} has {} column{}, expected {} ({}), separated by tabs{}".format(
        path,
        line,
        len(cells),
        "" if len(cells) == 1 else "s",
        len(present),
        ", ".join(present),
        "" if len(present) == len(columns) else ", because the first line has no label",
    )


def _row_of_cells(cells: Sequence[str], columns: Sequence[str], row_id: int, line: int) -> Row:
    label = None
    texts = []
    for column, cell in zip(columns, cells):
        if column == LABEL_COLUMN:
            label = cell.strip()
        else:
            texts.append(cell)
    return Row(row_id, texts[0], texts[1] if len(texts) > 1 else None, label, line)


def text_lines(path: str) -> Iterator[Tuple[int, str]]:
    """Yields the lines of a text file with their numbers from 1, without their ends; blank lines at the end are left.

    Raises:
      UserError: the file cannot be read, or a line is not UTF-8, holds a NUL byte, or is blank with others after it.
    """
    first_blank = 0
    try:
        with open(path, "rb") as file:
            for number, content in enumerate(file, start=1):
                text = _decode(content, path, number)
                if not text.strip():
                    first_blank = first_blank or number
                    continue
                if first_blank:
                    raise UserError("{} line {} is blank: remove it or fill it in".format(path, first_blank))
                yield number, text
    except OSError as error:
        raise UserError("cannot read {}: {}".format(path, error.strerror)) from error


def _decode(content: bytes, path: str, number: int) -> str:
    text = decode_line(content, number == 1, lambda: "{} line {}".format(path, number))
    if text.endswith("\n"):
        text = text[:-1]
    return text[:-1] if text.endswith("\r") else text
