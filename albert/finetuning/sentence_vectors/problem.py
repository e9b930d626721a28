"""Sentence vectors as a problem of fine-tuning: what distillation and training on pairs share."""

from __future__ import annotations

import os
from typing import Any, Dict, Iterator, List, Optional, Sequence

import numpy as np

from albert.base.errors import UsageError
from albert.finetuning.problem import Problem, Split, results_name
from albert.finetuning.sentence_vectors.answers import metric_of, score_similarities, write_similarities
from albert.finetuning.sentence_vectors.model import VectorModel
from albert.finetuning.settings import VectorSettings
from albert.finetuning.task import check_trained
from albert.model.outputs import SENTENCE_VECTOR
from albert.model.types import Tensor
from albert.tasks.scored_pairs import ScoredPair
from albert.tasks.task import Task
from albert.training.step import Features

NAME = "sentence_vectors"  # of the task, in the model's description


class SentenceVectors(Problem):
    """Sentence vectors as a `Problem`, compared on scored pairs."""

    head = SENTENCE_VECTOR

    @property
    def vector_size(self) -> int:
        """Numbers of a vector."""
        raise NotImplementedError

    @property
    def pooling(self) -> str:
        """The user's, else that of the head to start from."""
        return str(self.run.settings.value_or("pooling", self.run.model.pooling))

    def description(self) -> Dict[str, Any]:
        """See `Problem`."""
        return {"pooling": self.pooling}

    def answers(self, features: Features) -> Tensor:
        """See `Problem`; the cosines of pairs, float32 [B]."""
        return self.model().similarities(features)

    def model(self) -> VectorModel:
        """Model that is trained and asked."""
        family, config = self.run.family, self.run.model.config
        return VectorModel(family, config, self.vector_size, self.pooling, self.run.settings.use_tpu)

    def score(self, split: Split, answers: List[np.ndarray], *, report_path: str, prefix: str = "") -> Dict[str, float]:
        """See `Problem`; the report holds all pairs, those first that are furthest from their place."""
        return score_similarities(split.rows, np.array(answers), report_path=report_path, prefix=prefix)

    def write_predictions(self, split: Split, answers: List[np.ndarray]) -> str:
        """See `Problem`; a cosine in each line."""
        path = os.path.join(self.run.settings.output_dir, results_name(self.predicted_split) + ".tsv")
        write_similarities(path, np.array(answers))
        return path


def vector_task(settings: VectorSettings, dev: Optional[Sequence[ScoredPair]]) -> Task:
    """Task of sentence vectors, whose metric follows from the scores of the dev pairs.

    Raises:
      UserError: the output folder's checkpoints were trained on something else.
    """
    task = Task(name=NAME, labels=(), files={}, read_rows=_no_rows, metric=metric_of(dev or ()))
    check_trained(settings, task)
    return task


def _no_rows(path: str) -> Iterator[Any]:
    raise AssertionError("{} is read by its problem".format(path))


def check_groups(settings: VectorSettings) -> None:
    """Checks that groups are equal parts of what a device computes at once.

    Raises:
      UsageError: they are not.
    """
    rows = settings.rows_of_slice
    if settings.do_train and rows % settings.rows_of_group:
        raise UsageError(
            "--group_size={} does not divide the {} rows of a batch that are computed at once (--train_batch_size={}, "
            "--gradient_accumulation_steps={}, devices {})".format(
                settings.group_size,
                rows,
                settings.train_batch_size,
                settings.gradient_accumulation_steps,
                settings.devices.num_replicas,
            )
        )
