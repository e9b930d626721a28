"""Classification as a fine-tuning run: a label of each sentence or pair, or the right one of a row's choices."""

from __future__ import annotations

import logging
import os
from typing import Any, Callable, Dict, List, Optional, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.base.flags import Flags
from albert.batches.length_buckets import share_told_by_length
from albert.checkpoints.description import read_description
from albert.checkpoints.families import Family
from albert.checkpoints.training_folder import latest_checkpoint
from albert.finetuning import task_flags
from albert.finetuning.classification.answers import score_classification, write_probabilities
from albert.finetuning.classification.features import record_encoder
from albert.finetuning.classification.model import Classifier, build_classification_model_fn
from albert.finetuning.feature_cache import RecordEncoder
from albert.finetuning.problem import Problem, Run, Split
from albert.finetuning.run import TEST_RESULTS, check_fine_tuning_flags, declare_fine_tuning_flags, run_fine_tuning
from albert.tasks import submission
from albert.tasks.rows import Row
from albert.tasks.splits import read_splits
from albert.tasks.task import Task
from albert.training.run_model import RunModel
from albert.training.step import TrainingSetup

_log = logging.getLogger(__name__)

# Of LCQMC's labels length tells 0.07, and buckets do no harm; where it told 0.18 a small model learned nothing in them.
_MUCH_TOLD_BY_LENGTH = 0.12


def declare_classification_flags(flags: Flags, family: Family) -> None:
    """The flags that both classification runners share; each adds those whose published defaults differ."""
    declare_fine_tuning_flags(flags, [family])
    task_flags.declare_flags(flags)
    flags.boolean("use_pooled_output", True, "classify the pooler's first token; False: the mean of all tokens")


def run_classification(flags: Flags, family: Family) -> None:
    """Checks, trains, evaluates, predicts and says what was done."""
    run_fine_tuning(flags, lambda _: family, Classification)


class Classification(Problem):
    """Labels of rows."""

    def __init__(self, run: Run) -> None:
        super().__init__(run)
        self._use_pooled_output = _use_pooled_output(run.flags, run.model)

    @staticmethod
    def find_task(flags: Flags) -> Task:
        """See `Problem`."""
        task_flags.check_flags(flags)
        check_fine_tuning_flags(flags)
        return task_flags.find_task(flags)

    def read_splits(self, splits: Sequence[str]) -> Dict[str, List[Row]]:
        """See `Problem`."""
        flags = self.run.flags
        rows = read_splits(self.run.task, flags.data_dir, splits)
        if "train" in rows and flags.bucket_by_length and not flags.use_tpu:
            _warn_of_like_labels(rows["train"], flags)
        return rows

    def encoder(self) -> RecordEncoder:
        """See `Problem`."""
        return record_encoder(self.run.task, self.run.tokenizer, self.run.flags.max_seq_length)

    @property
    def max_record_length(self) -> int:
        """See `Problem`."""
        return int(self.run.flags.max_seq_length * max(1, self.run.task.num_choices))

    def description(self) -> Dict[str, Any]:
        """See `Problem`."""
        return {"use_pooled_output": self._use_pooled_output}

    def build_model_fn(self, setup: TrainingSetup) -> Callable[..., Any]:
        """See `Problem`."""
        flags, family, model, task, _ = self.run
        classifier = Classifier(
            family, model.config, len(task.labels), self._use_pooled_output, flags.use_tpu, task.num_choices > 0
        )
        return build_classification_model_fn(classifier, setup)

    def score(self, split: Split, answers: List[np.ndarray], *, report_path: str, prefix: str = "") -> Dict[str, float]:
        """See `Problem`; the report holds all metrics and the confusion matrix."""
        return score_classification(
            self.run.task, split.rows, np.stack(answers), report_path=report_path, prefix=prefix
        )

    def write_predictions(self, split: Split, answers: List[np.ndarray]) -> str:
        """Writes the submission and the labels' probabilities, each a line per row in file order."""
        task, output_dir = self.run.task, self.run.flags.output_dir
        log_probabilities = np.stack(answers)
        path = os.path.join(output_dir, TEST_RESULTS + ".tsv")
        handed_in = os.path.join(output_dir, submission.file_name(task))
        write_probabilities(path, log_probabilities)
        submission.write(handed_in, task, split.rows, log_probabilities.argmax(axis=1).tolist())
        return "{}; submission, checked (rows, ids, labels): {}".format(path, handed_in)

    def next_command(self, folder: str) -> Optional[str]:
        """See `Problem`."""
        return "python similarity.py --model_dir={}".format(folder) if self.run.task.is_similarity else None


def _warn_of_like_labels(rows: Sequence[Row], flags: Flags) -> None:
    """Says so where batches of like length would be batches of like labels."""
    lengths = [len(row.text_a) + len(row.text_b or "") + sum(map(len, row.choices)) for row in rows]
    lengths_to_see = np.minimum(lengths, flags.max_seq_length)
    share = share_told_by_length(lengths_to_see, np.array([row.label for row in rows]), flags.train_batch_size)
    if share > _MUCH_TOLD_BY_LENGTH:
        _log.warning(
            "train: texts of like length have like labels (length tells %.0f %% of what the labels vary), and so would "
            "batches of like length: if training comes to nothing, give --bucket_by_length=False (slower).",
            100 * share,
        )


def _use_pooled_output(flags: Flags, model: RunModel) -> bool:
    """The flag's value, else the model folder's; what the output folder's checkpoints were trained with is final."""
    is_resumed = latest_checkpoint(flags.output_dir) is not None
    trained = read_description(flags.output_dir) if is_resumed else None
    if trained is None:
        return flags.value_or("use_pooled_output", model.use_pooled_output)
    if trained.use_pooled_output != flags.value_or("use_pooled_output", trained.use_pooled_output):
        raise UserError(
            "the checkpoints in {} were trained with --use_pooled_output={}: give another --output_dir".format(
                flags.output_dir, trained.use_pooled_output
            )
        )
    return trained.use_pooled_output
