"""Distillation as a problem of fine-tuning: sentence vectors that are a teacher's; arXiv 2004.09813 and 1904.05068."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

from albert.base.errors import UserError
from albert.batches.row_values import with_row_values
from albert.files.record_sets import expand_globs
from albert.finetuning.feature_cache import RecordEncoder
from albert.finetuning.problem import FineTuningRun
from albert.finetuning.sentence_vectors.features import line_encoder, pair_encoder
from albert.finetuning.sentence_vectors.model import TEACHER_VECTORS, DistillationLoss, distillation_objective
from albert.finetuning.sentence_vectors.problem import SentenceVectors, check_groups, vector_task
from albert.finetuning.sentence_vectors.teacher import Teacher, read_teacher, vector_width
from albert.finetuning.settings import DistillationSettings
from albert.tasks.scored_pairs import read_scored_pairs
from albert.tasks.task import Task
from albert.training.step import Objective


class VectorDistillation(SentenceVectors):
    """Distillation as a `Problem`: the train split is sentences, the dev split scored pairs."""

    def __init__(self, run: FineTuningRun) -> None:
        super().__init__(run)
        check_groups(run.settings)
        self._vector_files = expand_globs(run.settings.teacher_vectors)
        self._size = vector_width(self._vector_files)
        self._teacher: Optional[Teacher] = None
        theirs = run.model.vector_size
        if theirs not in (None, self._size):
            raise UserError(
                "the sentence vectors of {} have {} numbers, those of the teacher {}: distil from the teacher that it "
                "was made with, or start from weights without that head".format(
                    run.settings.init_checkpoint or run.settings.output_dir, theirs, self._size
                )
            )

    @staticmethod
    def find_task(settings: DistillationSettings) -> Task:
        """See `Problem`."""
        dev = read_scored_pairs(settings.eval_pairs) if settings.do_eval and settings.eval_pairs else None
        return vector_task(settings, dev)

    @property
    def vector_size(self) -> int:
        """See `SentenceVectors`: as many as the teacher's."""
        return self._size

    def read_splits(self, splits: Sequence[str]) -> Dict[str, List[Any]]:
        """See `Problem`."""
        settings = self.run.settings
        rows: Dict[str, List[Any]] = {}
        if "train" in splits:
            texts = self.source_files("train")
            self._teacher = read_teacher(texts, self._vector_files, is_centered=settings.center_teacher)
            rows["train"] = self._teacher.lines
        if "dev" in splits:
            rows["dev"] = read_scored_pairs(settings.eval_pairs)
        return rows

    def source_files(self, split: str) -> List[str]:
        """See `Problem`."""
        settings = self.run.settings
        return expand_globs(settings.input_file) if split == "train" else [settings.eval_pairs]

    def training_files(self) -> Dict[str, List[str]]:
        """See `Problem`."""
        return {"teacher_vectors": self._vector_files}

    def encoder(self, split: str) -> RecordEncoder:
        """See `Problem`."""
        tokenizer, length = self.run.tokenizer, self.run.settings.max_seq_length
        if split == "train" and self._teacher:
            return line_encoder(tokenizer, length, self._teacher.place)
        return pair_encoder(tokenizer, length)

    def training_batches(self, batches: Any) -> Any:
        """See `Problem`; the teacher's vector of each sentence."""
        assert self._teacher is not None, "the train split was not read"
        return with_row_values(batches, TEACHER_VECTORS, self._teacher.vectors)

    def objective(self) -> Objective:
        """See `Problem`."""
        settings = self.run.settings
        loss = DistillationLoss(settings.cosine_weight, settings.structure_weight, settings.rows_of_group)
        return distillation_objective(self.model(), loss)
