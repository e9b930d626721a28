"""Settings of a pre-training run."""

from __future__ import annotations

import dataclasses
from typing import Optional

from albert.training.settings import TrainingSettings

BALANCED, PUBLISHED = INITIAL_WEIGHTS = ("balanced", "published")


@dataclasses.dataclass(frozen=True)
class PretrainingSettings(TrainingSettings):
    """Settings of pre-training, beside those that all training shares.

    Attributes:
      input_file: TFRecord files, names and globs, separated by commas.
      eval_input_file: records of documents that training does not see.
      eval_share: without eval_input_file, the share of the records that is kept from training.
      eval_on_training_data: whether the records that are trained on are evaluated on, too.
      max_eval_steps: the most evaluation steps.
      initial_weights: "balanced" or "published", for runs from random weights, see
        `albert.pretraining.initial_weights`.
      max_predictions_per_seq: predictions of a sequence, as the records were made.
      num_train_steps: steps in all.
      num_warmup_steps: steps of linear warm-up.
      start_warmup_step: the step at which the warm-up begins.
      poly_power: the power of the learning rate's decay.
      init_from_group0: whether every group of layers starts from group 0 of the checkpoint.
      adapt_all_variables: whether LAMB adapts norms and biases, too.
      export_dir: the folder for a SavedModel of the last checkpoint; None for none.
    """

    input_file: str = ""
    eval_input_file: Optional[str] = None
    eval_share: float = 0.02
    eval_on_training_data: bool = False
    max_eval_steps: int = 100
    max_predictions_per_seq: int = 20
    optimizer: str = "lamb"
    num_train_steps: int = 100000
    num_warmup_steps: int = 10000
    start_warmup_step: int = 0
    poly_power: float = 1.0
    initial_weights: str = BALANCED
    init_from_group0: bool = False
    adapt_all_variables: bool = False
    export_dir: Optional[str] = None
