"""Classification as a problem of fine-tuning: a label of each sentence or pair, or the right one of a row's choices."""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.batches.length_buckets import share_told_by_length
from albert.batches.row_values import with_row_values
from albert.checkpoints.description import read_description
from albert.checkpoints.training_folder import latest_checkpoint
from albert.finetuning.classification.answers import gold_of, score_classification, write_probabilities
from albert.finetuning.classification.distillation import TEACHER_PROBABILITIES, Distillation, guessing_loss
from albert.finetuning.classification.features import record_encoder
from albert.finetuning.classification.guessing import commonest_label_baseline, label_entropy, one_label_for_all
from albert.finetuning.classification.model import Classifier, classification_objective
from albert.finetuning.classification.teacher import Teacher, read_teacher
from albert.finetuning.feature_cache import RecordEncoder
from albert.finetuning.problem import FineTuningRun, Problem, Split, results_name
from albert.finetuning.settings import ClassificationSettings
from albert.finetuning.task import find_task
from albert.model.outputs import CLASSIFIER
from albert.model.types import Tensor
from albert.monitor.goal import Baseline
from albert.tasks import submission
from albert.tasks.rows import Row
from albert.tasks.splits import TEST, TRAIN, read_splits
from albert.tasks.task import Task, label_list
from albert.training.run_model import RunModel
from albert.training.step import Features, Objective

_log = logging.getLogger(__name__)

# Of LCQMC's labels length explains 0.07, and buckets do no harm; where it explained 0.18 a small model learned nothing.
_MUCH_TOLD_BY_LENGTH = 0.12


class Classification(Problem):
    """Classification as a `Problem`."""

    head = CLASSIFIER

    def __init__(self, run: FineTuningRun) -> None:
        super().__init__(run)
        self._use_pooled_output = _use_pooled_output(run.settings, run.model)
        self._softened: Optional[np.ndarray] = None  # a teacher's probabilities of the train split, [rows, labels]

    @staticmethod
    def find_task(settings: ClassificationSettings) -> Task:
        """See `Problem`."""
        return find_task(settings)

    def read_splits(self, splits: Sequence[str]) -> Dict[str, List[Row]]:
        """See `Problem`."""
        settings, task = self.run.settings, self.run.task
        rows = read_splits(task, settings.data_dir, splits)
        if settings.do_train and settings.bucket_by_length and not settings.use_tpu:
            _warn_of_like_labels(rows[TRAIN], settings)
        if settings.teacher_predictions:
            teacher = read_teacher(settings.teacher_predictions, num_rows=len(rows[TRAIN]), labels=task.labels)
            _report_teacher(teacher, task, rows[TRAIN], settings.teacher_predictions)
            self._softened = teacher.softened(settings.teacher_temperature)
        return rows

    def encoder(self, split: str) -> RecordEncoder:
        """See `Problem`."""
        del split  # all are alike
        return record_encoder(self.run.task, self.run.tokenizer, self.run.settings.max_seq_length)

    @property
    def max_record_length(self) -> int:
        """See `Problem`."""
        return int(self.run.settings.max_seq_length * max(1, self.run.task.num_choices))

    @property
    def predicted_split(self) -> str:
        """See `Problem`."""
        return str(self.run.settings.predict_split)

    def description(self) -> Dict[str, Any]:
        """See `Problem`."""
        return {"use_pooled_output": self._use_pooled_output, "similar_label": self.run.task.similar_label}

    def training_files(self) -> Dict[str, List[str]]:
        """See `Problem`."""
        path = self.run.settings.teacher_predictions
        return {"teacher_predictions": [path]} if path else {}

    def training_batches(self, batches: Any) -> Any:
        """See `Problem`; the teacher's softened probabilities of each row."""
        return batches if self._softened is None else with_row_values(batches, TEACHER_PROBABILITIES, self._softened)

    def objective(self) -> Objective:
        """See `Problem`."""
        return classification_objective(self._classifier(), self._distillation())

    def _distillation(self) -> Optional[Distillation]:
        settings = self.run.settings
        if not settings.teacher_predictions:
            return None
        return Distillation(settings.teacher_weight, settings.teacher_temperature)

    def answers(self, features: Features) -> Tensor:
        """See `Problem`; natural logarithms of probabilities, float32 [B, labels]."""
        return self._classifier().log_probabilities(features)

    def _classifier(self) -> Classifier:
        settings, family, model, task, _ = self.run
        return Classifier(
            family, model.config, len(task.labels), self._use_pooled_output, settings.use_tpu, task.num_choices > 0
        )

    def score(self, split: Split, answers: List[np.ndarray], *, report_path: str, prefix: str = "") -> Dict[str, float]:
        """See `Problem`; the report holds all metrics and the confusion matrix."""
        return score_classification(
            self.run.task, split.rows, np.stack(answers), report_path=report_path, prefix=prefix
        )

    def write_predictions(self, split: Split, answers: List[np.ndarray]) -> str:
        """Writes the labels' probabilities and, of test, the submission, each a line per row in file order."""
        task, output_dir = self.run.task, self.run.settings.output_dir
        log_probabilities = np.stack(answers)
        path = os.path.join(output_dir, results_name(self.predicted_split) + ".tsv")
        write_probabilities(path, log_probabilities)
        if self.predicted_split != TEST:
            return path
        handed_in = os.path.join(output_dir, submission.file_name(task))
        submission.write(handed_in, task, split.rows, log_probabilities.argmax(axis=1).tolist())
        return "{}; submission, checked (rows, ids, labels): {}".format(path, handed_in)

    def baseline(self, split: Split) -> Optional[Baseline]:
        """See `Problem`: the commonest label for every row."""
        return commonest_label_baseline(self.run.task, split.rows)

    def guessing_loss(self, split: Split) -> Optional[float]:
        """See `Problem`."""
        entropy, distillation = label_entropy(self.run.task, split.rows), self._distillation()
        if entropy is None or self._softened is None or distillation is None:
            return entropy
        return guessing_loss(entropy, self._softened, distillation)

    def sameness(self, split: Split, answers: List[np.ndarray]) -> Optional[str]:
        """See `Problem`: one label for nearly all rows."""
        return one_label_for_all(self.run.task, split.rows, np.stack(answers))


def _warn_of_like_labels(rows: Sequence[Row], settings: ClassificationSettings) -> None:
    """Warns where batches of like length would be batches of like labels."""
    lengths = [len(row.text_a) + len(row.text_b or "") + sum(map(len, row.choices)) for row in rows]
    lengths_to_see = np.minimum(lengths, settings.max_seq_length)
    share = share_told_by_length(lengths_to_see, np.array([row.label for row in rows]), settings.train_batch_size)
    if share > _MUCH_TOLD_BY_LENGTH:
        _log.warning(
            "train: texts of like length have like labels (length explains %.0f %% of the variance of labels), and so "
            "would batches of like length: if training comes to nothing, give --bucket_by_length=False (slower).",
            100 * share,
        )


def _report_teacher(teacher: Teacher, task: Task, rows: Sequence[Row], path: str) -> None:
    """Logs what a teacher's file holds; warns where guessing is as good: rows or labels may have another order."""
    label_ids = gold_of(task, rows).label_ids
    accuracy = float(np.mean(teacher.log_probabilities.argmax(axis=1) == label_ids))
    commonest = float(np.bincount(label_ids).max()) / len(rows)
    content = "logits" if teacher.has_logits else "probabilities"
    _log.info("Teacher: %s of %s rows in %s, accuracy %.1f %%", content, format(len(rows), ","), path, 100 * accuracy)
    if accuracy <= commonest < 1.0:
        _log.warning(
            "%s has an accuracy of %.1f %% on the train split, and the commonest label %.1f %%: are its rows in "
            "the order of that split, and its columns in the order of the labels %s?",
            path,
            100 * accuracy,
            100 * commonest,
            label_list(task.labels),
        )


def _use_pooled_output(settings: ClassificationSettings, model: RunModel) -> bool:
    """Finds use_pooled_output: the user's, else the model folder's; that of checkpoints already trained is final."""
    is_resumed = latest_checkpoint(settings.output_dir) is not None
    trained = read_description(settings.output_dir) if is_resumed else None
    if trained is None:
        return settings.value_or("use_pooled_output", model.use_pooled_output)
    if trained.use_pooled_output != settings.value_or("use_pooled_output", trained.use_pooled_output):
        raise UserError(
            "the checkpoints in {} were trained with --use_pooled_output={}: give another --output_dir".format(
                settings.output_dir, trained.use_pooled_output
            )
        )
    return trained.use_pooled_output
