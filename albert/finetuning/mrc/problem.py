"""Reading comprehension as a problem of fine-tuning: the span of a context that answers a question."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from albert.checkpoints.description import READER_KEYS
from albert.finetuning.feature_cache import RecordEncoder
from albert.finetuning.mrc.answers import mean_loss, one_place_for_all, score_answers, write_answers, write_mistakes
from albert.finetuning.mrc.features import check_settings, record_encoder
from albert.finetuning.problem import FineTuningRun, OncePerSplit, Problem, Split
from albert.finetuning.settings import ReadingSettings
from albert.finetuning.task import find_task
from albert.finetuning.token_models import TokenModel, span_objective
from albert.inference.context_windows import WindowSettings, windows_of
from albert.inference.span_reading import SpanSettings, best_spans
from albert.model.outputs import SPANS
from albert.model.types import Tensor
from albert.tasks import mrc_rows
from albert.tasks.registry import READER
from albert.tasks.task import Task
from albert.training.step import Features, Objective


class Reading(Problem):
    """Reading comprehension as a `Problem`."""

    head = SPANS
    concludes = True

    def __init__(self, run: FineTuningRun) -> None:
        super().__init__(run)
        self._cut = _window_settings(run.settings)
        self._choice = SpanSettings(run.settings.max_answer_length, run.settings.n_best_size)
        self._windows = OncePerSplit(lambda rows: windows_of(rows, run.tokenizer, self._cut))

    @staticmethod
    def find_task(settings: ReadingSettings) -> Task:
        """See `Problem`."""
        check_settings(_window_settings(settings))
        return find_task(settings, READER)

    def read_splits(self, splits: Sequence[str]) -> Dict[str, List[mrc_rows.Question]]:
        """See `Problem`."""
        return mrc_rows.read_question_splits(self.run.task, self.run.settings.data_dir, splits)

    def encoder(self, split: str) -> RecordEncoder:
        """See `Problem`."""
        del split  # all are alike
        return record_encoder(self.run.task, self.run.tokenizer, self._cut)

    def objective(self) -> Objective:
        """See `Problem`."""
        return span_objective(self._model())

    def answers(self, features: Features) -> Tensor:
        """See `Problem`; logits of the first and of the last token, [B, 2, S]."""
        return self._model().span_logits(features)

    def _model(self) -> TokenModel:
        return TokenModel(self.run.family, self.run.model.config, self.run.settings.use_tpu)

    def description(self) -> Dict[str, Any]:
        """See `Problem`."""
        return {name: getattr(self.run.settings, name) for name in READER_KEYS}

    def answer_settings(self) -> List[Any]:
        """See `Problem`."""
        return [self._choice.max_answer_length]

    def score(self, split: Split, answers: List[np.ndarray], *, report_path: str, prefix: str = "") -> Dict[str, float]:
        """See `Problem`; the report holds the scores of each question."""
        windows = self._windows.of(split)
        spans = best_spans(windows, answers, len(split.rows), self._choice)
        loss = mean_loss(windows, answers)
        return score_answers(split.rows, spans, loss, report_path=report_path, prefix=prefix)

    def write_mistakes(self, path: str, split: Split, answers: List[np.ndarray]) -> Optional[int]:
        """See `Problem`: answers that are not exact."""
        spans = best_spans(self._windows.of(split), answers, len(split.rows), self._choice)
        return write_mistakes(path, split.rows, spans)

    def write_predictions(self, split: Split, answers: List[np.ndarray]) -> str:
        """See `Problem` and `albert.finetuning.mrc.answers`."""
        spans = best_spans(self._windows.of(split), answers, len(split.rows), self._choice)
        paths = write_answers(self.run.settings.output_dir, self.run.task, split.rows, spans)
        return ", ".join(paths)

    def sameness(self, split: Split, answers: List[np.ndarray]) -> Optional[str]:
        """See `Problem`: answers that are empty, or begin at the same place of nearly every context."""
        spans = best_spans(self._windows.of(split), answers, len(split.rows), self._choice)
        return one_place_for_all([found[0] for found in spans])


def _window_settings(settings: ReadingSettings) -> WindowSettings:
    return WindowSettings(settings.max_seq_length, settings.doc_stride, settings.max_query_length)
