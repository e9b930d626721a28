"""Tagging as a fine-tuning run: the entities of sentences."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence

import numpy as np

from albert.base.flags import Flags
from albert.finetuning import task_flags, token_models
from albert.finetuning.feature_cache import RecordEncoder
from albert.finetuning.ner.answers import predicted_entities, score_entities, token_answers, write_entities
from albert.finetuning.ner.features import parts_of, record_encoder
from albert.finetuning.problem import OncePerSplit, Problem, Run, Split
from albert.finetuning.run import check_fine_tuning_flags
from albert.tasks import ner_rows
from albert.tasks.ner_rows import Sentence
from albert.tasks.registry import TAGGER
from albert.tasks.task import Task
from albert.training.step import TrainingSetup


class Tagging(Problem):
    """Tags of tokens."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._parts = OncePerSplit(lambda sentences: parts_of(sentences, run.tokenizer, run.flags.max_seq_length))

    @staticmethod
    def find_task(flags: Flags) -> Task:
        """See `Problem`."""
        check_fine_tuning_flags(flags)
        return task_flags.find_named_task(flags, TAGGER)

    def read_splits(self, splits: Sequence[str]) -> Dict[str, List[Sentence]]:
        """See `Problem`."""
        return ner_rows.read_sentence_splits(self.run.task, self.run.flags.data_dir, splits)

    def encoder(self) -> RecordEncoder:
        """See `Problem`."""
        return record_encoder(self.run.task, self.run.tokenizer, self.run.flags.max_seq_length)

    def build_model_fn(self, setup: TrainingSetup) -> Callable[..., Any]:
        """See `Problem`."""
        model = token_models.TokenModel(self.run.family, self.run.model.config, self.run.flags.use_tpu)
        return token_models.build_tag_model_fn(model, len(self.run.task.labels), setup)

    def score(self, split: Split, answers: List[np.ndarray], *, report_path: str, prefix: str = "") -> Dict[str, float]:
        """See `Problem`; the report holds the scores of each entity type."""
        tokens = self._token_answers(split, answers)
        return score_entities(self.run.task, split.rows, tokens, report_path=report_path, prefix=prefix)

    def write_predictions(self, split: Split, answers: List[np.ndarray]) -> str:
        """See `ner_answers`."""
        task, tokens = self.run.task, self._token_answers(split, answers)
        predicted = [predicted_entities(task, *pair) for pair in zip(split.rows, tokens)]
        return ", ".join(write_entities(self.run.flags.output_dir, task, split.rows, predicted))

    def _token_answers(self, split: Split, answers: List[np.ndarray]) -> List[np.ndarray]:
        return token_answers(self._parts.of(split), answers, len(split.rows))
