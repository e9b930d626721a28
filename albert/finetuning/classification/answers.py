"""Answers of a classifier for the rows of a split, and their scores by the task's metric."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence

import numpy as np

from albert.files.complete import CompleteFile
from albert.tasks.metrics import METRICS, confusion_matrix, label_scores
from albert.tasks.rows import Row
from albert.tasks.task import Task


class Gold(NamedTuple):
    """The rows of a split that have a label."""

    indices: List[int]
    label_ids: List[int]


def gold_of(task: Task, rows: Sequence[Row]) -> Gold:
    """Finds the rows that have a label, and their labels."""
    ids = {label: label_id for label_id, label in enumerate(task.labels)}
    labelled = [(index, row.label) for index, row in enumerate(rows) if row.label is not None]
    return Gold([index for index, _ in labelled], [ids[label] for _, label in labelled])


def score_classification(
    task: Task, rows: Sequence[Row], answers: np.ndarray, *, report_path: str, prefix: str = ""
) -> Dict[str, float]:
    """Scores answers of rows that have a label: mean loss, accuracy, the task's metric; none where no row has one.

    Args:
      task: the rows' task.
      rows: in file order.
      answers: the natural logarithms of the labels' probabilities, float32 [rows, labels].
      report_path: where `write_report` puts all that is more than these figures.
      prefix: goes before each figure's name.
    """
    gold = gold_of(task, rows)
    if not gold.indices:
        return {}
    predicted = answers[gold.indices].argmax(axis=1).tolist()
    write_report(report_path, task.labels, predicted, gold.label_ids)
    scores = {name: METRICS[name](predicted, gold.label_ids) for name in ("accuracy", task.metric)}
    scores["loss"] = -float(answers[gold.indices, gold.label_ids].mean(dtype=np.float64))
    return {prefix + name: value for name, value in scores.items()}


def write_report(path: str, labels: Sequence[str], predicted: Sequence[int], gold: Sequence[int]) -> None:
    """Writes all metrics, the scores of each label and the confusion matrix as text; tabs separate columns."""
    matrix = confusion_matrix(predicted, gold, len(labels))
    lines = ["{}\t{:.4f}".format(name, METRICS[name](predicted, gold)) for name in METRICS]
    lines += ["", "label\trows\tpredicted\tprecision\trecall\tf1"]
    for label, score in zip(labels, label_scores(matrix)):
        lines.append("{}\t{}\t{}\t{:.4f}\t{:.4f}\t{:.4f}".format(label, *score))
    lines += ["", "rows by gold label (down) and predicted label (across)", "\t" + "\t".join(labels)]
    lines += ["{}\t{}".format(label, "\t".join(map(str, row))) for label, row in zip(labels, matrix)]
    with CompleteFile(path) as file:
        file.write(("\n".join(lines) + "\n").encode("utf-8"))


def write_probabilities(path: str, probabilities: np.ndarray) -> None:
    """Writes a line per row in file order: the labels' probabilities, exact to float32, separated by tabs."""
    with CompleteFile(path) as file:
        for row in probabilities:
            file.write(("\t".join("{:.9g}".format(value) for value in row) + "\n").encode("utf-8"))
