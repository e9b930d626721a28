"""Tagging as a problem of fine-tuning: the entities of sentences."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from albert.checkpoints.description import read_description
from albert.finetuning.feature_cache import RecordEncoder
from albert.finetuning.ner.answers import (
    no_entity_predicted,
    predicted_entities,
    score_entities,
    write_entities,
    write_mistakes,
)
from albert.finetuning.ner.features import record_encoder
from albert.finetuning.problem import FineTuningRun, OncePerSplit, Problem, Split
from albert.finetuning.settings import FineTuningSettings
from albert.finetuning.task import find_task
from albert.finetuning.token_models import TokenModel, tag_objective
from albert.inference.sentence_parts import are_characters, parts_of
from albert.inference.tag_reading import token_answers
from albert.model.outputs import TAGS
from albert.model.types import Tensor
from albert.tasks import ner_rows
from albert.tasks.ner_rows import Sentence
from albert.tasks.registry import TAGGER
from albert.tasks.task import Task
from albert.training.step import Features, Objective


class Tagging(Problem):
    """Tagging as a `Problem`."""

    head = TAGS
    concludes = True

    def __init__(self, run: FineTuningRun) -> None:
        super().__init__(run)
        self._reads_characters: Optional[bool] = None  # until splits are read that say it
        self._parts = OncePerSplit(lambda sentences: parts_of(sentences, run.tokenizer, run.settings.max_seq_length))

    @staticmethod
    def find_task(settings: FineTuningSettings) -> Task:
        """See `Problem`."""
        return find_task(settings, TAGGER)

    def read_splits(self, splits: Sequence[str]) -> Dict[str, List[Sentence]]:
        """See `Problem`."""
        rows = ner_rows.read_sentence_splits(self.run.task, self.run.settings.data_dir, splits)
        self._reads_characters = are_characters([sentence for split in rows.values() for sentence in split])
        return rows

    def description(self) -> Dict[str, Any]:
        """See `Problem`; what no split says, an earlier run in the folder may have found."""
        earlier = read_description(self.run.settings.output_dir)
        known = self._reads_characters
        return {"reads_characters": bool(earlier and earlier.reads_characters) if known is None else known}

    def encoder(self, split: str) -> RecordEncoder:
        """See `Problem`."""
        del split  # all are alike
        return record_encoder(self.run.task, self.run.tokenizer, self.run.settings.max_seq_length)

    def objective(self) -> Objective:
        """See `Problem`."""
        return tag_objective(self._model(), len(self.run.task.labels))

    def answers(self, features: Features) -> Tensor:
        """See `Problem`; natural logarithms of probabilities, [B, S, tags]."""
        return self._model().tag_log_probabilities(features, len(self.run.task.labels))

    def _model(self) -> TokenModel:
        return TokenModel(self.run.family, self.run.model.config, self.run.settings.use_tpu)

    def score(self, split: Split, answers: List[np.ndarray], *, report_path: str, prefix: str = "") -> Dict[str, float]:
        """See `Problem`; the report holds the scores of each entity type."""
        tokens = self._token_answers(split, answers)
        return score_entities(self.run.task, split.rows, tokens, report_path=report_path, prefix=prefix)

    def write_mistakes(self, path: str, split: Split, answers: List[np.ndarray]) -> Optional[int]:
        """See `Problem`: missed and spurious entities in their sentences."""
        pairs = zip(split.rows, self._token_answers(split, answers))
        return write_mistakes(path, split.rows, [predicted_entities(self.run.task, *pair) for pair in pairs])

    def write_predictions(self, split: Split, answers: List[np.ndarray]) -> str:
        """See `Problem` and `albert.finetuning.ner.answers`."""
        task, tokens = self.run.task, self._token_answers(split, answers)
        predicted = [predicted_entities(task, *pair) for pair in zip(split.rows, tokens)]
        return ", ".join(write_entities(self.run.settings.output_dir, task, split.rows, predicted))

    def sameness(self, split: Split, answers: List[np.ndarray]) -> Optional[str]:
        """See `Problem`: no entity is predicted."""
        pairs = zip(split.rows, self._token_answers(split, answers))
        return no_entity_predicted(split.rows, [predicted_entities(self.run.task, *pair) for pair in pairs])

    def _token_answers(self, split: Split, answers: List[np.ndarray]) -> List[np.ndarray]:
        return token_answers(self._parts.of(split), answers, len(split.rows))
