"""Scores of rows with several labels: figures, report, losses, and what guessing reaches."""

from __future__ import annotations

from collections import Counter
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

from albert.files.complete import CompleteFile
from albert.finetuning.sameness import is_nearly_all
from albert.monitor.goal import Baseline
from albert.tasks.multilabel_metrics import METRICS, scores_of_labels
from albert.tasks.rows import Row
from albert.tasks.task import Task

_LEAST_EXCESS = 0.1  # of a set of labels among the predictions over its share among the rows


def gold_of(task: Task, rows: Sequence[Row]) -> Tuple[List[int], np.ndarray]:
    """Finds the rows whose labels are known, and whether each has each label: bool [rows, labels]."""
    ids = {label: label_id for label_id, label in enumerate(task.labels)}
    indices = [index for index, row in enumerate(rows) if row.labels is not None]
    gold = np.zeros([len(indices), len(task.labels)], bool)
    for place, index in enumerate(indices):
        gold[place, [ids[label] for label in rows[index].labels or ()]] = True
    return indices, gold


def figures(task: Task, predicted: np.ndarray, gold: np.ndarray) -> Dict[str, float]:
    """Computes micro F1, macro F1 and the task's metric."""
    names = dict.fromkeys(("micro_f1", "macro_f1", task.metric))
    return {name: METRICS[name](predicted, gold) for name in names}


def losses(logits: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """Computes the mean sigmoid cross entropy of the labels of each row: [rows, labels] -> [rows]."""
    signed = np.where(gold, -logits, logits)
    found: np.ndarray = (np.maximum(signed, 0) + np.log1p(np.exp(-np.abs(signed)))).mean(axis=1)
    return found


def write_report(path: str, task: Task, predicted: np.ndarray, gold: np.ndarray, thresholds: Sequence[float]) -> None:
    """Writes all metrics, and threshold and scores of each label, as text; tabs separate columns."""
    lines = ["{}\t{:.4f}".format(name, metric(predicted, gold)) for name, metric in METRICS.items()]
    lines += ["", "label\tthreshold\trows\tpredicted\tprecision\trecall\tf1"]
    for label, threshold, score in zip(task.labels, thresholds, scores_of_labels(predicted, gold)):
        lines.append("{}\t{:.4f}\t{}\t{}\t{:.4f}\t{:.4f}\t{:.4f}".format(label, threshold, *score))
    with CompleteFile(path) as file:
        file.write(("\n".join(lines) + "\n").encode("utf-8"))


def baseline(task: Task, rows: Sequence[Row]) -> Optional[Baseline]:
    """Finds what the task's metric reaches without reading a text; None where no row has known labels.

    An F1 is reached by every label for every row, the share of rows that are right by the commonest labels of a row.
    """
    _, gold = gold_of(task, rows)
    if not len(gold):
        return None
    if task.metric != "accuracy":
        return Baseline("every label for every row", METRICS[task.metric](np.ones_like(gold), gold))
    commonest, _ = Counter(map(bytes, gold)).most_common(1)[0]
    same = np.repeat(np.frombuffer(commonest, bool)[np.newaxis], len(gold), axis=0)
    return Baseline("the commonest labels", METRICS[task.metric](same, gold))


def same_labels_for_all(task: Task, predicted: np.ndarray, gold: np.ndarray) -> Optional[str]:
    """Says which labels nearly all rows are given though fewer have just these; None where there are none."""
    (common, count), *_ = Counter(map(bytes, predicted)).most_common(1)
    right = sum(bytes(row) == common for row in gold)
    if not is_nearly_all(count, len(gold)) or count < right + _LEAST_EXCESS * len(gold):
        return None
    names = [label for label, is_given in zip(task.labels, np.frombuffer(common, bool)) if is_given]
    return "{} {} predicted for {:,} of {:,} rows, and {:,} have just {}".format(
        "the labels {}".format(", ".join(names)) if names else "no label",
        "are" if names else "is",
        count,
        len(gold),
        right,
        "these" if names else "none",
    )
