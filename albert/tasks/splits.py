"""Splits of a classification task as rows: their files, and the checks of every row.

Rows that are left out are counted in the log; any other fault is an error that names file and line.
"""

from __future__ import annotations

import itertools
import logging
import os
import unicodedata
from collections import Counter
from typing import Dict, List, Optional, Sequence, Union

from albert.base.errors import UserError
from albert.tasks.rows import LeftOut, Row, text_fault
from albert.tasks.similar_label import checked_similar_label
from albert.tasks.split_summary import of_rows
from albert.tasks.task import Task, label_list

_log = logging.getLogger(__name__)

SPLITS = TRAIN, DEV, TEST = ("train", "dev", "test")
SPLIT_WITHOUT_LABELS = TEST  # the only split whose rows may have no labels, and the only one whose ids matter
_WITH_COLUMNS = '; where each label has a column of 0 and 1, name these columns with "label_columns" in the task file'


def read_splits(task: Task, data_dir: Optional[str], splits: Sequence[str]) -> Dict[str, List[Row]]:
    """Returns the rows of several splits by name; warns of a single label, and of labels that train lacks.

    Raises:
      UserError: see `read_split`.
    """
    rows = {split: read_split(task, data_dir, split) for split in splits}
    for split in rows:
        _log.info("%s (%s): %s.", split, split_path(task, data_dir, split), of_rows(rows[split]))
        _warn_of_a_single_label(task, split_path(task, data_dir, split), split, rows[split])
    trained = {label for row in rows.get(TRAIN, ()) for label in row.all_labels or ()}
    for split in rows if trained else ():
        found = ((row, label) for row in rows[split] for label in row.all_labels or () if label not in trained)
        for row, label in itertools.islice(found, 1):
            _log.warning(
                "%s %s %d has the label '%s', which no row of %s has: it cannot be learned.",
                split_path(task, data_dir, split),
                row.unit,
                row.line,
                label,
                split_path(task, data_dir, TRAIN),
            )
    return rows


def _warn_of_a_single_label(task: Task, path: str, split: str, rows: Sequence[Row]) -> None:
    """Warns where all labelled rows of a split have the same label."""
    counts = Counter(row.label for row in rows if row.label is not None)
    if len(counts) != 1:
        return
    ((label, count),) = counts.items()
    effect = "the model learns to answer nothing else" if split == TRAIN else "a model that always answers it scores 1"
    _log.warning(
        "%s: %s the label '%s', of the task's %d (%s): %s.",
        path,
        "the only row has" if count == 1 else "all {:,} rows have".format(count),
        label,
        len(task.labels),
        label_list(task.labels),
        effect,
    )


def read_split(task: Task, data_dir: Optional[str], split: str) -> List[Row]:
    """Reads and checks all rows of a split.

    Args:
      task: the declaration of the task.
      data_dir: the folder with its files; None where the task has their whole paths.
      split: "train", "dev" or "test".

    Returns:
      The rows in file order, at least one. In a test file either all rows have a label or none has, except those whose
      label means "no label" (`Task.left_out_labels`).

    Raises:
      UserError: the file is missing or has no rows, or a line of it has a fault.
    """
    path = split_path(task, data_dir, split)
    check = _Check(task, split, path)
    rows: List[Row] = []
    for found in task.read_rows(path):
        row = found if isinstance(found, LeftOut) else check.checked(found)
        if isinstance(row, LeftOut):
            check.leave_out(row)
        else:
            rows.append(row._replace(row_id=len(rows)))
    if not rows:
        raise UserError("{} has no rows: give a file with at least one row of the task {}".format(path, task.name))
    check.log_findings()
    if split == SPLIT_WITHOUT_LABELS and not any(row.all_labels for row in rows):
        return [row._replace(labels=None) for row in rows]  # a column of labels that nobody has filled in
    return rows


def split_path(task: Task, data_dir: Optional[str], split: str) -> str:
    """Returns the path of the file of a split: the first of the task's names that exists.

    Raises:
      UserError: the folder or the file is missing.
    """
    names = task.files.get(split, ())
    if not names:
        raise UserError("the task {} names no file of its {} split".format(task.name, split))
    wanted = " or ".join(names)
    if data_dir is not None and not os.path.isdir(data_dir):
        raise UserError("there is no folder {}: it must hold {}".format(data_dir, wanted))
    for name in names:
        path = os.path.join(data_dir or "", name)
        if os.path.isfile(path):
            return path
    place = "the folder {} has no".format(data_dir) if data_dir is not None else "there is no file"
    raise UserError("{} {}: put the {} rows of the task {} there".format(place, wanted, split, task.name))


def with_labels(task: Task, data_dir: Optional[str]) -> Task:
    """Returns the task with labels; if it declares none, those of its train split: numbers by value, others by code."""
    if task.labels:
        return task
    found = {label for row in read_split(task, data_dir, TRAIN) for label in row.all_labels or ()}
    if len(found) < 2:
        raise UserError(
            "{} has {}: a classifier needs at least two".format(
                split_path(task, data_dir, TRAIN), "only one label ('{}')".format(found.pop()) if found else "no label"
            )
        )
    are_numbers = all(label.isdecimal() for label in found)
    labels = tuple(sorted(found, key=lambda label: (int(label) if are_numbers else 0, label)))
    _warn_of_like_labels(split_path(task, data_dir, TRAIN), labels)
    if task.similar_label is not None:
        checked_similar_label(labels, task.similar_label)
    return task._replace(labels=labels)


def _warn_of_like_labels(path: str, labels: Sequence[str]) -> None:
    """Warns of labels that differ only in case, width or invisible characters."""
    known: Dict[str, str] = {}
    for label in labels:
        before = known.setdefault(_look(label), label)
        if before != label:
            _log.warning(
                "%s has the labels %r and %r, which look alike: they are two labels to learn.", path, before, label
            )


def _look(label: str) -> str:
    """What a reader sees of a label, without case and width."""
    shown = "".join(char for char in label if unicodedata.category(char) not in ("Cf", "Cc", "Zs"))
    return unicodedata.normalize("NFKC", shown).casefold()


class _Check:
    """Check of the rows of one file, in their order."""

    def __init__(self, task: Task, split: str, path: str) -> None:
        self._task = task
        self._needs_labels = split != SPLIT_WITHOUT_LABELS
        self._path = path
        self._known = frozenset(task.labels)
        self._aliases = dict(task.label_aliases)
        self._first: Optional[Row] = None
        self._lines_of_ids: Dict[str, int] = {}
        self._repeated: List[Row] = []
        self._left_out: Counter = Counter()

    def checked(self, row: Row) -> Union[Row, LeftOut]:
        """Returns the row with the declared name of its label; `LeftOut` where the label means "no label".

        Raises:
          UserError: the row has a fault.
        """
        self._check_texts(row)
        if row.label == "" and not self._needs_labels:
            row = row._replace(label=None)  # a column of labels that nobody has filled in
        label = row.label if row.label is None else self._aliases.get(row.label, row.label)
        if row.labels is not None:
            for each in row.labels:
                self._check_label(row, each)
        elif label in self._task.left_out_labels:
            if self._needs_labels:
                return LeftOut(row.line, "with the label '{}'".format(label))
            label = None
        else:
            self._check_label(row, label)
        if not self._needs_labels and self._first:
            self._check_likeness(row, self._first)
        self._check_id(row)
        self._first = self._first or row
        return row if label is row.label else row._replace(label=label)

    def _error(self, row: Row, fault: str) -> UserError:
        return UserError("{} {} {} {}".format(self._path, row.unit, row.line, fault))

    def _check_texts(self, row: Row) -> None:
        self._check_text(row, "first", row.text_a)
        if row.text_b is not None:
            self._check_text(row, "second", row.text_b)
        for number, text in enumerate(row.choices):
            self._check_text(row, "choice {}".format(number), text)

    def _check_text(self, row: Row, place: str, text: str) -> None:
        fault = text_fault(text, place + " ")
        if fault:
            raise self._error(row, fault)

    def _check_label(self, row: Row, label: Optional[str]) -> None:
        labels = label_list(self._task.labels)
        if label is None:
            if self._needs_labels:
                known = " (one of {})".format(labels) if labels else ""
                fault = "has no label{}: only the {} split may have none".format(known, SPLIT_WITHOUT_LABELS)
                raise self._error(row, fault + (_WITH_COLUMNS if self._task.is_multilabel and not labels else ""))
        elif labels and label not in self._known:
            raise self._error(
                row,
                "has the unknown label '{}': the labels of the task {} are {}".format(label, self._task.name, labels),
            )
        elif not label:
            raise self._error(row, "has an empty label")

    def _check_likeness(self, row: Row, first: Row) -> None:
        """Checks that all rows of a test file have a label, or none has; and the same of ids."""
        for name, ours, theirs in (("label", row.all_labels, first.all_labels), ("id", row.own_id, first.own_id)):
            if (ours is None) != (theirs is None):
                without, other = (row, first) if ours is None else (first, row)
                raise self._error(
                    without,
                    "has no {0}, but {1} {2} has one: give all rows a{3} {0} or none".format(
                        name, other.unit, other.line, "n" if name == "id" else ""
                    ),
                )

    def _check_id(self, row: Row) -> None:
        if row.own_id is None:
            if self._task.id_name is not None and not self._needs_labels:
                raise self._error(
                    row,
                    "has no id: the task names the column '{}' for it, which the {} split must have".format(
                        self._task.id_name, SPLIT_WITHOUT_LABELS
                    ),
                )
            return
        before = self._lines_of_ids.setdefault(str(row.own_id), row.line)
        if before != row.line:
            if not self._needs_labels:
                raise self._error(
                    row, "has the id {}, as has {} {}: give each its own".format(row.own_id, row.unit, before)
                )
            self._repeated.append(row)

    def leave_out(self, row: LeftOut) -> None:
        """Counts a row that is not for this task."""
        self._left_out[row.reason] += 1

    def log_findings(self) -> None:
        """Logs what was left out, and repeated ids."""
        for reason, count in sorted(self._left_out.items()):
            _log.info("%s: %s %s left out.", self._path, _count(count), reason)
        if self._repeated:
            _log.info(
                "%s: %s with the id of an earlier one, the first in %s %d; all are kept.",
                self._path,
                _count(len(self._repeated)),
                self._repeated[0].unit,
                self._repeated[0].line,
            )


def _count(rows: int) -> str:
    return "{:,} row{}".format(rows, "" if rows == 1 else "s")
