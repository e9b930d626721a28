"""Teacher's predictions: a file with probabilities or logits for each row of the train split, read and checked."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.files.reading import opened_packed, text_lines
from albert.tasks.task import label_list

_ARRAY_MARK = b"\x93NUMPY"
_ARCHIVE_MARK = b"PK"  # of a .npz file
_SUM_TOLERANCE = 1e-3  # float16 rounds a probability by up to 0.0005
_MOST_SHOWN = 30  # characters of a cell in a message


class Teacher(NamedTuple):
    """Predictions of a teacher.

    Attributes:
      log_probabilities: natural logarithms, float32 [rows, labels]; -inf where a probability is 0.
      has_logits: whether the file holds logits.
    """

    log_probabilities: np.ndarray
    has_logits: bool

    def softened(self, temperature: float) -> np.ndarray:
        """Computes the softmax of the logarithms divided by the temperature, float32 [rows, labels]."""
        return np.exp(_log_softmax(self.log_probabilities / np.float32(temperature)))


class _Found(NamedTuple):
    """Numbers of a file, float32 [rows, columns], and what it calls a row."""

    path: str
    values: np.ndarray
    unit: str

    def error(self, index: int, fault: str) -> UserError:
        return UserError("{} {} {} {}".format(self.path, self.unit, index + 1, fault))


def read_teacher(path: str, *, num_rows: int, labels: Sequence[str]) -> Teacher:
    """Reads a file of predictions: text as `answers.write_probabilities` writes it, or a NumPy array.

    An array holds probabilities if most of its rows are at least 0 and sum to 1, else logits. Text holds probabilities.

    Args:
      path: the file.
      num_rows: of the train split; the file has one for each, in the same order.
      labels: of the task, in the order of the columns.

    Raises:
      UserError: the file cannot be read, or does not fit; the sentence names the line or row.
    """
    mark = _first_bytes(path)
    if mark.startswith(_ARCHIVE_MARK):
        raise UserError("{} is an archive (.npz?): give a single array, as numpy.save writes it (.npy)".format(path))
    is_array = mark.startswith(_ARRAY_MARK)
    found = _read_array(path, labels) if is_array else _read_text(path, labels)
    if len(found.values) != num_rows:
        raise UserError(
            "{} has {:,} rows, the train split has {:,}: predict that split with --do_predict=True "
            "--predict_split=train".format(path, len(found.values), num_rows)
        )
    _check_finite(found)
    if is_array and _are_distributions(found.values).mean() < 0.5:
        return Teacher(_log_softmax(found.values), has_logits=True)
    _check_probabilities(found)
    with np.errstate(divide="ignore"):
        return Teacher(_log_softmax(np.log(found.values)), has_logits=False)


def _first_bytes(path: str) -> bytes:
    with opened_packed(path) as file:
        mark = file.read(len(_ARRAY_MARK))
    if not mark:
        raise UserError("{} is empty: give a teacher's predictions of the train split".format(path))
    return mark


def _read_array(path: str, labels: Sequence[str]) -> _Found:
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError, SyntaxError) as error:
        raise UserError("{} is no whole array of numbers: write it again with numpy.save".format(path)) from error
    if array.dtype.kind not in "fiu":
        raise UserError("{} holds values of the type {}: give real numbers".format(path, array.dtype))
    if array.ndim != 2 or array.shape[1] != len(labels):
        raise UserError(
            "{} holds an array of the shape {}: give one of [rows of the train split, {}], with a column for each "
            "label ({})".format(path, list(array.shape), len(labels), label_list(labels))
        )
    with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused as that
        return _Found(path, np.asarray(array, np.float32), "row")


def _read_text(path: str, labels: Sequence[str]) -> _Found:
    rows = []
    for number, line in text_lines(path):
        cells = line.split("\t")
        if len(cells) != len(labels):
            raise UserError(
                "{} line {} has {} column{}: give the probabilities of the {} labels ({}), separated by tabs".format(
                    path, number, len(cells), "" if len(cells) == 1 else "s", len(labels), label_list(labels)
                )
            )
        rows.append(_numbers(cells, "{} line {}".format(path, number)))
    if not rows:
        raise UserError("{} is empty: give a teacher's predictions of the train split".format(path))
    return _Found(path, np.array(rows, np.float32), "line")


def _numbers(cells: Sequence[str], place: str) -> List[float]:
    numbers = []
    for column, cell in enumerate(cells, start=1):
        try:
            numbers.append(float(cell))
        except ValueError as error:
            shown = cell if len(cell) <= _MOST_SHOWN else cell[:_MOST_SHOWN] + "…"
            raise UserError("{} column {} is '{}': give a number".format(place, column, shown)) from error
    return numbers


def _check_finite(found: _Found) -> None:
    faults = np.argwhere(~np.isfinite(found.values))
    if len(faults):
        row, column = faults[0]
        raise found.error(row, "column {} is {}: give a number".format(column + 1, found.values[row, column]))


def _are_distributions(values: np.ndarray) -> np.ndarray:
    """Whether each row is at least 0 and sums to 1: bool [rows]."""
    return (values >= 0).all(axis=1) & (np.abs(values.sum(axis=1) - 1.0) <= _SUM_TOLERANCE)


def _check_probabilities(found: _Found) -> None:
    faults = np.flatnonzero(~_are_distributions(found.values))
    if not len(faults):
        return
    values = found.values[faults[0]]
    more = " (logits are read from a .npy file)" if found.unit == "line" else ""
    if (values < 0).any():
        fault = "holds {:g}: probabilities are 0 or more{}".format(values.min(), more)
    else:
        fault = "sums to {:g}: the probabilities of a row sum to 1{}".format(values.sum(), more)
    raise found.error(faults[0], fault)


def _log_softmax(values: np.ndarray) -> np.ndarray:
    shifted = values - values.max(axis=1, keepdims=True)
    result: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result
