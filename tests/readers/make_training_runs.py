"""Makes the training runs that torch repeats: python -m tests.readers.make_training_runs FOLDER.

Each run is one .npz file: its settings, the weights it starts from, all its batches, what every update says (loss,
gradient norm, learning rate), how different the token vectors are now and then, and the weights it ends with.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any, Dict, NamedTuple, Tuple

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import numpy as np
import tensorflow.compat.v1 as tf

from albert.checkpoints.families import FAMILIES, build_encoder
from albert.finetuning.classification.model import Classifier, classification_objective
from albert.model import compute, heads, layers
from albert.pretraining.model_fn import pretraining_objective
from albert.training.step import Objective, TrainingSetup, training_spec
from optimization import OptimizerSettings

Arrays = Dict[str, np.ndarray]

PADDING, CLS, SEP, MASK, FIRST_WORD = range(5)
STRIDES = (1, 2, -1)  # from word to word, by the kind of a row
SEED = 7
NUM_VECTORS = 5  # how often the vectors of the first batch are kept, beside those of the end

# Odd sizes: a swapped axis cannot pass. Weights that begin ten times as large as those of the published models let a
# model this narrow learn, and give gradients that are clipped.
SMALL: Dict[str, Any] = {
    "vocab_size": 61,
    "embedding_size": 5,
    "hidden_size": 12,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 14,
    "max_position_embeddings": 15,
    "initializer_range": 0.2,
}
OF_FAMILY: Dict[str, Dict[str, Any]] = {"zh": {}, "google": {"num_hidden_groups": 2}}
# The published tiny models, with fewer words.
TINY: Dict[str, Any] = {
    "vocab_size": 2003,
    "embedding_size": 128,
    "hidden_size": 312,
    "num_hidden_layers": 4,
    "num_attention_heads": 12,
    "intermediate_size": 1248,
}
OPTIMIZERS: Dict[str, Dict[str, Any]] = {
    "adamw": {"optimizer": "adamw", "learning_rate": 1e-3},
    "adamw_corrected": {"optimizer": "adamw", "learning_rate": 1e-3, "bias_correction": True},
    "lamb": {"optimizer": "lamb", "learning_rate": 5e-3},
    # As the published zh models were trained, but for the correction.
    "lamb_corrected_all": {
        "optimizer": "lamb",
        "learning_rate": 5e-3,
        "bias_correction": True,
        "exclude_from_layer_adaptation": (),
    },
}


class Run(NamedTuple):
    """Plan of a run: phase, model, optimizer, and the shape of its batches."""

    phase: str  # pretraining or fine_tuning
    family: str
    config: Dict[str, Any]
    optimizer: OptimizerSettings
    batch: Tuple[int, int, int]  # rows, tokens of a row, predictions of a row
    num_slices: int = 1  # gradient accumulation

    @property
    def steps(self) -> int:
        return self.optimizer.num_train_steps


def runs() -> Dict[str, Run]:
    """All runs by name: short ones of every kind, and three as large as the published tiny models."""
    plans = {}
    for family, more in OF_FAMILY.items():
        for name, settings in OPTIMIZERS.items():
            optimizer = OptimizerSettings(num_train_steps=200, num_warmup_steps=40, **settings)
            for phase, num_slices in (("pretraining", 2), ("fine_tuning", 1)):
                run = Run(phase, family, dict(SMALL, **more), optimizer, (8, 13, 2), num_slices)
                plans["_".join((phase, family, name))] = run
    for name, family, is_corrected in (
        ("tiny_zh", "zh", False),
        ("tiny_zh_corrected", "zh", True),
        ("tiny_google", "google", False),
    ):
        optimizer = OptimizerSettings(5e-4, num_train_steps=30, num_warmup_steps=10, bias_correction=is_corrected)
        plans[name] = Run("pretraining", family, TINY, optimizer, (6, 20, 4))
    return plans


def token_batch(run: Run, kinds: np.ndarray, generator: np.random.RandomState) -> Arrays:
    """Makes rows of two segments, as long as they happen to be; from word to word it is as far as the kind says."""
    rows, length, _ = run.batch
    num_words = run.config["vocab_size"] - FIRST_WORD
    places = np.arange(length)
    first = generator.zipf(1.3, [rows, 1]) % num_words  # some words are frequent, as in language
    ids = (first + np.take(STRIDES, kinds)[:, None] * places) % num_words + FIRST_WORD
    lengths = generator.randint(length // 2 + 1, length + 1, [rows, 1])
    ids[:, 0], ids[:, length // 3] = CLS, SEP
    np.put_along_axis(ids, lengths - 1, SEP, axis=1)
    is_token = places < lengths
    arrays = {
        "input_ids": np.where(is_token, ids, PADDING),
        "input_mask": is_token,
        "segment_ids": is_token & (places > length // 3),
    }
    return {name: array.astype(np.int32) for name, array in arrays.items()}


def pretraining_batch(run: Run, generator: np.random.RandomState) -> Arrays:
    """Makes rows with masked words and sentence orders; some of both are missing."""
    rows, length, num_predictions = run.batch
    kinds = generator.randint(0, len(STRIDES), rows)
    batch = token_batch(run, kinds, generator)
    words = [place for place in range(1, length // 2) if place != length // 3]
    is_masked = np.arange(num_predictions) < generator.randint(1, num_predictions + 1, [rows, 1])
    positions = np.stack([generator.permutation(words)[:num_predictions] for _ in range(rows)]) * is_masked
    ids = np.take_along_axis(batch["input_ids"], positions, axis=1)
    np.put_along_axis(batch["input_ids"], positions, np.where(is_masked, MASK, CLS), axis=1)
    is_known = generator.uniform(size=rows) < 0.8
    return dict(
        batch,
        masked_lm_positions=positions.astype(np.int32),
        masked_lm_ids=(ids * is_masked).astype(np.int32),
        masked_lm_weights=is_masked.astype(np.float32),
        next_sentence_labels=np.where(is_known, kinds == 2, -1).astype(np.int32)[:, None],
    )


def fine_tuning_batch(run: Run, generator: np.random.RandomState) -> Arrays:
    """Makes rows whose label is their kind."""
    kinds = generator.randint(0, len(STRIDES), run.batch[0])
    return dict(token_batch(run, kinds, generator), label_ids=kinds.astype(np.int32)[:, None])


def batches_of(run: Run) -> Arrays:
    """Makes the batches of all steps, stacked: [steps, ...]."""
    generator = np.random.RandomState(SEED)
    make = pretraining_batch if run.phase == "pretraining" else fine_tuning_batch
    batches = [make(run, generator) for _ in range(run.steps)]
    return {name: np.stack([batch[name] for batch in batches]) for name in batches[0]}


def objective_of(run: Run) -> Objective:
    family, config = FAMILIES[run.family], config_of(run)
    if run.phase == "pretraining":
        return pretraining_objective(family, config)
    return classification_objective(Classifier(family, config, num_labels=len(STRIDES)))


def config_of(run: Run) -> Any:
    return FAMILIES[run.family].config_class.from_dict(run.config)


def dropout_of(run: Run) -> np.ndarray:
    """Computes the factors by which the classifier drops parts of the pooled output: [steps, B, H]."""
    size = run.batch[0] // run.num_slices
    with tf.Graph().as_default(), tf.Session() as session:
        turn = tf.placeholder(tf.int64, [])
        with compute.scope(dropout_keys=compute.DropoutKeys(SEED, turn)):
            factors = layers.dropout_mask([size, run.config["hidden_size"]], heads.CLASSIFIER_DROPOUT)
        slices = [session.run(factors, {turn: number}) for number in range(run.steps * run.num_slices)]
    return np.reshape(slices, [run.steps, run.batch[0], -1])


class Step(NamedTuple):
    """Graph of an update: where a batch goes in, and what comes out."""

    feeds: Dict[str, Any]
    scalars: Dict[str, Any]
    train_op: Any
    vectors: Any  # [B, S, H], of the last layer


def build_step(run: Run, batches: Arrays) -> Step:
    """Builds the step of the commands, and beside it the encoder as it is when nothing is dropped."""
    feeds = {name: tf.placeholder(tf.as_dtype(value.dtype), value.shape[1:]) for name, value in batches.items()}
    watched: Dict[str, Any] = {}
    setup = TrainingSetup(
        run.optimizer,
        make_hooks=lambda tensors: watched.update(tensors) or [],
        seed=SEED,
        gradient_accumulation_steps=run.num_slices,
    )
    train_op = training_spec(objective_of(run), feeds, setup).train_op
    with tf.variable_scope(tf.get_variable_scope(), reuse=True):
        vectors = build_encoder(FAMILIES[run.family], config_of(run), feeds, False).get_sequence_output()
    scalars = {name: watched[name] for name in ("loss", "gradient_norm", "learning_rate")}
    return Step(feeds, scalars, train_op, vectors)


def make_updates(session: Any, run: Run, step: Step, batches: Arrays) -> Arrays:
    """Makes all updates; returns what each says, and the first batch's vectors at equal distances and at the end."""

    def feed(number: int) -> Dict[Any, np.ndarray]:
        return {step.feeds[name]: value[number] for name, value in batches.items()}

    records, vectors = [], []
    for number in range(run.steps):
        if number % (run.steps // NUM_VECTORS) == 0:
            vectors.append(session.run(step.vectors, feed(0)))
        records.append(session.run([step.scalars, step.train_op], feed(number))[0])
    vectors.append(session.run(step.vectors, feed(0)))
    arrays = {name: np.array([record[name] for record in records]) for name in step.scalars}
    return dict(arrays, vectors=np.stack(vectors))


def train(run: Run, batches: Arrays) -> Arrays:
    """Trains from random weights; returns what the updates say and the weights before and after."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(SEED)
        step = build_step(run, batches)
        variables = {variable.op.name: variable for variable in tf.trainable_variables()}
        session.run(tf.global_variables_initializer())
        start = session.run(variables)
        arrays = make_updates(session, run, step, batches)
        end = session.run(variables)
    return dict(arrays, **prefixed("start/", start), **prefixed("end/", end))


def prefixed(prefix: str, arrays: Arrays) -> Arrays:
    return {prefix + name: array for name, array in arrays.items()}


def write(path: str, run: Run) -> None:
    """Trains and writes the run's file."""
    batches = batches_of(run)
    arrays = dict(train(run, batches), **prefixed("batch/", batches))
    if run.phase == "fine_tuning":
        arrays["batch/dropout"] = dropout_of(run)
    settings = dict(run._asdict(), config=config_of(run).to_dict(), optimizer=dict(run.optimizer._asdict()))
    np.savez(path, settings=json.dumps(settings), **arrays)


def main() -> None:
    """Writes all runs."""
    os.makedirs(sys.argv[1], exist_ok=True)
    for name, run in runs().items():
        write(os.path.join(sys.argv[1], name + ".npz"), run)


if __name__ == "__main__":
    main()
