"""Fine-tuning on pairs: length buckets against full padding, in each environment, and against transformers on torch.

    python -m benchmarks.finetuning
    python -m benchmarks.finetuning --data_dir=lcqmc
    python -m benchmarks.finetuning --data_dir=lcqmc --accuracy=238766

Speed: the input pipeline cuts the rows into batches. Of these, sorted by length, every n-th is taken, so that long
batches are as frequent as in training. All variants train on the same batches, each in a process of its own, in turns.
All batches padded to the full length take the same time, so fewer of them are timed. Without --data_dir, the pairs are
made up, with the lengths of LCQMC.

Accuracy (--accuracy=PAIRS): the dev accuracy of run_classifier.py after an epoch over PAIRS pairs, with batches of
similar length and with mixed ones, from random weights or those of --init_checkpoint. Padding is masked, so mixed
batches give the result of fully padded ones, in less time.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import os
import sys
import tempfile
from typing import Dict, Iterator, List, Optional, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.terminal import table
from albert.batches.pipeline import fine_tuning_input_fn
from albert.files.features import CLASSIFICATION_FEATURES
from albert.finetuning.classification.features import record_encoder
from albert.finetuning.feature_cache import CachedFeatures, cached_features
from albert.tasks.registry import get_task
from albert.tasks.splits import read_split, split_path
from benchmarks import environments, finetuning_accuracy, lcqmc_like
from benchmarks.batch_files import Batch, write_batches
from benchmarks.processes import median, median_ratio
from benchmarks.turns import in_turns
from tokenization import FullTokenizer

BUCKETED, PADDED = "bucketed", "padded"
SHORTER = "bucketed, {}"  # with the name of a --precision
TASK = "lcqmc_pair"


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    environments.declare_flags(flags)
    environments.declare_torch_flag(flags)
    flags.location("data_dir", None, "the folder with LCQMC's train.txt and dev.txt; without it pairs are made up")
    flags.integer(
        "accuracy", 0, "compare accuracy after an epoch over this number of pairs; 0: compare speed", minimum=0
    )
    flags.integer("rows", 20000, "rows to read from the train file; some of their batches are timed", minimum=1)
    flags.integer("batch_size", 64, "batch size", minimum=1)
    flags.integer("max_seq_length", 128, "length that padded rows have", minimum=5)
    flags.string("seeds", "1,2,3", "seeds of the runs whose accuracy is compared")
    flags.integer("batches", 30, "batches per turn", minimum=1)
    flags.integer("padded_batches", 4, "batches per turn that are padded to the full length", minimum=1)
    flags.integer("runs", 3, "turns; the table shows the medians", minimum=1)
    flags.location("init_checkpoint", None, "the weights that the runs of --accuracy start from")
    environments.declare_precision_flag(flags)
    return flags


def main(flags: Flags) -> None:
    """Measures and prints."""
    tf.disable_v2_behavior()
    with tempfile.TemporaryDirectory() as folder:
        if flags.accuracy:
            flags.require("data_dir")
            finetuning_accuracy.compare(flags, folder)
        else:
            compare_speed(flags, folder)


def compare_speed(flags: Flags, folder: str) -> None:
    """Prints pairs per second and their ratios."""
    commands = commands_of(flags, folder)
    features = read_features(flags, folder)
    batches = spread(batches_of(features, flags), flags.batches)
    padded = [pad(batch, flags.max_seq_length) for batch in batches[:: -(-len(batches) // flags.padded_batches)]]
    write_batches(os.path.join(folder, BUCKETED), batches)
    write_batches(os.path.join(folder, PADDED), padded)
    sys.stdout.write(
        "{:,} pairs of {:.1f} tokens on average; in {} batches of {} they fill {:.1f}.\n\n".format(
            features.num_rows, features.mean_length, len(batches), flags.batch_size, mean_length(batches)
        )
    )
    sys.stdout.flush()
    rates = {}
    for (_, padding), turns in in_turns(commands, flags.runs).items():
        pairs = len(padded if padding == PADDED else batches) * flags.batch_size
        rates[turns.description, padding] = [pairs / seconds for seconds in turns.results]
    sys.stdout.write(report(rates))


def commands_of(flags: Flags, folder: str) -> Dict[Tuple[str, str], List[str]]:
    """Commands of the workers, by environment and padding."""
    commands: Dict[Tuple[str, str], List[str]] = {}
    for python in environments.pythons(flags):
        worker = [python, "-m", "benchmarks.training_worker", "--variant=finetuning"]
        worker.append("--bert_config_file=" + flags.bert_config_file)
        for padding in (BUCKETED, PADDED):
            commands[python, padding] = worker + ["--batches=" + os.path.join(folder, padding + ".npz")]
        if environments.supports(python, flags.precision):
            command = commands[python, BUCKETED] + ["--precision=" + flags.precision]
            commands[python, SHORTER.format(flags.precision)] = command
    if flags.torch_python:
        python = environments.checked(flags.torch_python, "torch_python")
        worker = [python, "-m", "benchmarks.torch_worker", "--batches=" + os.path.join(folder, BUCKETED + ".npz")]
        commands["torch", BUCKETED] = worker + ["--config=" + flags.bert_config_file]
    return commands


def read_features(flags: Flags, folder: str) -> CachedFeatures:
    """Encodes pairs: those of --data_dir, or made-up ones."""
    data_dir = flags.data_dir
    if not data_dir:
        data_dir = folder
        lcqmc_like.make_folder(folder, flags.rows, flags.vocab_file)
    task = get_task(TASK)
    return cached_features(
        read_split(task, data_dir, "train")[: flags.rows],
        encoder=record_encoder(task, FullTokenizer(flags.vocab_file), flags.max_seq_length),
        split="train",
        source_files=[split_path(task, data_dir, "train")],
        cache_dir=os.path.join(folder, "features"),
    )


def batches_of(features: CachedFeatures, flags: Flags) -> Iterator[Batch]:
    """Reads the training batches of an epoch from the input pipeline."""
    input_fn = fine_tuning_input_fn(
        features.path,
        CLASSIFICATION_FEATURES,
        num_rows=features.num_rows,
        max_seq_length=flags.max_seq_length,
        is_training=True,
        seed=1,
    )
    with tf.Graph().as_default(), tf.Session() as session:
        batch = tf.data.make_one_shot_iterator(input_fn({"batch_size": flags.batch_size})).get_next()
        for _ in range(features.num_rows // flags.batch_size):
            yield session.run(batch)


def spread(batches: Iterator[Batch], count: int) -> List[Batch]:
    """Selects `count` batches, evenly spread from the shortest to the longest.

    Raises:
      UserError: there is no batch.
    """
    ordered = sorted(batches, key=lambda batch: batch["input_ids"].shape[1])
    if not ordered:
        raise UserError("the rows do not fill a batch: raise --rows or lower --batch_size")
    count = min(count, len(ordered))
    return [ordered[(2 * number + 1) * len(ordered) // (2 * count)] for number in range(count)]


def pad(batch: Batch, length: int) -> Batch:
    """Pads a batch to the full length."""
    longest = batch["input_ids"].shape[1]
    widths = dict.fromkeys(("input_ids", "input_mask", "segment_ids"), length - longest)
    return {name: np.pad(values, ((0, 0), (0, widths.get(name, 0))), "constant") for name, values in batch.items()}


def mean_length(batches: List[Batch]) -> float:
    """Mean tokens per row, with padding."""
    return float(np.mean([batch["input_ids"].shape[1] for batch in batches]))


def report(rates: Dict[Tuple[str, str], List[float]]) -> str:
    """Table of pairs per second and of their ratios to the padded batches.

    Args:
      rates: pairs per second of each turn, by environment and padding; the others are compared with the first one.
    """
    first = next(iter(rates))[0]
    torch = next((own for (environment, _), own in rates.items() if "torch" in environment), None)
    rows = []
    for (environment, padding), own in rates.items():
        here = rates.get((environment, PADDED))
        compared = [here, rates[first, PADDED], torch]
        rows.append([environment, padding, "{:.1f}".format(median(own))] + [ratio(own, other) for other in compared])
    header = ["environment", "batches", "pairs/s", "to padded there", "to padded in the first", "to torch"]
    return table(header, rows)


def ratio(own: List[float], other: Optional[List[float]]) -> str:
    """Text of a speed-up; empty if there is nothing to compare with."""
    return "{:.2f}x".format(median_ratio(own, other)) if other else ""


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
