"""Dev accuracy after an epoch, with batches of similar length and with mixed ones: benchmarks.finetuning --accuracy."""

from __future__ import annotations

import json
import os
import sys
from typing import Dict, List, Tuple

import numpy as np

from albert.base.flags import Flags
from albert.base.paths import ROOT
from albert.base.terminal import table
from albert.tasks.registry import get_task
from albert.tasks.splits import split_path
from benchmarks import environments
from benchmarks.processes import measure

TASK = "lcqmc_pair"
KINDS = {"bucketed": True, "mixed": False}


def compare(flags: Flags, folder: str) -> None:
    """Trains with both kinds of batches for each seed; prints the dev accuracies."""
    write_part(flags.data_dir, folder, flags.accuracy)
    accuracies: Dict[str, List[float]] = {kind: [] for kind in KINDS}
    rows = []
    for seed in flags.seeds.split(","):
        seconds = []
        for kind in KINDS:
            accuracy, taken = train(flags, folder, kind, seed)
            accuracies[kind].append(accuracy)
            seconds.append(taken)
        rows.append(row_of("seed " + seed, [values[-1] for values in accuracies.values()], seconds))
        sys.stderr.write(" | ".join(rows[-1]) + "\n")
    rows.append(row_of("mean", [float(np.mean(values)) for values in accuracies.values()], []))
    sys.stdout.write(table(["dev accuracy", *KINDS, "difference", "seconds"], rows))


def row_of(name: str, accuracies: List[float], seconds: List[float]) -> List[str]:
    """Row of the table; the difference is in percentage points."""
    difference = 100 * (accuracies[0] - accuracies[1])
    taken = " / ".join("{:.0f}".format(value) for value in seconds)
    return [name, *("{:.2%}".format(value) for value in accuracies), "{:+.2f}".format(difference), taken]


def write_part(data_dir: str, folder: str, pairs: int) -> None:
    """Copies the dev file and `pairs` pairs of the train file, evenly spread because its parts differ."""
    for split, most in (("train", pairs), ("dev", None)):
        with open(split_path(get_task(TASK), data_dir, split), "rb") as file:
            lines = file.readlines()
        count = min(len(lines), most or len(lines))
        with open(os.path.join(folder, split + ".txt"), "wb") as part:
            part.writelines(lines[number * len(lines) // count] for number in range(count))


def train(flags: Flags, folder: str, kind: str, seed: str) -> Tuple[float, float]:
    """Runs run_classifier.py; returns the dev accuracy of its last checkpoint and its seconds."""
    output_dir = os.path.join(folder, "{}_{}".format(kind, seed))
    command = [
        sys.executable,
        os.path.join(ROOT, "run_classifier.py"),
        "--task_name=" + TASK,
        "--do_train=True",
        "--do_eval=True",
        "--data_dir=" + folder,
        "--vocab_file=" + flags.vocab_file,
        "--bert_config_file=" + flags.bert_config_file,
        "--max_seq_length={}".format(flags.max_seq_length),
        "--train_batch_size={}".format(flags.batch_size),
        "--eval_batch_size={}".format(flags.batch_size),
        "--learning_rate=1e-4",
        "--num_train_epochs=1",
        "--save_checkpoints_steps=1000000",
        "--keep_checkpoint_max=1",
        "--seed=" + seed,
        "--bucket_by_length={}".format(KINDS[kind]),
        "--output_dir=" + output_dir,
    ]
    if flags.init_checkpoint:
        command.append("--init_checkpoint=" + flags.init_checkpoint)
    if environments.supports(sys.executable, flags.precision):
        command.append("--precision=" + flags.precision)
    seconds = measure(command).seconds
    with open(os.path.join(output_dir, "eval_results.json"), encoding="utf-8") as file:
        return json.load(file)["eval_accuracy"], seconds
