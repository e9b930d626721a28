"""Memory probe: runs a training step of any model, length and precision on this machine's device."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from albert.checkpoints.families import Family
from albert.finetuning.classification.model import Classifier, classification_objective
from albert.memory.phases import FINE_TUNING, PRE_TRAINING
from albert.memory.step import Allocation, StepMemory, allocations
from albert.model.config import ModelConfig
from albert.pretraining.model_fn import pretraining_objective
from albert.training import step
from optimization import OptimizerSettings

MEASURED_BATCHES = (1, 2)

_PREDICTED_SHARE = 0.1  # 51 of 512 tokens
_NUM_LABELS = 2


class Training(NamedTuple):
    """Training whose memory is measured.

    Attributes:
      family, config: the model.
      length: tokens per sequence.
      phase: FINE_TUNING or PRE_TRAINING.
      optimizer: one of `optimization.OPTIMIZERS`.
      precision: precision of matrix products.
      recompute: whether layers are computed again for the gradients.
      gradient_accumulation_steps: slices per batch.
    """

    family: Family
    config: ModelConfig
    length: int
    phase: str = FINE_TUNING
    optimizer: str = "adamw"
    precision: str = "float32"
    recompute: bool = False
    gradient_accumulation_steps: int = 1


class TrainingProbe:
    """Training step in a session, fed with made-up batches; a context manager."""

    def __init__(self, training: Training) -> None:
        """Builds the graph and initializes the weights."""
        self._shapes = _feature_shapes(training)
        self._num_slices = training.gradient_accumulation_steps
        setup = step.TrainingSetup(
            optimizer=OptimizerSettings(learning_rate=1e-4, num_train_steps=10, optimizer=training.optimizer),
            gradient_accumulation_steps=training.gradient_accumulation_steps,
            precision=training.precision,
            recompute=training.recompute,
        )
        graph = tf.Graph()
        with graph.as_default():
            self._feeds = {
                name: tf.placeholder(_dtype_of(name), [None, *shape]) for name, shape in self._shapes.items()
            }
            if training.phase == PRE_TRAINING:
                objective = pretraining_objective(training.family, training.config)
            else:
                classifier = Classifier(training.family, training.config, _NUM_LABELS)
                objective = classification_objective(classifier)
            self._train_op = step.training_spec(objective, self._feeds, setup).train_op
            variables = tf.global_variables()
            initializer = tf.global_variables_initializer()
        self.resident_bytes = sum(v.shape.num_elements() * v.dtype.base_dtype.size for v in variables)
        self._session = tf.Session(graph=graph)
        self._session.run(initializer)

    def __enter__(self) -> TrainingProbe:
        return self

    def __exit__(self, *error: Any) -> None:
        self._session.close()

    def run(self, batch: int, **arguments: Any) -> None:
        """Runs a step on `batch` examples; raises TensorFlow's ResourceExhaustedError if they do not fit."""
        feed = {
            self._feeds[name]: np.ones([batch, *shape], _dtype_of(name).as_numpy_dtype)
            for name, shape in self._shapes.items()
        }
        self._session.run(self._train_op, feed, **arguments)

    def measure(self) -> StepMemory:
        """Measures the memory of a step, for any batch."""
        small, large = (batch * self._num_slices for batch in MEASURED_BATCHES)
        return StepMemory(self.resident_bytes, self._allocations(small), self._allocations(large), (small, large))

    def _allocations(self, batch: int) -> List[Allocation]:
        metadata = tf.RunMetadata()
        self.run(batch, options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE), run_metadata=metadata)
        return allocations(metadata)

    def fits(self, batch: int) -> bool:
        """Tells whether a step on `batch` examples fits the device."""
        try:
            self.run(batch)
        except tf.errors.ResourceExhaustedError:
            return False
        return True


def _feature_shapes(training: Training) -> Dict[str, List[int]]:
    tokens = {name: [training.length] for name in ("input_ids", "input_mask", "segment_ids")}
    if training.phase == FINE_TUNING:
        return dict(tokens, label_ids=[1])
    predictions = [max(1, int(training.length * _PREDICTED_SHARE))]
    masked = {"masked_lm_" + name: predictions for name in ("positions", "ids", "weights")}
    return dict(tokens, next_sentence_labels=[1], **masked)


def _dtype_of(name: str) -> tf.DType:
    return tf.float32 if name.endswith("weights") else tf.int32
