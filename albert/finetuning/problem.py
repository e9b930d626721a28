"""Problem: what a kind of task (classes, spans of a text, tags) adds to a fine-tuning run."""

from __future__ import annotations

import copy
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, TypeVar

import numpy as np

from albert.checkpoints.description import ModelFolder
from albert.checkpoints.families import Family
from albert.finetuning.feature_cache import CachedFeatures, RecordEncoder
from albert.model.types import Tensor
from albert.monitor.goal import Baseline
from albert.tasks.splits import TEST, split_path
from albert.tasks.task import Task
from albert.training.run_model import RunModel
from albert.training.step import Features, Objective
from tokenization import FullTokenizer

P = TypeVar("P", bound="Problem")


def results_name(split: str) -> str:
    """Name of the files with what was predicted for a split, and its figures."""
    return split + "_results"


class FineTuningRun(NamedTuple):
    """State of a run that its phases share."""

    settings: Any  # FineTuningSettings, or the class of the kind that is made of it
    family: Family
    model: RunModel
    task: Task
    tokenizer: FullTokenizer


class Split(NamedTuple):
    """Split of the task's data: rows as its reader gives them, and their records."""

    rows: List[Any]
    features: CachedFeatures


class FoldAnswers(NamedTuple):
    """Answers of the model of a fold.

    Attributes:
      results: figures of its best checkpoint on the rows that it was not trained on.
      splits: what was asked, by name.
      answers: of the best checkpoint for each record, by the splits' names.
    """

    results: Dict[str, Any]
    splits: Dict[str, Split]
    answers: Dict[str, List[np.ndarray]]


# Trains by a problem's settings on the rows "train", compares checkpoints on "dev", and answers all splits but "train".
TrainFold = Callable[[Any, Dict[str, List[Any]]], FoldAnswers]


class OncePerSplit:
    """Cache of what is made of a split's rows: a split is evaluated again and again."""

    def __init__(self, make: Callable[[List[Any]], Iterable[Any]]) -> None:
        self._make = make
        self._made: Dict[str, List[Any]] = {}  # by the path of the split's records

    def of(self, split: Split) -> List[Any]:
        """Returns what was made of the split's rows."""
        path = split.features.path
        if path not in self._made:
            self._made[path] = list(self._make(split.rows))
        return self._made[path]


class Problem:
    """Problem of a kind of task; `albert.finetuning.run` asks it for all in which kinds differ.

    Attributes:
      head: the name of the head that is trained (`outputs.FINE_TUNED_HEADS`).
      concludes: whether the best checkpoint's answers on the dev split are needed at the end, for `fit` and
        `write_mistakes`.
      run: what the phases of the run share.
    """

    head: str
    concludes = False

    def __init__(self, run: FineTuningRun) -> None:
        """Prepares the kind for a run.

        Raises:
          UserError: the settings contradict what the output folder's checkpoints were trained with.
        """
        self.run = run

    def with_settings(self: P, settings: Any) -> P:
        """Returns the same problem, with what it has read, for a run by other settings of the same task and model."""
        changed = copy.copy(self)
        changed.run = self.run._replace(settings=settings)
        return changed

    @staticmethod
    def find_task(settings: Any) -> Task:
        """Finds the task that the settings name.

        Raises:
          UserError: there is none, or it is of another kind, or the output folder was trained on another one.
        """
        raise NotImplementedError

    def read_splits(self, splits: Sequence[str]) -> Dict[str, List[Any]]:
        """Reads and checks the rows of the splits, by name."""
        raise NotImplementedError

    def encoder(self, split: str) -> RecordEncoder:
        """Encoder of the rows of a split as records; all splits that are not trained on have the same."""
        raise NotImplementedError

    @property
    def max_record_length(self) -> int:
        """The most tokens of a record."""
        return int(self.run.settings.max_seq_length)

    @property
    def predicted_split(self) -> str:
        """The split that is predicted where the settings ask for predictions."""
        return TEST

    def description(self) -> Dict[str, Any]:
        """Description of the model beside what all kinds say (`ModelFolder`)."""
        return {}

    def source_files(self, split: str) -> List[str]:
        """Files that a split was read from."""
        return [split_path(self.run.task, self.run.settings.data_dir, split)]

    def training_files(self) -> Dict[str, List[str]]:
        """Files that training reads beside those of its split, by the flag that names them."""
        return {}

    def training_batches(self, batches: Any) -> Any:
        """Adds to a dataset of training batches what the records do not hold, as `row_values.with_row_values` does."""
        return batches

    def objective(self) -> Objective:
        """Objective of training."""
        raise NotImplementedError

    def answers(self, features: Features) -> Tensor:
        """Builds what is asked of the model in prediction over a batch of records, a tensor [B, …]."""
        raise NotImplementedError

    def answer_settings(self) -> List[Any]:
        """Settings on which a checkpoint's figures depend beside data, metric and weights, as JSON."""
        return []

    def score(self, split: Split, answers: List[np.ndarray], *, report_path: str, prefix: str = "") -> Dict[str, float]:
        """Scores answers of a split by the task's metric and others; none where its rows are not labelled.

        Args:
          split: what was asked.
          answers: of the model for each record.
          report_path: where all that is more than these figures is put.
          prefix: goes before each figure's name.
        """
        raise NotImplementedError

    def fit(self, split: Split, answers: List[np.ndarray]) -> None:
        """Learns from a checkpoint's answers on the dev split how answers become decisions (`description`)."""

    def recall(self, description: Optional[ModelFolder]) -> None:
        """Takes what `fit` once learned from the folder of a checkpoint."""

    def write_mistakes(self, path: str, split: Split, answers: List[np.ndarray]) -> Optional[int]:
        """Writes a table of the rows that went wrong, the worst first; returns their number, None without a table."""
        del path, split, answers
        return None

    def train_folds(self, rows: Dict[str, List[Any]], train_fold: TrainFold) -> None:
        """Trains a model on each of the folds of the train split, and joins their predictions.

        Args:
          rows: by split.
          train_fold: see `TrainFold`.
        """
        raise NotImplementedError

    def write_predictions(self, split: Split, answers: List[np.ndarray]) -> str:
        """Writes the predictions of `predicted_split` into the output folder; returns words on the files."""
        raise NotImplementedError

    def baseline(self, split: Split) -> Optional[Baseline]:
        """What the task's metric reaches on a split without any learning; None where that is nothing."""
        del split
        return None

    def guessing_loss(self, split: Split) -> Optional[float]:
        """The mean loss of who knows only how frequent each label of the split is; None where labels are no classes."""
        del split
        return None

    def sameness(self, split: Split, answers: List[np.ndarray]) -> Optional[str]:
        """Words on answers that are the same whatever is asked ("label 1 is predicted for …"); None where they differ.

        Args:
          split: what was asked; its rows are labelled.
          answers: of the model for each record.
        """
        del split, answers
        return None
