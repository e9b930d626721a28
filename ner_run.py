"""Tagging as a fine-tuning run: the entities of sentences."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence

import numpy as np

import fine_tuning_run
import ner_answers
import ner_features
import ner_splits
import task_flags
import token_models
from command_line import Flags
from estimator_specs import TrainingSetup
from feature_cache import RecordEncoder
from fine_tuning_problem import OncePerSplit, Problem, Run, Split
from ner_rows import Sentence
from task_runners import TAGGER
from tasks import Task


class Tagging(Problem):
    """Tags of tokens."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._parts = OncePerSplit(
            lambda sentences: ner_features.parts_of(sentences, run.tokenizer, run.flags.max_seq_length)
        )

    @staticmethod
    def find_task(flags: Flags) -> Task:
        """See `Problem`."""
        fine_tuning_run.check_flags(flags)
        return task_flags.find_named_task(flags, TAGGER)

    def read_splits(self, splits: Sequence[str]) -> Dict[str, List[Sentence]]:
        """See `Problem`."""
        return ner_splits.read_splits(self.run.task, self.run.flags.data_dir, splits)

    def encoder(self) -> RecordEncoder:
        """See `Problem`."""
        return ner_features.record_encoder(self.run.task, self.run.tokenizer, self.run.flags.max_seq_length)

    def build_model_fn(self, setup: TrainingSetup) -> Callable[..., Any]:
        """See `Problem`."""
        model = token_models.TokenModel(self.run.family, self.run.model.config, self.run.flags.use_tpu)
        return token_models.build_tag_model_fn(model, len(self.run.task.labels), setup)

    def score(self, split: Split, answers: List[np.ndarray], *, report_path: str, prefix: str = "") -> Dict[str, float]:
        """See `Problem`; the report holds the scores of each entity type."""
        tokens = self._token_answers(split, answers)
        return ner_answers.score(self.run.task, split.rows, tokens, report_path=report_path, prefix=prefix)

    def write_predictions(self, split: Split, answers: List[np.ndarray]) -> str:
        """See `ner_answers`."""
        task, tokens = self.run.task, self._token_answers(split, answers)
        predicted = [ner_answers.predicted_entities(task, *pair) for pair in zip(split.rows, tokens)]
        return ", ".join(ner_answers.write_predictions(self.run.flags.output_dir, task, split.rows, predicted))

    def _token_answers(self, split: Split, answers: List[np.ndarray]) -> List[np.ndarray]:
        return ner_answers.token_answers(self._parts.of(split), answers, len(split.rows))
