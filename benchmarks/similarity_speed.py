"""Latency and throughput of similarity: this library's engines, onnxruntime, OpenVINO, torch, a fresh Estimator.

    python -m benchmarks.similarity_speed --checkpoint=albert_lcqmc_checkpoints
    python -m benchmarks.similarity_speed --checkpoint=albert_lcqmc_checkpoints --data_dir=lcqmc --runs=10

The weights of one model are exported for each reader. The readers take turns, each in a process of its own, with as
many threads as there are cores. "alone" is one pair of --length tokens at a time, from text for this library (readers
tensorflow, tflite, tflite_int8, onnx, onnx_int8) and from ids for the others. "batches" are the same arrays, sorted
by length and padded to the longest row of each batch. "texts" are the same pairs as text. An int8 export has rounded
weights: the table shows how many labels agree with the TensorFlow engine, and the largest difference of a probability.
The readers ort, ort_int8 and openvino open the file of onnx or onnx_int8 without this library.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from typing import Any, Dict, List, NamedTuple, Sequence, Tuple

import numpy as np

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.paths import ROOT
from albert.base.terminal import table
from albert.files.reading import text_lines
from albert.inference.model_files import find_model
from albert.inference.text_batches import PairEncoder, batches_by_length
from albert.text.sequences import pad_batch
from benchmarks import environments, lcqmc_like
from benchmarks.batch_files import write_batches
from benchmarks.processes import measure, median
from benchmarks.turns import Turns, in_turns

_EXPORTS, _OPENVINO = ".venv-readers/exports", ".venv-readers/openvino"
OURS = "tensorflow"  # the reader that the others are compared with

# The environments of readers and exporters: flags of this command.
_WITH_TENSORFLOW, _WITH_EXPORTERS, _LIGHT, _WITH_OPENVINO = "python", "export_python", "torch_python", "openvino_python"


class Reader(NamedTuple):
    """Reader of one model.

    Attributes:
      way: how it is asked, a reader of benchmarks.similarity_worker.
      python: the flag that names its environment.
      export: name of the export that it opens, of EXPORTS; empty: the folder of training.
    """

    way: str
    python: str
    export: str = ""


EXPORTS: Dict[str, Tuple[str, List[str]]] = {
    "tflite": (_WITH_TENSORFLOW, ["--format=tflite", "--max_seq_length=0"]),
    "tflite_int8": (_WITH_TENSORFLOW, ["--format=tflite", "--tflite_type=int8", "--max_seq_length=0"]),
    "onnx": (_WITH_EXPORTERS, ["--format=onnx"]),
    "onnx_int8": (_WITH_EXPORTERS, ["--format=onnx", "--onnx_type=int8"]),
    "pytorch": (_WITH_TENSORFLOW, ["--format=pytorch"]),
}
READERS = {
    OURS: Reader("predictor", _WITH_TENSORFLOW),
    "tflite": Reader("predictor", _LIGHT, "tflite"),
    "tflite_int8": Reader("predictor", _LIGHT, "tflite_int8"),
    "onnx": Reader("predictor", _LIGHT, "onnx"),
    "onnx_int8": Reader("predictor", _LIGHT, "onnx_int8"),
    "ort": Reader("onnx", _LIGHT, "onnx"),
    "ort_int8": Reader("onnx", _LIGHT, "onnx_int8"),
    "openvino": Reader("openvino", _WITH_OPENVINO, "onnx"),
    "torch": Reader("torch", _LIGHT, "pytorch"),
    "estimator": Reader("estimator", _WITH_TENSORFLOW),
}


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    environments.declare_torch_flag(flags)
    flags.location("checkpoint", None, "a folder that run_classifier.py filled, with a pooled head")
    flags.location("data_dir", None, "the folder with LCQMC's dev.txt; without it pairs are made up")
    flags.string("python", sys.executable, "a Python with this project")
    flags.string("export_python", environments.python_of(_EXPORTS), "one with requirements/export.txt; empty: no ONNX")
    flags.string("openvino_python", environments.python_of(_OPENVINO), "one with requirements/benchmarks.txt")
    flags.string("readers", "tensorflow,tflite_int8,ort,torch,estimator", "readers to measure: " + ", ".join(READERS))
    flags.integer("length", 25, 'tokens of the pairs of "alone"; the default is LCQMC\'s mean', minimum=5)
    flags.integer("pairs", 1000, "number of pairs in batches and texts", minimum=1)
    flags.integer("count", 200, 'pairs of "alone" per turn', minimum=1)
    flags.integer("batch_size", 64, "batch size", minimum=1)
    flags.integer("runs", 5, "turns; the table shows the medians", minimum=1)
    return flags


def main(flags: Flags) -> None:
    """Exports, measures and prints."""
    flags.require("checkpoint")
    with tempfile.TemporaryDirectory() as folder:
        write_questions(flags, folder)
        commands = {name: command_of(name, flags, folder) for name in flags.readers.split(",")}
        sys.stdout.write(report(in_turns(commands, flags.runs), flags.pairs))


def write_questions(flags: Flags, folder: str) -> None:
    """Writes the pairs for the readers: batches.npz, singles.npz and pairs.json.

    Raises:
      UserError: the checkpoint is no fine-tuned model, or no pair has --length tokens.
    """
    files = find_model(flags.checkpoint)
    if files is None or files.export_format:
        raise UserError("{} is no folder that run_classifier.py filled".format(flags.checkpoint))
    pairs = read_pairs(flags, files.vocab_file, folder)
    tokenizer = files.tokenizer()
    rows = PairEncoder(tokenizer, files.max_seq_length).encode(pairs)
    alone = [number for number, row in enumerate(rows) if len(row.input_ids) == flags.length]
    if not alone:
        raise UserError("no pair has {} tokens: give another --length".format(flags.length))
    alone = [alone[number % len(alone)] for number in range(flags.count)]
    together = list(range(min(flags.pairs, len(rows))))
    lengths = [len(rows[number].input_ids) for number in together]
    batches = batches_by_length(lengths, max_rows=flags.batch_size, max_tokens=sys.maxsize)
    for name, parts in (("batches", batches), ("singles", [[number] for number in alone])):
        arrays = [pad_batch([rows[number] for number in part], tokenizer.pad_id) for part in parts]
        write_batches(os.path.join(folder, name + ".npz"), arrays)
    with open(os.path.join(folder, "pairs.json"), "w", encoding="utf-8") as file:
        json.dump({"all": [pairs[i] for i in together], "singles": [pairs[i] for i in alone]}, file)


def read_pairs(flags: Flags, vocab_file: str, folder: str) -> List[Sequence[str]]:
    """Pairs of LCQMC's dev file, or made-up ones; more than --pairs, so that some have --length tokens."""
    path = os.path.join(flags.data_dir or folder, "dev.txt")
    if not flags.data_dir:
        lcqmc_like.write_pairs(path, flags.pairs + 1000, vocab_file, seed=1)
    return [text.split("\t")[:2] for _, text in text_lines(path)]


def command_of(name: str, flags: Flags, folder: str) -> List[str]:
    """Command of a reader's worker; makes the export that it reads, if no other reader did."""
    if name not in READERS:
        raise UserError("there is no reader {}: --readers takes {}".format(name, ", ".join(READERS)))
    reader = READERS[name]
    model = export(reader.export, flags, folder) if reader.export else flags.checkpoint
    count = 3 if name == "estimator" else flags.count
    worker = [environments.checked(getattr(flags, reader.python), reader.python), "-m", "benchmarks.similarity_worker"]
    return worker + ["--reader=" + reader.way, "--model=" + model, "--folder=" + folder, "--count={}".format(count)]


def export(name: str, flags: Flags, folder: str) -> str:
    """Makes an export of EXPORTS; returns its folder."""
    path = os.path.join(folder, name)
    if not os.path.isdir(path):
        python, options = EXPORTS[name]
        command = [environments.checked(getattr(flags, python), python), os.path.join(ROOT, "export_model.py")]
        measure(command + ["--checkpoint=" + flags.checkpoint, "--output_dir=" + path, *options])
    return path


def report(turns: Dict[str, Turns], num_pairs: int) -> str:
    """Table of latencies, throughputs and agreement, a row per reader."""
    rows = []
    source = turns[OURS].results[0] if OURS in turns else None
    for name, turn in turns.items():
        alone = np.array([seconds for result in turn.results for seconds in result["alone"]]) * 1e3
        is_whole = name != "estimator"
        rows.append(
            [
                "{} ({})".format(name, turn.description),
                "{:.2f}".format(np.median(alone)),
                "{:.2f}".format(np.percentile(alone, 99)),
                "{:,.0f}".format(num_pairs / median([r["together"] for r in turn.results])) if is_whole else "",
                "{:,.0f}".format(num_pairs / median([r["texts"] for r in turn.results]))
                if turn.results[0]["texts"]
                else "",
                agreement(source, turn.results[0]) if source and is_whole else "",
            ]
        )
    header = ["reader", "alone, median ms", "99th percentile", "pairs/s, batches", "pairs/s, texts", "labels agreeing"]
    return table(header, rows)


def agreement(source: Dict[str, Any], result: Dict[str, Any]) -> str:
    """Text of the share of equal labels and of the largest difference of a probability."""
    labels = np.mean(np.array(source["labels"]) == np.array(result["labels"]))
    difference = np.abs(np.array(source["probabilities"]) - np.array(result["probabilities"])).max()
    return "{:.1%}, {:.0e}".format(labels, difference)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
