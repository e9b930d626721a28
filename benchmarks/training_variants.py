"""Training steps that the benchmarks time: those of the training commands, and a plain one."""

from __future__ import annotations

from typing import Any, Callable, Dict

import numpy as np

import optimization
from albert.checkpoints import families
from albert.finetuning.classification.model import Classifier, classification_objective
from albert.finetuning.model_fn import build_fine_tuning_model_fn
from albert.model.config import ModelConfig
from albert.pretraining.model_fn import build_pretraining_model_fn
from albert.training.step import TrainingSetup
from benchmarks import plain_pretraining
from benchmarks.step_session import ModelFn

STEPS = 1000000  # too many for the schedule to end


def finetuning(config: ModelConfig, **options: Any) -> ModelFn:
    """Builds the model_fn of run_classifier.py for pairs with two labels; `options` go to TrainingSetup."""
    setup = TrainingSetup(optimizer=optimization.OptimizerSettings(1e-4, STEPS), **options)
    classifier = Classifier(families.ZH, config, 2)
    return build_fine_tuning_model_fn(lambda: classification_objective(classifier), classifier.answers, setup)


def pretraining(config: ModelConfig, **options: Any) -> ModelFn:
    """Builds the model_fn of run_pretraining.py; `options` go to TrainingSetup."""
    setup = TrainingSetup(optimizer=optimization.OptimizerSettings(1e-4, STEPS, optimizer="lamb"), **options)
    return build_pretraining_model_fn(families.ZH, config, setup)


VARIANTS: Dict[str, Callable[..., ModelFn]] = {
    "finetuning": finetuning,
    "pretraining": pretraining,
    "plain_pretraining": plain_pretraining.model_fn_of,
}


def pair_batch(random: np.random.RandomState, rows: int, length: int, vocab_size: int) -> Dict[str, np.ndarray]:
    """Makes a fine-tuning batch of full rows."""
    segments = np.tile(np.arange(length) >= length // 2, [rows, 1])
    return {
        "row_index": np.arange(rows).reshape([rows, 1]).astype(np.int32),
        "input_ids": random.randint(0, vocab_size, [rows, length]).astype(np.int32),
        "input_mask": np.ones([rows, length], np.int32),
        "segment_ids": segments.astype(np.int32),
        "label_ids": random.randint(0, 2, [rows, 1]).astype(np.int32),
    }


def pretraining_batch(
    random: np.random.RandomState, rows: int, length: int, predictions: int, vocab_size: int
) -> Dict[str, np.ndarray]:
    """Makes a pre-training batch of full rows."""
    positions = [np.sort(random.choice(length, predictions, replace=False)) for _ in range(rows)]
    pairs = pair_batch(random, rows, length, vocab_size)
    return {
        "input_ids": pairs["input_ids"],
        "input_mask": pairs["input_mask"],
        "segment_ids": pairs["segment_ids"],
        "masked_lm_positions": np.array(positions, np.int32),
        "masked_lm_ids": random.randint(0, vocab_size, [rows, predictions]).astype(np.int32),
        "masked_lm_weights": np.ones([rows, predictions], np.float32),
        "next_sentence_labels": pairs["label_ids"],
    }
