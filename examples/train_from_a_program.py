"""Training from a program, without a command line: steps of pre-training and of fine-tuning on made-up batches.

    python examples/train_from_a_program.py

A model is trained by any objective of `albert.training.step`; the update is that of the commands: gradient
accumulation, clipping, schedule, optimizer. Whole runs with checkpoints and evaluation are made by
`albert.pretraining.run.run_pretraining` and `albert.finetuning.run.run_fine_tuning`, which take settings, no flags.
"""

from __future__ import annotations

import os
import sys
from typing import Dict, List

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from albert.base import quiet_tensorflow  # noqa: E402, F401  (behind the path, before TensorFlow)

# isort: split
import numpy as np  # noqa: E402
import tensorflow.compat.v1 as tf  # noqa: E402

from albert.checkpoints.families import ZH  # noqa: E402
from albert.finetuning.classification.model import Classifier, classification_objective  # noqa: E402
from albert.pretraining.model_fn import pretraining_objective  # noqa: E402
from albert.training.step import Objective, TrainingSetup, training_spec  # noqa: E402
from modeling import BertConfig  # noqa: E402
from optimization import OptimizerSettings  # noqa: E402

Batch = Dict[str, np.ndarray]

# B: rows of a batch, S: tokens of a row, P: predictions of a row.
B, S, P = 4, 9, 2
CONFIG = BertConfig(
    vocab_size=50,
    embedding_size=8,
    hidden_size=12,
    num_hidden_layers=2,
    num_attention_heads=3,
    intermediate_size=16,
    max_position_embeddings=S,
    type_vocab_size=2,
    hidden_dropout_prob=0.0,
    attention_probs_dropout_prob=0.0,
)


def token_batch(generator: np.random.RandomState) -> Batch:
    """Makes ids, mask and segments of random rows, int32 [B, S]."""
    return {
        "input_ids": generator.randint(5, CONFIG.vocab_size, [B, S]).astype(np.int32),
        "input_mask": np.ones([B, S], np.int32),
        "segment_ids": np.repeat([[0] * 5 + [1] * (S - 5)], B, axis=0).astype(np.int32),
    }


def pretraining_batch(generator: np.random.RandomState) -> Batch:
    """Makes random rows with masked words [B, P] and a sentence order [B, 1]."""
    return dict(
        token_batch(generator),
        masked_lm_positions=np.repeat([[2, 6]], B, axis=0).astype(np.int32),
        masked_lm_ids=generator.randint(5, CONFIG.vocab_size, [B, P]).astype(np.int32),
        masked_lm_weights=np.ones([B, P], np.float32),
        next_sentence_labels=generator.randint(0, 2, [B, 1]).astype(np.int32),
    )


def classification_batch(generator: np.random.RandomState) -> Batch:
    """Makes random rows with a label each, int32 [B, 1]."""
    return dict(token_batch(generator), label_ids=generator.randint(0, 2, [B, 1]).astype(np.int32))


def train(objective: Objective, batch: Batch, *, steps: int, learning_rate: float = 0.01) -> List[float]:
    """Trains on one batch again and again; returns the loss before each update."""
    optimizer = OptimizerSettings(
        learning_rate=learning_rate, num_train_steps=steps, num_warmup_steps=0, optimizer="adamw"
    )
    setup = TrainingSetup(optimizer, gradient_accumulation_steps=2)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        feeds = {name: tf.placeholder(tf.as_dtype(value.dtype), value.shape) for name, value in batch.items()}
        spec = training_spec(objective, feeds, setup)
        session.run(tf.global_variables_initializer())
        feed = {feeds[name]: value for name, value in batch.items()}
        return [float(session.run([spec.loss, spec.train_op], feed)[0]) for _ in range(steps)]


def main() -> None:
    """Prints the losses of both phases."""
    generator = np.random.RandomState(1)
    losses = train(pretraining_objective(ZH, CONFIG), pretraining_batch(generator), steps=10)
    sys.stdout.write("pre-training: loss {:.3f} -> {:.3f}\n".format(losses[0], losses[-1]))
    classifier = Classifier(ZH, CONFIG, num_labels=2)
    losses = train(classification_objective(classifier), classification_batch(generator), steps=10)
    sys.stdout.write("fine-tuning:  loss {:.3f} -> {:.3f}\n".format(losses[0], losses[-1]))


if __name__ == "__main__":
    main()
