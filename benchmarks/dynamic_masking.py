"""Dynamic against static pre-training records: size, speed of the input pipeline, speed of training.

    python -m benchmarks.dynamic_masking --corpus=articles.txt

Both kinds are made from the same text. The pipeline is read without a model. Training is run_pretraining.py with the
tiny model; the two kinds take turns.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import functools
import json
import os
import sys
import tempfile
from typing import Callable, Dict, List, Sequence, Union

import tensorflow.compat.v1 as tf

from albert.base.flags import Flags, run_command
from albert.base.paths import CONFIGS, DATA, ROOT, VOCABULARY
from benchmarks.pretraining_records import KINDS, Shape, files_of, make_records, pipeline_rate
from benchmarks.processes import measure, median, median_ratio, row

SHAPE = Shape(max_seq_length=128, max_predictions_per_seq=20)


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    flags.locations("corpus", os.path.join(DATA, "news_zh_1.txt"), "text files, separated by commas")
    flags.string("batch_sizes", "16,64,256", "batch sizes to read, separated by commas")
    flags.float("seconds", 3.0, "duration of each reading", minimum=0.1)
    flags.integer("train_steps", 40, "steps of each training; 0 for none", minimum=0)
    flags.integer("train_batch_size", 16, "training batch size", minimum=1)
    flags.integer("runs", 3, "runs of each kind; the table shows the medians", minimum=1)
    flags.location("vocab_file", VOCABULARY, "the vocabulary")
    return flags


def main(flags: Flags) -> None:
    """Measures and prints the tables."""
    tf.disable_v2_behavior()
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            make_records(folder, kind, SHAPE, corpus=flags.corpus, vocab_file=flags.vocab_file)
        sizes = {kind: sum(map(os.path.getsize, files_of(folder, kind))) for kind in KINDS}
        write(["records", "static MB", "dynamic MB", "static : dynamic"])
        write(["dupe_factor 10", *(sizes[kind] / 1e6 for kind in KINDS), sizes["static"] / sizes["dynamic"]])
        write(["batch", "static ex/s", "dynamic ex/s", "ratio"])
        for batch_size in map(int, flags.batch_sizes.split(",")):
            rate_of = functools.partial(
                pipeline_rate, folder, shape=SHAPE, batch_size=batch_size, seconds=flags.seconds
            )
            report(batch_size, flags.runs, rate_of)
        if flags.train_steps:
            write(["training", "static ex/s", "dynamic ex/s", "ratio"])
            report(flags.train_batch_size, flags.runs, functools.partial(training_rate, folder, flags=flags))


def report(batch_size: int, runs: int, rate_of: Callable[[str], float]) -> None:
    """Measures both kinds in turn; writes the medians of the rates and of their ratios."""
    rates: Dict[str, List[float]] = {kind: [] for kind in KINDS}
    for _ in range(runs):
        for kind in KINDS:
            rates[kind].append(rate_of(kind))
    ratio = median_ratio(rates["dynamic"], rates["static"])
    write([batch_size, *(median(rates[kind]) for kind in KINDS), ratio])


def write(cells: Sequence[Union[str, int, float]]) -> None:
    """Writes a row of the table."""
    sys.stdout.write(row(cell if isinstance(cell, (str, int)) else "{:,.2f}".format(cell) for cell in cells))
    sys.stdout.flush()


def training_rate(folder: str, kind: str, flags: Flags) -> float:
    """Measures examples per second of training: the median of its log after the first quarter."""
    with tempfile.TemporaryDirectory() as output_dir:
        measure(
            [
                sys.executable,
                os.path.join(ROOT, "run_pretraining.py"),
                "--do_train=True",
                "--input_file=" + os.path.join(folder, kind + "*.tfrecord"),
                "--output_dir=" + output_dir,
                "--bert_config_file=" + os.path.join(CONFIGS, "albert_config_tiny.json"),
                *SHAPE.flags(),
                "--train_batch_size={}".format(flags.train_batch_size),
                "--num_train_steps={}".format(flags.train_steps),
                "--num_warmup_steps=1",
            ]
        )
        with open(os.path.join(output_dir, "metrics.jsonl")) as file:
            records = [json.loads(line) for line in file]
    rates = [record["examples_per_second"] for record in records if record.get("examples_per_second")]
    return median(rates[len(rates) // 4 :])


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
