"""Reading comprehension as a fine-tuning run: the span of a context that answers a question."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence

import numpy as np

from albert.base.flags import Flags
from albert.finetuning import task_flags, token_models
from albert.finetuning.feature_cache import RecordEncoder
from albert.finetuning.mrc.answers import SpanSettings, best_spans, mean_loss, score_answers, write_answers
from albert.finetuning.mrc.features import WindowSettings, check_settings, record_encoder, windows_of
from albert.finetuning.problem import OncePerSplit, Problem, Run, Split
from albert.finetuning.run import check_fine_tuning_flags
from albert.tasks import mrc_rows
from albert.tasks.registry import READER
from albert.tasks.task import Task
from albert.training.step import TrainingSetup


def declare_reading_flags(flags: Flags) -> None:
    """How contexts are cut and answers chosen."""
    flags.integer("doc_stride", 128, "tokens of the context from one window to the next", minimum=1)
    flags.integer("max_query_length", 64, "tokens of a question; what is longer loses its end", minimum=1)
    flags.integer("max_answer_length", 50, "tokens of an answer", minimum=1)
    flags.integer("n_best_size", 20, "answers of a question in <task>_nbest.json", minimum=1)


class Reading(Problem):
    """Answers of questions."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._cut = _window_settings(run.flags)
        self._choice = SpanSettings(run.flags.max_answer_length, run.flags.n_best_size)
        self._windows = OncePerSplit(lambda rows: windows_of(rows, run.tokenizer, self._cut))

    @staticmethod
    def find_task(flags: Flags) -> Task:
        """See `Problem`."""
        check_fine_tuning_flags(flags)
        check_settings(_window_settings(flags))
        return task_flags.find_named_task(flags, READER)

    def read_splits(self, splits: Sequence[str]) -> Dict[str, List[mrc_rows.Question]]:
        """See `Problem`."""
        return mrc_rows.read_question_splits(self.run.task, self.run.flags.data_dir, splits)

    def encoder(self) -> RecordEncoder:
        """See `Problem`."""
        return record_encoder(self.run.task, self.run.tokenizer, self._cut)

    def build_model_fn(self, setup: TrainingSetup) -> Callable[..., Any]:
        """See `Problem`."""
        model = token_models.TokenModel(self.run.family, self.run.model.config, self.run.flags.use_tpu)
        return token_models.build_span_model_fn(model, setup)

    def answer_settings(self) -> List[Any]:
        """See `Problem`."""
        return [self._choice.max_answer_length]

    def score(self, split: Split, answers: List[np.ndarray], *, report_path: str, prefix: str = "") -> Dict[str, float]:
        """See `Problem`; the report holds the scores of each question."""
        windows = self._windows.of(split)
        spans = best_spans(windows, answers, len(split.rows), self._choice)
        loss = mean_loss(windows, answers)
        return score_answers(split.rows, spans, loss, report_path=report_path, prefix=prefix)

    def write_predictions(self, split: Split, answers: List[np.ndarray]) -> str:
        """See `mrc_answers`."""
        spans = best_spans(self._windows.of(split), answers, len(split.rows), self._choice)
        paths = write_answers(self.run.flags.output_dir, self.run.task, split.rows, spans)
        return ", ".join(paths)


def _window_settings(flags: Flags) -> WindowSettings:
    return WindowSettings(flags.max_seq_length, flags.doc_stride, flags.max_query_length)
