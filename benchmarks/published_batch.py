"""The published batch (4096 rows of length 512) by FLOP/s: measured on this machine, estimated for others.

    python -m benchmarks.published_batch
    python -m benchmarks.published_batch --sizes=tiny --steps=5

Counts the floating-point operations of a pre-training step from the model's config, times steps of a few rows by this
process's CPU seconds on one thread, so that other work on the machine changes them little, and compares the rate with a
matrix product of 1,024 rows in the same session. Hours on other chips are their published peak times the share of that
product which the step reaches here: an estimate, since a chip may keep a larger or smaller share.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import os
import sys
import time
from typing import Dict, NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from albert.base.flags import Flags, run_command
from albert.base.paths import CONFIGS
from albert.checkpoints import families
from albert.model.config import ModelConfig
from benchmarks.processes import row
from benchmarks.step_session import StepSession
from benchmarks.training_variants import pretraining, pretraining_batch

LENGTH, PREDICTIONS, BATCH = 512, 51, 4096
ROWS = {"tiny": 4, "base": 1, "large": 1}  # of a measured step
# Published dense peaks in 10^12 FLOP/s of what matrix products use there.
CHIPS = {"T4, float16": 65.0, "V100, float16": 125.0, "RTX 3090, bfloat16": 71.0, "A100, bfloat16": 312.0}
_SIDE = 1024  # of the matrices whose product is the peak here


class Measured(NamedTuple):
    """Rates on one thread of this machine, in FLOP per CPU second."""

    step: float
    product: float


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    flags.string("sizes", ",".join(ROWS), "of albert_config/ (zh), separated by commas")
    flags.integer("steps", 2, "steps to measure, after one that is not", minimum=1)
    return flags


def main(flags: Flags) -> None:
    """Measures and prints."""
    tf.disable_v2_behavior()
    heads = ["size", "FLOP a row", "GFLOP/s a core", "of a product", "hours, 2 cores"]
    sys.stdout.write(row(heads + list(CHIPS)))
    for size in flags.sizes.split(","):
        config = families.ZH.config_class.from_json_file(os.path.join(CONFIGS, "albert_config_{}.json".format(size)))
        measured = measure(config, ROWS[size], flags.steps)
        share = measured.step / measured.product
        cells = [size, "{:.2e}".format(flops_of_row(config))]
        cells += ["{:.1f}".format(measured.step / 1e9), "{:.0f} %".format(100 * share)]
        cells.append("{:,.0f}".format(hours(config, 2 * measured.step)))
        cells += ["{:,.1f}".format(hours(config, peak * 1e12 * share)) for peak in CHIPS.values()]
        sys.stdout.write(row(cells))
        sys.stdout.flush()


def hours(config: ModelConfig, rate: float) -> float:
    """Hours of 1,000 steps at a rate in FLOP/s."""
    return 1000 * BATCH * flops_of_row(config) / rate / 3600


def flops_of_row(config: ModelConfig, length: int = LENGTH, predictions: int = PREDICTIONS) -> float:
    """Floating-point operations of a training step for a row: of matrix products; backward counts twice forward."""
    hidden, inner, embedding = config.hidden_size, config.intermediate_size, config.embedding_size
    layer = length * (4 * hidden * hidden + 2 * hidden * inner) + 2 * length * length * hidden
    head = predictions * (hidden * embedding + embedding * config.vocab_size)
    return 3.0 * 2.0 * (config.num_hidden_layers * layer + length * embedding * hidden + head)


def measure(config: ModelConfig, rows: int, steps: int) -> Measured:
    """Measures a step and a product on one thread."""
    os.environ.update(TF_NUM_INTRAOP_THREADS="1", TF_NUM_INTEROP_THREADS="1", OMP_NUM_THREADS="1")
    batch: Dict[str, np.ndarray] = pretraining_batch(
        np.random.RandomState(1), rows, LENGTH, PREDICTIONS, config.vocab_size
    )
    session = StepSession(pretraining(config), [batch])
    session.step(batch)
    start = time.process_time()
    for _ in range(steps):
        session.step(batch)
    seconds = time.process_time() - start
    return Measured(steps * rows * flops_of_row(config) / seconds, _product_rate())


def _product_rate(times: int = 20) -> float:
    with tf.Graph().as_default(), tf.Session() as session:
        side = tf.random_normal([_SIDE, _SIDE])
        matrix = tf.Variable(side)
        product = tf.matmul(matrix, matrix).op
        session.run(matrix.initializer)
        session.run(product)
        start = time.process_time()
        for _ in range(times):
            session.run(product)
        return 2.0 * _SIDE**3 * times / (time.process_time() - start)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
