"""Guessing in classification: what is reached without reading the texts, and answers that look like it."""

from __future__ import annotations

from typing import List, Optional, Sequence

import numpy as np

from albert.finetuning.classification.answers import gold_of
from albert.finetuning.sameness import is_nearly_all
from albert.monitor.goal import Baseline
from albert.tasks.metrics import METRICS
from albert.tasks.rows import Row
from albert.tasks.task import Task

_LEAST_EXCESS = 0.1  # of a label among the predictions over its share among the rows


def commonest_label_baseline(task: Task, rows: Sequence[Row]) -> Optional[Baseline]:
    """The task's metric where the commonest label is given to every row; None where no row has a label."""
    gold = gold_of(task, rows).label_ids
    if not gold:
        return None
    commonest = int(_counts(task, gold).argmax())
    return Baseline("the commonest label", METRICS[task.metric]([commonest] * len(gold), gold))


def one_label_for_all(task: Task, rows: Sequence[Row], answers: np.ndarray) -> Optional[str]:
    """Words on a label that nearly all rows are given though fewer have it; None where there is none.

    Args:
      task: the rows' task.
      rows: in file order.
      answers: the natural logarithms of the labels' probabilities, [rows, labels].
    """
    gold = gold_of(task, rows)
    predicted = _counts(task, answers[gold.indices].argmax(axis=1).tolist())
    label, num_rows = int(predicted.argmax()), len(gold.indices)
    count, right = int(predicted[label]), int(_counts(task, gold.label_ids)[label])
    if not is_nearly_all(count, num_rows) or count < right + _LEAST_EXCESS * num_rows:
        return None
    return "the label {} is predicted for {:,} of {:,} rows, and {:,} have it".format(
        task.labels[label], count, num_rows, right
    )


def _counts(task: Task, label_ids: List[int]) -> np.ndarray:
    return np.bincount(label_ids, minlength=len(task.labels))
