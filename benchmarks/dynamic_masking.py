"""Dynamic against static pre-training records: what the input pipeline gives, what training takes, and their sizes.

    python benchmarks/dynamic_masking.py --corpus=articles.txt

The same text is made into both kinds. The pipeline is read without a model; training is run_pretraining.py with the
tiny model, the two kinds in turn.
"""

from __future__ import annotations

import functools
import json
import os
import sys
import tempfile
import time
from typing import Dict, List

from processes import ROOT, measure, median, row

sys.path.insert(0, ROOT)

import quiet_tensorflow  # noqa: E402, F401  (before TensorFlow)

# isort: split

import tensorflow.compat.v1 as tf  # noqa: E402

import command_line  # noqa: E402
import dynamic_masking  # noqa: E402
from input_pipeline import pretraining_input_fn  # noqa: E402
from record_files import expand_globs  # noqa: E402

KINDS = ("static", "dynamic")
LENGTH, PREDICTIONS = 128, 20


def declare_flags() -> command_line.Flags:
    """The flags of this command."""
    flags = command_line.Flags()
    flags.string("corpus", os.path.join(ROOT, "data", "news_zh_1.txt"), "text files, separated by commas")
    flags.string("batch_sizes", "16,64,256", "batches to read")
    flags.float("seconds", 3.0, "how long each reading lasts", minimum=0.1)
    flags.integer("train_steps", 40, "steps of each training; 0: none", minimum=0)
    flags.integer("train_batch_size", 16, "examples of a training step", minimum=1)
    flags.integer("runs", 3, "runs of each; the medians are shown", minimum=1)
    flags.string("vocab_file", os.path.join(ROOT, "albert_config", "vocab.txt"), "the vocabulary")
    return flags


def main(flags: command_line.Flags) -> None:
    """Measures and prints the tables."""
    tf.disable_v2_behavior()
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            make_records(folder, kind, flags)
        sizes = {kind: sum(map(os.path.getsize, files_of(folder, kind))) for kind in KINDS}
        write(["records", "static MB", "dynamic MB", "static : dynamic"])
        write(["dupe_factor 10", *(sizes[kind] / 1e6 for kind in KINDS), sizes["static"] / sizes["dynamic"]])
        write(["batch", "static ex/s", "dynamic ex/s", "ratio"])
        for batch_size in map(int, flags.batch_sizes.split(",")):
            rate_of = functools.partial(pipeline_rate, folder, batch_size=batch_size, seconds=flags.seconds)
            report(batch_size, flags.runs, rate_of)
        if flags.train_steps:
            write(["training", "static ex/s", "dynamic ex/s", "ratio"])
            report(flags.train_batch_size, flags.runs, functools.partial(training_rate, folder, flags=flags))


def report(batch_size: int, runs: int, rate_of) -> None:
    """Measures both kinds in turn and writes the medians, and that of the ratios."""
    rates: Dict[str, List[float]] = {kind: [] for kind in KINDS}
    for _ in range(runs):
        for kind in KINDS:
            rates[kind].append(rate_of(kind))
    ratios = [dynamic / static for static, dynamic in zip(rates["static"], rates["dynamic"])]
    write([batch_size, *(median(rates[kind]) for kind in KINDS), median(ratios)])


def write(cells) -> None:
    """Writes a row."""
    sys.stdout.write(row(cell if isinstance(cell, (str, int)) else "{:,.2f}".format(cell) for cell in cells))
    sys.stdout.flush()


def make_records(folder: str, kind: str, flags: command_line.Flags) -> None:
    """Makes the records of one kind."""
    measure(
        [
            sys.executable,
            os.path.join(ROOT, "create_pretraining_data.py"),
            "--input_file=" + flags.corpus,
            "--output_file=" + os.path.join(folder, kind + ".tfrecord"),
            "--vocab_file=" + flags.vocab_file,
            "--do_whole_word_mask=True",
            "--max_seq_length={}".format(LENGTH),
            "--max_predictions_per_seq={}".format(PREDICTIONS),
            "--dynamic_masking={}".format(kind == "dynamic"),
        ]
    )


def files_of(folder: str, kind: str) -> List[str]:
    """The record files of one kind."""
    return expand_globs(os.path.join(folder, kind + "*.tfrecord"))


def pipeline_rate(folder: str, kind: str, batch_size: int, seconds: float) -> float:
    """Examples per second that come out of the input pipeline."""
    paths = files_of(folder, kind)
    dynamic = dynamic_masking.of_files(paths, LENGTH, PREDICTIONS)
    with tf.Graph().as_default(), tf.Session() as session:
        input_fn = pretraining_input_fn(
            paths,
            max_seq_length=LENGTH,
            max_predictions_per_seq=PREDICTIONS,
            is_training=True,
            seed=1,
            dynamic=dynamic,
        )
        batch = tf.data.make_one_shot_iterator(input_fn({"batch_size": batch_size})).get_next()
        session.run(batch)
        count = 0
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            session.run(batch)
            count += batch_size
        return count / (time.monotonic() - start)


def training_rate(folder: str, kind: str, flags: command_line.Flags) -> float:
    """Examples per second of training, from the records of its log after the first quarter."""
    with tempfile.TemporaryDirectory() as output_dir:
        measure(
            [
                sys.executable,
                os.path.join(ROOT, "run_pretraining.py"),
                "--do_train=True",
                "--input_file=" + os.path.join(folder, kind + "*.tfrecord"),
                "--output_dir=" + output_dir,
                "--bert_config_file=" + os.path.join(ROOT, "albert_config", "albert_config_tiny.json"),
                "--max_seq_length={}".format(LENGTH),
                "--max_predictions_per_seq={}".format(PREDICTIONS),
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
    command_line.run(__doc__, declare_flags(), main)
