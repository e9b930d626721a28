"""Classification as a problem of fine-tuning: a label or several of each sentence or pair, or a row's right choice."""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from albert.base.errors import UserError
from albert.batches.length_buckets import share_told_by_length
from albert.batches.row_values import with_row_values
from albert.checkpoints.description import ModelFolder, read_description
from albert.checkpoints.training_folder import latest_checkpoint
from albert.finetuning.classification import folds
from albert.finetuning.classification.answers import gold_of, write_probabilities
from albert.finetuning.classification.class_weights import BALANCED, balanced_weights, read_weights
from albert.finetuning.classification.distillation import TEACHER_PROBABILITIES, Distillation, guessing_loss
from albert.finetuning.classification.features import Reading, record_encoder, sequences_of_rows
from albert.finetuning.classification.labelling import labelling_of
from albert.finetuning.classification.losses import LabelLoss
from albert.finetuning.classification.mistakes import write_mistakes
from albert.finetuning.classification.model import Classifier, classification_objective
from albert.finetuning.classification.teacher import Teacher, read_teacher
from albert.finetuning.feature_cache import RecordEncoder
from albert.finetuning.problem import FineTuningRun, OncePerSplit, Problem, Split, TrainFold, results_name
from albert.finetuning.settings import ClassificationSettings
from albert.finetuning.task import find_task
from albert.model.outputs import CLASSIFIER
from albert.model.types import Tensor
from albert.monitor.goal import Baseline
from albert.tasks.rows import Row
from albert.tasks.splits import DEV, TEST, TRAIN, read_splits
from albert.tasks.task import Task, label_list
from albert.text.long_texts import CUT
from albert.training.run_model import RunModel
from albert.training.step import Features, Objective

_log = logging.getLogger(__name__)

# Of LCQMC's labels length explains 0.07, and buckets do no harm; where it explained 0.18 a small model learned nothing.
_MUCH_TOLD_BY_LENGTH = 0.12


class Classification(Problem):
    """Classification as a `Problem`."""

    head = CLASSIFIER
    concludes = True

    def __init__(self, run: FineTuningRun) -> None:
        super().__init__(run)
        trained = _trained_description(run.settings)
        self._use_pooled_output = _use_pooled_output(run.settings, run.model, trained)
        self._reading = Reading(run.settings.max_seq_length, _long_text(run.settings, trained))
        _check_kind(run, self._reading, trained)
        self._labelling = labelling_of(run.task)
        self._labelling.recall(trained)
        self._windows = OncePerSplit(self._num_windows)
        self._weights: Optional[Tuple[float, ...]] = None  # of the labels in the loss
        self._softened: Optional[np.ndarray] = None  # a teacher's probabilities of the train split, [rows, labels]
        self._is_unknown_said = False
        self._is_fold = False  # whether the dev split is a part of the train split

    @staticmethod
    def find_task(settings: ClassificationSettings) -> Task:
        """See `Problem`."""
        return find_task(settings)

    def read_splits(self, splits: Sequence[str]) -> Dict[str, List[Row]]:
        """See `Problem`."""
        settings, task = self.run.settings, self.run.task
        rows = read_splits(task, settings.data_dir, splits)
        if settings.do_train and settings.bucket_by_length and not settings.use_tpu and not task.is_multilabel:
            _warn_of_like_labels(rows[TRAIN], settings)
        if settings.do_train:
            self._weigh(rows[TRAIN])
        if settings.teacher_predictions:
            teacher = read_teacher(settings.teacher_predictions, num_rows=len(rows[TRAIN]), labels=task.labels)
            _report_teacher(teacher, task, rows[TRAIN], settings.teacher_predictions)
            self._softened = teacher.softened(settings.teacher_temperature)
        return rows

    def _weigh(self, rows: Sequence[Row]) -> None:
        """Finds the weights of the labels in the loss."""
        chosen, task = self.run.settings.class_weights, self.run.task
        if chosen == BALANCED:
            counts = self._labelling.counts(rows).tolist()
            self._weights = balanced_weights(counts, len(rows), is_multilabel=task.is_multilabel)
        elif chosen:
            self._weights = read_weights(chosen, task.labels)
        if self._weights:
            shown = ["{}: {:.3g}".format(*pair) for pair in zip(task.labels, self._weights)]
            _log.info("Weights of the labels in the loss: %s", label_list(shown))

    def with_rows(self, settings: ClassificationSettings, rows: Dict[str, List[Row]]) -> Classification:
        """Returns the same problem for the run of a fold, of whose rows it knows nothing yet."""
        changed = self.with_settings(settings)
        changed._labelling = labelling_of(self.run.task)
        changed._windows = OncePerSplit(changed._num_windows)
        changed._is_fold = True
        changed._weigh(rows[TRAIN])
        return changed

    def encoder(self, split: str) -> RecordEncoder:
        """See `Problem`."""
        del split  # all are alike
        return record_encoder(self.run.task, self.run.tokenizer, *self._reading)

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
        described: Dict[str, Any] = {
            "use_pooled_output": self._use_pooled_output,
            "similar_label": self.run.task.similar_label,
            "thresholds": self._labelling.thresholds,
        }
        return described if self._reading.long_text == CUT else dict(described, long_text=self._reading.long_text)

    def source_files(self, split: str) -> List[str]:
        """See `Problem`."""
        return super().source_files(TRAIN if self._is_fold and split == DEV else split)

    def training_files(self) -> Dict[str, List[str]]:
        """See `Problem`."""
        settings = self.run.settings
        files = {"teacher_predictions": settings.teacher_predictions}
        if settings.class_weights != BALANCED:
            files["class_weights"] = settings.class_weights
        return {flag: [path] for flag, path in files.items() if path}

    def training_batches(self, batches: Any) -> Any:
        """See `Problem`; the teacher's softened probabilities of each row."""
        return batches if self._softened is None else with_row_values(batches, TEACHER_PROBABILITIES, self._softened)

    def objective(self) -> Objective:
        """See `Problem`."""
        return classification_objective(self._classifier(), self._distillation(), self._label_loss())

    def _label_loss(self) -> LabelLoss:
        smoothing = self.run.settings.label_smoothing
        return LabelLoss(self.run.task.is_multilabel, smoothing, self._weights, self._reading.has_windows)

    def _distillation(self) -> Optional[Distillation]:
        settings = self.run.settings
        if not settings.teacher_predictions:
            return None
        return Distillation(settings.teacher_weight, settings.teacher_temperature)

    def answers(self, features: Features) -> Tensor:
        """See `Problem`; see `Classifier.answers`, float32 [B, labels]."""
        return self._classifier().answers(features)

    def _classifier(self) -> Classifier:
        settings, family, model, task, _ = self.run
        return Classifier(
            family,
            model.config,
            len(task.labels),
            self._use_pooled_output,
            settings.use_tpu,
            task.num_choices > 0,
            task.is_multilabel,
        )

    def answer_settings(self) -> List[Any]:
        """See `Problem`."""
        return [self._reading.long_text] if self._reading.has_windows else []

    def _of_rows(self, split: Split, answers: List[np.ndarray]) -> np.ndarray:
        """The answers for rows, [rows, labels], where records may be windows of them."""
        stacked = np.stack(answers)
        if not self._reading.has_windows:
            return stacked
        return self._labelling.merged(stacked, self._windows.of(split), self._reading.long_text)

    def _num_windows(self, rows: Sequence[Row]) -> List[int]:
        return [len(found) for found in sequences_of_rows(rows, self.run.tokenizer, self._reading)]

    def fit(self, split: Split, answers: List[np.ndarray]) -> None:
        """See `Problem`: the thresholds of several labels a row."""
        self._labelling.fit(split.rows, self._of_rows(split, answers))
        unknown = self._labelling.unknown()
        if unknown and not self._is_unknown_said:
            self._is_unknown_said = True
            _log.warning(
                "dev: no row has %s: a threshold of 0.5 is kept for %s.",
                "the label " + unknown[0] if len(unknown) == 1 else "one of the labels " + label_list(unknown),
                "it" if len(unknown) == 1 else "each",
            )

    def recall(self, description: Optional[ModelFolder]) -> None:
        """See `Problem`."""
        self._labelling.recall(description)

    def score(self, split: Split, answers: List[np.ndarray], *, report_path: str, prefix: str = "") -> Dict[str, float]:
        """See `Problem`; the report holds all metrics and the scores of each label."""
        return self._labelling.score(split.rows, self._of_rows(split, answers), report_path=report_path, prefix=prefix)

    def write_mistakes(self, path: str, split: Split, answers: List[np.ndarray]) -> Optional[int]:
        """See `Problem` and `mistakes.write_mistakes`."""
        found = self._labelling.mistakes(split.rows, self._of_rows(split, answers))
        return write_mistakes(path, self.run.task, found)

    def write_predictions(self, split: Split, answers: List[np.ndarray]) -> str:
        """Writes the labels' probabilities and, of test, the labels, each a line per row in file order."""
        output_dir, of_rows = self.run.settings.output_dir, self._of_rows(split, answers)
        path = os.path.join(output_dir, results_name(self.predicted_split) + ".tsv")
        write_probabilities(path, self._labelling.probabilities(of_rows))
        if self.predicted_split != TEST:
            return path
        return "{}; {}".format(path, self._labelling.write_labels(output_dir, split.rows, of_rows))

    def train_folds(self, rows: Dict[str, List[Row]], train_fold: TrainFold) -> None:
        """See `Problem` and `folds`."""

        def train(plan: folds.Fold) -> folds.FoldPredictions:
            problem = self.with_rows(plan.settings, plan.rows)
            done = train_fold(problem, plan.rows)
            return folds.FoldPredictions(
                done.results,
                {
                    name: problem._labelling.probabilities(problem._of_rows(split, done.answers[name]))
                    for name, split in done.splits.items()
                },
            )

        folds.run_folds(self.run.settings, self.run.task, self._labelling, rows, train)

    def baseline(self, split: Split) -> Optional[Baseline]:
        """See `Problem`."""
        return self._labelling.baseline(split.rows)

    def guessing_loss(self, split: Split) -> Optional[float]:
        """See `Problem`."""
        of_labels, distillation = self._labelling.guessing_loss(split.rows, self._label_loss()), self._distillation()
        if of_labels is None or self._softened is None or distillation is None:
            return of_labels
        return guessing_loss(of_labels, self._softened, distillation)

    def sameness(self, split: Split, answers: List[np.ndarray]) -> Optional[str]:
        """See `Problem`: one label, or the same labels, for nearly all rows."""
        return self._labelling.sameness(split.rows, self._of_rows(split, answers))


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


def _trained_description(settings: ClassificationSettings) -> Optional[ModelFolder]:
    """Describes the model whose checkpoints are in the output folder; None without checkpoints."""
    is_resumed = latest_checkpoint(settings.output_dir) is not None
    return read_description(settings.output_dir) if is_resumed else None


def _use_pooled_output(settings: ClassificationSettings, model: RunModel, trained: Optional[ModelFolder]) -> bool:
    """Finds use_pooled_output: the user's, else the model folder's; that of checkpoints already trained is final."""
    if trained is None:
        return settings.value_or("use_pooled_output", model.use_pooled_output)
    if trained.use_pooled_output != settings.value_or("use_pooled_output", trained.use_pooled_output):
        raise _trained_otherwise(settings, "--use_pooled_output={}".format(trained.use_pooled_output))
    return trained.use_pooled_output


def _long_text(settings: ClassificationSettings, trained: Optional[ModelFolder]) -> str:
    """Finds long_text: the user's; that of checkpoints already trained is final."""
    if trained is None:
        return settings.long_text
    theirs = trained.long_text or CUT
    if theirs != settings.value_or("long_text", theirs):
        raise _trained_otherwise(settings, "--long_text={}".format(theirs))
    return theirs


def _trained_otherwise(settings: ClassificationSettings, flag: str) -> UserError:
    return UserError(
        "the checkpoints in {} were trained with {}: give another --output_dir".format(settings.output_dir, flag)
    )


def _check_kind(run: FineTuningRun, reading: Reading, trained: Optional[ModelFolder]) -> None:
    """Raises `UserError` where the task is of a kind that the checkpoints or the settings are not for."""
    settings, task = run.settings, run.task
    if trained and trained.is_multilabel != task.is_multilabel:
        raise UserError(
            "the checkpoints in {} give a row {}, the task {} has {}: give another --output_dir".format(
                settings.output_dir,
                *(
                    ("several labels", task.name, "one")
                    if trained.is_multilabel
                    else ("one label", task.name, "several")
                ),
            )
        )
    if task.is_multilabel and settings.teacher_predictions:
        raise UserError(
            "--teacher_predictions is for tasks of one label a row, a row of the task {} has several: leave it "
            "out".format(task.name)
        )
    if task.num_choices and reading.has_windows:
        raise UserError(
            "--long_text={} is not for the task {}, whose rows have choices: give cut or head_tail".format(
                reading.long_text, task.name
            )
        )
