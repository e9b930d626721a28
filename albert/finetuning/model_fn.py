"""model_fn of all fine-tuning, and the answers of a model for each record."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional

import numpy as np
import tensorflow.compat.v1 as tf

from albert.files.literal_paths import literal_path
from albert.model.types import Tensor
from albert.training.step import Features, Objective, TrainingSetup, training_spec, warm_start

_ANSWERS, _ROW_INDEX = "answers", "row_index"


def build_fine_tuning_model_fn(
    objective: Callable[[], Objective], answers: Callable[[Features], Tensor], setup: TrainingSetup
) -> Callable[..., Any]:
    """Builds a model_fn for TPUEstimator over fine-tuning records: it trains and predicts.

    Args:
      objective: makes what training minimises; only training asks for it.
      answers: from a batch, what is asked of the model in prediction, [B, …].
      setup: see `TrainingSetup`.
    """

    def model_fn(features: Features, labels: Any, mode: str, params: Dict[str, Any]) -> Any:
        del labels, params  # the records hold everything
        if mode == tf.estimator.ModeKeys.TRAIN:
            return training_spec(objective(), features, setup)
        return tf.estimator.tpu.TPUEstimatorSpec(
            mode=mode,
            predictions={_ANSWERS: answers(features), _ROW_INDEX: flat(features[_ROW_INDEX])},
            scaffold_fn=warm_start(setup),
        )

    return model_fn


def flat(column: Tensor) -> Tensor:
    """[B, 1] -> [B]."""
    return tf.reshape(column, [-1])


def record_answers(
    estimator: Any, input_fn: Callable[..., Any], *, num_records: int, prefix: Optional[str]
) -> List[np.ndarray]:
    """Predicts each record, in file order; answers for every token include those of padding.

    Args:
      estimator: of `build_model_fn`.
      input_fn: gives each record once.
      num_records: how many there are.
      prefix: the checkpoint to ask; None for the weights that the model starts from.
    """
    answers: List[Any] = [None] * num_records
    path = literal_path(prefix) if prefix else None
    for batch in estimator.predict(input_fn, checkpoint_path=path, yield_single_examples=False):
        for record, answer in zip(batch[_ROW_INDEX], batch[_ANSWERS]):
            if record >= 0:  # not one that only fills a TPU's last batch
                answers[record] = answer
    num_answered = sum(answer is not None for answer in answers)
    if num_answered != num_records:
        raise RuntimeError("{} of {} records were answered".format(num_answered, num_records))
    return answers
