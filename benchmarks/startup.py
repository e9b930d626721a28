"""Start-up time of training commands: seconds to the end of the first step, in parts.

    python -m benchmarks.startup

Runs run_pretraining.py and run_classifier.py for two steps on small data, from random weights. The parts: the imports;
the data (checks, tokenization); the graph; the session (initial weights, the first checkpoint); the first step.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import json
import os
import sys
import tempfile
from typing import Any, Dict, List

from albert.base.flags import Flags, run_command
from albert.base.terminal import table
from benchmarks import environments, lcqmc_like, startup_probe
from benchmarks.pretraining_records import Shape, make_records
from benchmarks.processes import measure, median

RUNNERS = ("run_pretraining", "run_classifier")
STATIC = "static"
_PAIRS = 256


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    environments.declare_flags(flags)
    environments.declare_record_flags(flags, max_seq_length=128, max_predictions_per_seq=20)
    flags.integer("runs", 3, "runs of each; the table shows the medians", minimum=1)
    return flags


def main(flags: Flags) -> None:
    """Measures and prints the table."""
    pythons = environments.pythons(flags)
    with tempfile.TemporaryDirectory() as folder:
        shape = Shape(flags.max_seq_length, flags.max_predictions_per_seq)
        make_records(folder, STATIC, shape, corpus=flags.corpus, vocab_file=flags.vocab_file)
        lcqmc_like.make_folder(folder, _PAIRS, flags.vocab_file)
        runs: Dict[str, List[Dict[str, float]]] = {}
        for _ in range(flags.runs):
            for python in pythons:
                for runner in RUNNERS:
                    noted = start(python, runner, arguments_of(runner, flags, folder))
                    name = "{}.py, TensorFlow {}".format(runner, noted["version"])
                    runs.setdefault(name, []).append(parts_of(noted["ends"]))
    sys.stdout.write(report(runs))


def arguments_of(runner: str, flags: Flags, folder: str) -> List[str]:
    """Flags of a training command for two steps, without its output folder."""
    shared = ["--bert_config_file=" + flags.bert_config_file]
    shared += ["--do_train=True", "--train_batch_size={}".format(flags.batch_size)]
    if runner == "run_pretraining":
        shape = Shape(flags.max_seq_length, flags.max_predictions_per_seq)
        shared += ["--input_file=" + os.path.join(folder, STATIC + "*.tfrecord"), *shape.flags()]
        return shared + ["--num_train_steps=2", "--num_warmup_steps=1"]
    shared += ["--task_name=lcqmc_pair", "--data_dir=" + folder, "--vocab_file=" + flags.vocab_file]
    shared.append("--max_seq_length={}".format(flags.max_seq_length))
    return shared + ["--num_train_epochs={}".format(2 * flags.batch_size / _PAIRS)]


def start(python: str, runner: str, arguments: List[str]) -> Dict[str, Any]:
    """Runs a command; returns TensorFlow's "version" and, in "ends", the second at which each part ended."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "times.json")
        output_dir = os.path.join(folder, "output")
        measure([python, "-m", "benchmarks.startup_probe", path, runner, "--output_dir=" + output_dir] + arguments)
        with open(path) as file:
            return json.load(file)


def parts_of(ends: Dict[str, float]) -> Dict[str, float]:
    """Computes the seconds of each part, and "in all".

    Args:
      ends: the second at which each part ended.
    """
    parts, before = {}, 0.0
    for part in startup_probe.PARTS:
        parts[part] = ends[part] - before
        before = ends[part]
    return dict(parts, **{"in all": before})


def report(runs: Dict[str, List[Dict[str, float]]]) -> str:
    """Table of seconds: a row per command, the medians of its runs."""
    columns = [*startup_probe.PARTS, "in all"]
    rows = [
        [name, *("{:.1f}".format(median([parts[column] for parts in own])) for column in columns)]
        for name, own in runs.items()
    ]
    return table(["seconds", *columns], rows)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
