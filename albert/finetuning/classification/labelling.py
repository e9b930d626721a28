"""Labelling: what a task makes of a classifier's answers, for one label a row and for several.

Answers are logits [rows, labels]; those of labels that exclude each other are logarithms of probabilities.
"""

from __future__ import annotations

import json
import os
from typing import Dict, List, Optional, Sequence, Tuple

import numpy as np

from albert.checkpoints.description import ModelFolder
from albert.files.complete import CompleteFile
from albert.finetuning.classification import guessing, several_labels
from albert.finetuning.classification.answers import gold_of, score_classification
from albert.finetuning.classification.losses import LabelLoss, guessing_sigmoid_loss, guessing_softmax_loss
from albert.finetuning.classification.mistakes import Mistake
from albert.monitor.goal import Baseline
from albert.tasks import submission
from albert.tasks.multilabel_metrics import Thresholds, best_thresholds, default_thresholds
from albert.tasks.rows import Row
from albert.tasks.task import Task
from albert.text.long_texts import log_softmax, merge_independent, merge_windows, sigmoid

Rows = Sequence[Row]
Figures = Dict[str, float]  # by name


class OneLabel:
    """Labelling of rows that have one label, or of which one choice is right."""

    thresholds: Optional[Tuple[float, ...]] = None

    def __init__(self, task: Task) -> None:
        self._task = task

    def fit(self, rows: Rows, answers: np.ndarray) -> None:
        """Learns from a labelled split what answers are made by; here nothing."""

    def recall(self, description: Optional[ModelFolder]) -> None:
        """Takes what a model's folder says of that; here nothing."""

    def unknown(self) -> List[str]:
        """Labels of which the split said nothing."""
        return []

    def merged(self, answers: np.ndarray, counts: Sequence[int], long_text: str) -> np.ndarray:
        """Merges the answers of windows into those of rows (`long_texts.merge_windows`)."""
        return log_softmax(merge_windows(answers, counts, long_text))

    def probabilities(self, answers: np.ndarray) -> np.ndarray:
        """Computes the probabilities of all labels, [rows, labels]."""
        found: np.ndarray = np.exp(answers)
        return found

    def from_probabilities(self, probabilities: np.ndarray) -> np.ndarray:
        """Computes answers from probabilities."""
        found: np.ndarray = np.log(np.maximum(probabilities, np.finfo(np.float32).tiny))
        return found

    def counts(self, rows: Rows) -> np.ndarray:
        """Counts the rows of each label."""
        return np.bincount(gold_of(self._task, rows).label_ids, minlength=len(self._task.labels))

    def strata(self, rows: Rows) -> List[str]:
        """Names the stratum of each row: rows of a stratum are alike in their labels."""
        return [row.label or "" for row in rows]

    def score(self, rows: Rows, answers: np.ndarray, *, report_path: str, prefix: str = "") -> Figures:
        """Scores answers; see `Problem.score`. The report holds all metrics and the confusion matrix."""
        return score_classification(self._task, rows, answers, report_path=report_path, prefix=prefix)

    def write_labels(self, output_dir: str, rows: Rows, answers: np.ndarray) -> str:
        """Writes the submission of a test split, checks it, and says what it is."""
        path = os.path.join(output_dir, submission.file_name(self._task))
        submission.write(path, self._task, rows, answers.argmax(axis=1).tolist())
        return "submission, checked (rows, ids, labels): {}".format(path)

    def mistakes(self, rows: Rows, answers: np.ndarray) -> List[Mistake]:
        """Finds the rows whose label is another than the most probable one."""
        gold = gold_of(self._task, rows)
        predicted, labels = answers.argmax(axis=1), self._task.labels
        return [
            Mistake(
                rows[index],
                -float(answers[index, label]),
                (labels[label],),
                (labels[predicted[index]],),
                self.probabilities(answers[index]),
            )
            for index, label in zip(gold.indices, gold.label_ids)
            if predicted[index] != label
        ]

    def baseline(self, rows: Rows) -> Optional[Baseline]:
        """See `Problem`: the commonest label for every row."""
        return guessing.commonest_label_baseline(self._task, rows)

    def guessing_loss(self, rows: Rows, loss: LabelLoss) -> Optional[float]:
        """See `Problem`."""
        counts = self.counts(rows)
        return guessing_softmax_loss(counts, loss) if counts.any() else None

    def sameness(self, rows: Rows, answers: np.ndarray) -> Optional[str]:
        """See `Problem`: one label for nearly all rows."""
        return guessing.one_label_for_all(self._task, rows, answers)


class SeveralLabels(OneLabel):
    """Labelling of rows that have any number of labels: those whose probability reaches their threshold."""

    def __init__(self, task: Task) -> None:
        super().__init__(task)
        self._thresholds = default_thresholds(len(task.labels))

    @property
    def thresholds(self) -> Tuple[float, ...]:  # type: ignore[override]
        """The thresholds by the labels' ids."""
        return self._thresholds.values

    def fit(self, rows: Rows, answers: np.ndarray) -> None:
        """Chooses the threshold of each label at which its F1 is the highest."""
        indices, gold = several_labels.gold_of(self._task, rows)
        if len(indices):
            self._thresholds = best_thresholds(self.probabilities(answers[indices]), gold)

    def recall(self, description: Optional[ModelFolder]) -> None:
        """Takes the thresholds in a model's folder."""
        if description and description.thresholds and description.labels == self._task.labels:
            self._thresholds = Thresholds(description.thresholds)

    def unknown(self) -> List[str]:
        """Labels that no row has, so that nothing tells their threshold."""
        return [self._task.labels[label] for label in self._thresholds.unknown]

    def merged(self, answers: np.ndarray, counts: Sequence[int], long_text: str) -> np.ndarray:
        """See `OneLabel`."""
        return merge_independent(answers, counts, long_text)

    def probabilities(self, answers: np.ndarray) -> np.ndarray:
        """See `OneLabel`; each from 0 to 1."""
        return sigmoid(answers).astype(np.float32)

    def from_probabilities(self, probabilities: np.ndarray) -> np.ndarray:
        """See `OneLabel`."""
        least = np.finfo(np.float32).tiny
        values = np.asarray(probabilities, np.float64)
        found: np.ndarray = np.log(np.maximum(values, least)) - np.log(np.maximum(1.0 - values, least))
        return found

    def counts(self, rows: Rows) -> np.ndarray:
        """See `OneLabel`."""
        counts: np.ndarray = several_labels.gold_of(self._task, rows)[1].sum(axis=0)
        return counts

    def strata(self, rows: Rows) -> List[str]:
        """See `OneLabel`; the rarest label of each row, so that its rows are spread over all folds."""
        rank = dict(zip(self._task.labels, self.counts(rows)))
        return [min(row.labels, key=lambda label: (rank[label], label)) if row.labels else "" for row in rows]

    def score(self, rows: Rows, answers: np.ndarray, *, report_path: str, prefix: str = "") -> Figures:
        """See `OneLabel`; the report holds all metrics, and of each label its threshold and scores."""
        indices, gold = several_labels.gold_of(self._task, rows)
        if not len(indices):
            return {}
        chosen = answers[indices]
        predicted = self._thresholds.decide(self.probabilities(chosen))
        several_labels.write_report(report_path, self._task, predicted, gold, self.thresholds)
        figures = several_labels.figures(self._task, predicted, gold)
        figures["loss"] = float(several_labels.losses(chosen, gold).mean(dtype=np.float64))
        return {prefix + name: value for name, value in figures.items()}

    def write_labels(self, output_dir: str, rows: Rows, answers: np.ndarray) -> str:
        """Writes a JSON object for each row, with its id and its labels, and says what it is."""
        path = os.path.join(output_dir, submission.file_name(self._task))
        decided = self._thresholds.decide(self.probabilities(answers))
        with CompleteFile(path) as file:
            for row, given in zip(rows, decided):
                answer = {"id": submission.id_of(row), "labels": self._names(given)}
                file.write((json.dumps(answer, ensure_ascii=False) + "\n").encode("utf-8"))
        return "labels of each row: {}".format(path)

    def _names(self, given: np.ndarray) -> List[str]:
        return [label for label, is_given in zip(self._task.labels, given) if is_given]

    def mistakes(self, rows: Rows, answers: np.ndarray) -> List[Mistake]:
        """Finds the rows that lack one of their labels or were given another one."""
        indices, gold = several_labels.gold_of(self._task, rows)
        probabilities = self.probabilities(answers[indices])
        predicted, losses = self._thresholds.decide(probabilities), several_labels.losses(answers[indices], gold)
        wrong = np.flatnonzero((predicted != gold).any(axis=1))
        return [
            Mistake(
                rows[indices[place]],
                float(losses[place]),
                self._names(gold[place]),
                self._names(predicted[place]),
                probabilities[place],
            )
            for place in wrong
        ]

    def baseline(self, rows: Rows) -> Optional[Baseline]:
        """See `Problem`: every label for every row, or the commonest labels of a row where all must be right."""
        return several_labels.baseline(self._task, rows)

    def guessing_loss(self, rows: Rows, loss: LabelLoss) -> Optional[float]:
        """See `Problem`."""
        return guessing_sigmoid_loss(self.counts(rows) / len(rows), loss)

    def sameness(self, rows: Rows, answers: np.ndarray) -> Optional[str]:
        """See `Problem`: the same labels for nearly all rows."""
        indices, gold = several_labels.gold_of(self._task, rows)
        decided = self._thresholds.decide(self.probabilities(answers[indices]))
        return several_labels.same_labels_for_all(self._task, decided, gold)


def labelling_of(task: Task) -> OneLabel:
    """Returns the labelling of a task."""
    return SeveralLabels(task) if task.is_multilabel else OneLabel(task)
