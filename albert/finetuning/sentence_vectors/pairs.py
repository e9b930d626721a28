"""Training on pairs as a problem of fine-tuning: sentence vectors whose cosines follow labels or scores."""

from __future__ import annotations

from typing import Dict, List, Optional, Sequence

from albert.base.errors import UserError
from albert.finetuning.feature_cache import RecordEncoder
from albert.finetuning.problem import FineTuningRun
from albert.finetuning.sentence_vectors.features import pair_encoder
from albert.finetuning.sentence_vectors.model import PairLoss, pair_objective
from albert.finetuning.sentence_vectors.problem import SentenceVectors, check_groups, vector_task
from albert.finetuning.settings import PairSettings
from albert.tasks.registry import get_task
from albert.tasks.scored_pairs import ScoredPair, read_scored_pairs, read_task_pairs
from albert.tasks.splits import split_path
from albert.tasks.task import Task
from albert.training.step import Objective

_POSITIVE_SHARE = 0.8  # of the highest score: what is above it means the same (4 of STS-B's 5)


class PairTraining(SentenceVectors):
    """Training on pairs as a `Problem`."""

    def __init__(self, run: FineTuningRun) -> None:
        super().__init__(run)
        check_groups(run.settings)
        self._positive_score: Optional[float] = run.settings.positive_score
        given, theirs = run.settings.vector_size, run.model.vector_size
        if None not in (given, theirs) and given != theirs:
            raise UserError(
                "the sentence vectors of {} have {} numbers, --vector_size={}: leave that flag out".format(
                    run.settings.init_checkpoint or run.settings.output_dir, theirs, given
                )
            )

    @staticmethod
    def find_task(settings: PairSettings) -> Task:
        """See `Problem`."""
        return vector_task(settings, _read(settings, "dev") if settings.do_eval else None)

    @property
    def vector_size(self) -> int:
        """See `SentenceVectors`."""
        model = self.run.model
        return int(model.vector_size or self.run.settings.vector_size or model.config.hidden_size)

    @property
    def max_record_length(self) -> int:
        """See `Problem`: two interleaved sequences."""
        return 2 * int(self.run.settings.max_seq_length)

    def read_splits(self, splits: Sequence[str]) -> Dict[str, List[ScoredPair]]:
        """See `Problem`."""
        rows = {split: _read(self.run.settings, split) for split in splits}
        if "train" in rows:
            scores = {pair.score for pair in rows["train"]}
            if len(scores) == 1:
                raise UserError(
                    "all {:,} pairs of {} have the score {:g}: there is no order to learn".format(
                        len(rows["train"]), self.source_files("train")[0], scores.pop()
                    )
                )
            if self._positive_score is None:
                self._positive_score = _POSITIVE_SHARE * max(scores)
        return rows

    def source_files(self, split: str) -> List[str]:
        """See `Problem`."""
        return [_path(self.run.settings, split)]

    def encoder(self, split: str) -> RecordEncoder:
        """See `Problem`."""
        return pair_encoder(self.run.tokenizer, self.run.settings.max_seq_length)

    def objective(self) -> Objective:
        """See `Problem`."""
        settings = self.run.settings
        assert self._positive_score is not None, "the train split was not read"
        loss = PairLoss(
            settings.ranking_weight, settings.negatives_weight, self._positive_score, settings.rows_of_group
        )
        return pair_objective(self.model(), loss)


def _path(settings: PairSettings, split: str) -> str:
    if settings.task_name:
        return split_path(get_task(settings.task_name), settings.data_dir, split)
    return {"train": settings.train_pairs, "dev": settings.eval_pairs, "test": settings.test_pairs}[split] or ""


def _read(settings: PairSettings, split: str) -> List[ScoredPair]:
    if settings.task_name:
        return read_task_pairs(get_task(settings.task_name), settings.data_dir, split)
    return read_scored_pairs(_path(settings, split))
