"""Pre-training records for benchmarks: static and dynamic ones, made by the command and read without a model."""

from __future__ import annotations

import os
import sys
import time
from typing import List, NamedTuple

import tensorflow.compat.v1 as tf

from albert.base.paths import ROOT
from albert.batches import dynamic_masking
from albert.batches.pipeline import pretraining_input_fn
from albert.files.record_sets import expand_globs
from benchmarks.processes import measure

KINDS = ("static", "dynamic")


class Shape(NamedTuple):
    """Sizes that records are made for."""

    max_seq_length: int
    max_predictions_per_seq: int

    def flags(self) -> List[str]:
        """Flags for the commands that make and read the records."""
        return ["--{}={}".format(name, value) for name, value in self._asdict().items()]


def make_records(folder: str, kind: str, shape: Shape, *, corpus: str, vocab_file: str) -> None:
    """Makes the records of one kind: "static" or "dynamic"."""
    measure(
        [
            sys.executable,
            os.path.join(ROOT, "create_pretraining_data.py"),
            "--input_file=" + corpus,
            "--output_file=" + os.path.join(folder, kind + ".tfrecord"),
            "--vocab_file=" + vocab_file,
            "--do_whole_word_mask=True",
            "--dynamic_masking={}".format(kind == "dynamic"),
            *shape.flags(),
        ]
    )


def files_of(folder: str, kind: str) -> List[str]:
    """Paths of the record files of one kind."""
    return expand_globs(os.path.join(folder, kind + "*.tfrecord"))


def pipeline_rate(folder: str, kind: str, shape: Shape, *, batch_size: int, seconds: float) -> float:
    """Measures the examples per second that the input pipeline gives."""
    paths = files_of(folder, kind)
    dynamic = dynamic_masking.of_files(paths, *shape)
    with tf.Graph().as_default(), tf.Session() as session:
        input_fn = pretraining_input_fn(paths, **shape._asdict(), is_training=True, seed=1, dynamic=dynamic)
        batch = tf.data.make_one_shot_iterator(input_fn({"batch_size": batch_size})).get_next()
        session.run(batch)
        count = 0
        start = time.monotonic()
        while time.monotonic() - start < seconds:
            session.run(batch)
            count += batch_size
        return count / (time.monotonic() - start)
