"""Submission of a test split: a JSON object per row in file order, and the check of such a file."""

from __future__ import annotations

import json
from typing import Any, Dict, Sequence, Union

from albert.base.errors import UserError
from albert.files.complete import CompleteFile
from albert.tasks.json_rows import json_objects
from albert.tasks.rows import Row
from albert.tasks.task import Task, label_list

_ID, _LABEL, _DESCRIPTION = "id", "label", "label_desc"


def file_name(task: Task) -> str:
    """Returns the file name of a task's submission (docs/en/tasks.md, "Submissions")."""
    return task.name + "_predict.json"


def write(path: str, task: Task, rows: Sequence[Row], predicted: Sequence[int]) -> None:
    """Writes the labels of all rows of a test split, and checks the file.

    Args:
      path: the file; complete or absent.
      task: the rows' task.
      rows: in file order.
      predicted: a label id for each row.

    Raises:
      UserError: the file cannot be written.
    """
    if len(rows) != len(predicted):
        raise ValueError("{} predictions for {} rows".format(len(predicted), len(rows)))
    with CompleteFile(path) as file:
        for row, label_id in zip(rows, predicted):
            line = json.dumps(_answer(task, row, task.labels[label_id]), ensure_ascii=False)
            file.write((line + "\n").encode("utf-8"))
    check(path, task, rows)


def _answer(task: Task, row: Row, label: str) -> Dict[str, Any]:
    answer = {_ID: id_of(row), _LABEL: label}
    if task.label_descriptions is not None:
        answer[_DESCRIPTION] = task.label_descriptions[label]
    return answer


def id_of(row: Any) -> Union[int, str]:
    """Returns the id of a row of any task in a submission: its own, else its number."""
    return row.row_id if row.own_id is None else row.own_id


def check(path: str, task: Task, rows: Sequence[Row]) -> None:
    """Checks that a file answers all rows of a test split: their number, their ids in file order, known labels.

    Args:
      path: the file, ours or not.
      task: the rows' task.
      rows: in file order.

    Raises:
      UserError: it does not; the first wrong line is named.
    """
    count = 0
    for count, answer in enumerate(json_objects(path), start=1):
        if count > len(rows):
            raise answer.error("is one too many: the test split has {} rows".format(len(rows)))
        own_id = id_of(rows[count - 1])
        if answer.own_id((_ID,)) != own_id:
            raise answer.error(
                "has the id {}, row {} of the test split has {}".format(
                    json.dumps(answer.value(_ID), ensure_ascii=False), count, json.dumps(own_id, ensure_ascii=False)
                )
            )
        label = answer.text(_LABEL)
        if label not in task.labels:
            raise answer.error(
                "has the unknown label '{}': the labels of the task {} are {}".format(
                    label, task.name, label_list(task.labels)
                )
            )
        expected = _answer(task, rows[count - 1], label)
        if answer.values != expected:
            raise answer.error("must be {}".format(json.dumps(expected, ensure_ascii=False)))
    if count < len(rows):
        raise UserError("{} ends after {} rows: the test split has {}".format(path, count, len(rows)))
