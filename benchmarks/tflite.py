"""TFLite exports of a fine-tuned model: size, latency, memory and labels.

    python -m benchmarks.tflite --checkpoint=albert_lcqmc_checkpoints --data_dir=lcqmc
    python -m benchmarks.tflite --checkpoint=albert_lcqmc_checkpoints --data_dir=lcqmc --pythons=phone/bin/python

Exports every type and runs each export over dev rows, batch 1, in processes of their own: with the interpreter of this
environment's TensorFlow, and with ai-edge-litert or tflite_runtime if this Python or one of --pythons has them. The
latencies are the median / the 90th percentile of a row. Memory is the peak of the whole process, then its memory before
it loaded the model.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import json
import logging
import os
import sys
import tempfile
from typing import Any, Dict, List, NamedTuple

import numpy as np

import export_model
from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.terminal import table
from albert.checkpoints.model import CheckpointModel, open_checkpoint
from albert.export.settings import TFLITE_TYPES
from albert.inference.graph import InferenceGraph, head_recipe
from albert.inference.model_files import TFLITE_FILE
from albert.tasks.registry import get_task
from albert.tasks.splits import read_split
from albert.text.sequences import encode_pair, pad_batch
from benchmarks import tflite_reader
from benchmarks.processes import measure
from tokenization import FullTokenizer

_log = logging.getLogger(__name__)

READER = ("-m", "benchmarks.tflite_reader")
_SOURCE_BATCH = 50


class Rows(NamedTuple):
    """Rows that the exports classify, with their labels.

    Attributes:
      inputs: int32 [rows, S] by name.
      labels: int [rows], the labels of the file.
      source_labels: int [rows], the labels that the TensorFlow model gives.
    """

    inputs: Dict[str, np.ndarray]
    labels: np.ndarray
    source_labels: np.ndarray


class Reader(NamedTuple):
    """TFLite interpreter, and the Python that has it."""

    python: str
    library: str


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    flags.location("checkpoint", None, "a folder that run_classifier.py filled")
    flags.location("data_dir", None, "the folder with the dev file of its task")
    flags.integer("rows", 1000, "number of rows of the dev file to classify", minimum=1)
    flags.integer("timed_rows", 200, "number of rows for each further number of threads", minimum=1)
    flags.integer("max_seq_length", 128, "length that every row is padded to", minimum=5)
    flags.string("tflite_types", ",".join(TFLITE_TYPES), "exports to measure")
    flags.string("threads", "1,2", "numbers of threads")
    flags.string("pythons", None, "further Pythons whose standalone interpreters are measured")
    flags.boolean("with_tensorflow", True, "measure the interpreter of this environment's TensorFlow, too")
    return flags


def main(flags: Flags) -> None:
    """Exports, measures and prints a table."""
    flags.require("checkpoint", "data_dir")
    model = open_checkpoint(flags.checkpoint)
    rows = read_rows(model, flags)
    readers = find_readers(flags)
    threads = list(map(int, flags.threads.split(",")))
    header = ["export", "MB", "interpreter"] + ["{} thread{}".format(n, "s" * (n > 1)) for n in threads]
    cells = []
    with tempfile.TemporaryDirectory() as folder:
        np.savez(os.path.join(folder, "inputs.npz"), **rows.inputs)
        for kind in flags.tflite_types.split(","):
            export(flags, kind, os.path.join(folder, kind))
            for reader in readers:
                cells.append(row_of(reader, folder, kind, threads, rows, flags))
                _log.info("%s", " | ".join(cells[-1]))
    sys.stdout.write(table(header + ["peak memory", "labels agreeing", "accuracy"], cells))
    sys.stdout.write(
        "{} rows of {} tokens; the TensorFlow model's accuracy on them is {:.1%}.\n".format(
            len(rows.labels), flags.max_seq_length, np.mean(rows.source_labels == rows.labels)
        )
    )


def read_rows(model: CheckpointModel, flags: Flags) -> Rows:
    """Reads the first dev rows of the model's task; classifies them with the model itself.

    Raises:
      UserError: the checkpoint is no fine-tuned model, or the file does not fit its task.
    """
    description = model.description
    if description is None or not model.num_labels:
        raise UserError("{} is no fine-tuned model: give a folder that run_classifier.py filled".format(model.prefix))
    task = get_task(description.task)
    rows = read_split(task, flags.data_dir, "dev")[: flags.rows]
    tokenizer = FullTokenizer(model.vocab_file, description.do_lower_case, model.spm_model_file)
    encoded = [encode_pair(tokenizer, row.text_a, row.text_b, flags.max_seq_length) for row in rows]
    inputs = pad_batch(encoded, tokenizer.pad_id, flags.max_seq_length)
    labels = np.array([description.labels.index(row.label) for row in rows])
    source_labels: List[int] = []
    with InferenceGraph(head_recipe(model, "classifier")) as graph:
        for start in range(0, len(rows), _SOURCE_BATCH):
            batch = {name: values[start : start + _SOURCE_BATCH] for name, values in inputs.items()}
            source_labels += graph.answer(batch)["probabilities"].argmax(axis=-1).tolist()
    return Rows(inputs, labels, np.array(source_labels))


def find_readers(flags: Flags) -> List[Reader]:
    """Finds the interpreters to measure.

    Raises:
      UserError: there is no interpreter.
    """
    readers = [Reader(sys.executable, tflite_reader.TENSORFLOW)] if flags.with_tensorflow else []
    for python in [sys.executable] + (flags.pythons.split(",") if flags.pythons else []):
        readers += [Reader(python, library) for library in json.loads(measure([python, *READER]).output)]
    if not readers:
        raise UserError("no interpreter was found: install ai-edge-litert, or leave out --with_tensorflow")
    return readers


def export(flags: Flags, kind: str, folder: str) -> None:
    """Makes an export with the command export_model.py."""
    parsed = export_model.declare_flags()
    arguments = ["--format=tflite", "--checkpoint=" + flags.checkpoint, "--output_dir=" + folder]
    parsed.parse(arguments + ["--tflite_type=" + kind, "--max_seq_length={}".format(flags.max_seq_length)])
    export_model.main(parsed)


def row_of(reader: Reader, folder: str, kind: str, threads: List[int], rows: Rows, flags: Flags) -> List[str]:
    """Measures one export with one interpreter; memory and labels are measured with the first number of threads."""
    path = os.path.join(folder, kind, TFLITE_FILE)
    inputs = os.path.join(folder, "inputs.npz")
    latencies: List[str] = []
    results: List[Dict[str, Any]] = []
    for number in threads:
        count = min(flags.timed_rows, len(rows.labels)) if results else len(rows.labels)
        command = [reader.python, "-W", "ignore", *READER, "--library=" + reader.library, "--model=" + path]
        command += ["--inputs=" + inputs, "--rows={}".format(count), "--threads={}".format(number)]
        measured = measure(command, {"TF_CPP_MIN_LOG_LEVEL": "3"})
        results.append(dict(json.loads(measured.output.splitlines()[-1]), peak_bytes=measured.peak_bytes))
        latencies.append("{:.1f} / {:.1f} ms".format(results[-1]["median"] * 1e3, results[-1]["p90"] * 1e3))
    first = results[0]
    return [
        kind,
        "{:.2f}".format(os.path.getsize(path) / 1e6),
        "{} {}".format(reader.library.replace("_", "-"), first["version"]),
        *latencies,
        "{:.0f} MB ({:.0f})".format(first["peak_bytes"] / 1e6, first["bytes_before"] / 1e6),
        "{:.1%}".format(np.mean(np.array(first["labels"]) == rows.source_labels)),
        "{:.1%}".format(np.mean(np.array(first["labels"]) == rows.labels)),
    ]


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
