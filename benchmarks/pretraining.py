"""Pre-training against a plain version of the same graph, in each environment; input pipeline; profile of a step.

    python -m benchmarks.pretraining
    python -m benchmarks.pretraining --profile
    python -m benchmarks.pretraining --profile --variant=finetuning --max_seq_length=32 --batch_size=64

The plain version (plain_pretraining.py) computes the step as BERT's published code does. All variants train on the same
random batches of full rows, each in a process of its own, in turns. Then records are made from --corpus, and the input
pipeline is read without a model.

--profile shows the kinds of ops that take the time of a step. Ops that run in parallel all count, so the sum may exceed
the time of the step.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import os
import sys
import tempfile
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from albert.base.flags import Flags, run_command
from albert.base.terminal import table
from albert.checkpoints import families
from benchmarks import environments, training_variants
from benchmarks.batch_files import Batch, write_batches
from benchmarks.pretraining_records import KINDS, Shape, make_records, pipeline_rate
from benchmarks.processes import median, median_ratio
from benchmarks.turns import Turns, in_turns

PLAIN, OURS = "plain_pretraining", "pretraining"


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    environments.declare_flags(flags)
    environments.declare_record_flags(flags, max_seq_length=512, max_predictions_per_seq=51)
    environments.declare_precision_flag(flags)
    flags.integer("batches", 4, "steps per turn", minimum=1)
    flags.integer("runs", 5, "turns; the table shows the medians", minimum=1)
    flags.boolean("profile", False, "show which ops take the time of a step, not the speed")
    flags.choice("variant", OURS, sorted(training_variants.VARIANTS), "the step that --profile examines")
    flags.integer("profile_steps", 5, "steps that --profile examines", minimum=1)
    flags.integer("profile_rows", 15, "kinds of ops that --profile shows", minimum=1)
    flags.float("seconds", 3.0, "duration of reading the input pipeline; 0 for none", minimum=0.0)
    return flags


def main(flags: Flags) -> None:
    """Measures and prints."""
    tf.disable_v2_behavior()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "batches.npz")
        if flags.profile:
            write_batches(path, make_batches(flags, flags.variant, 1))
            show_profiles(flags, path)
        else:
            write_batches(path, make_batches(flags, OURS, flags.batches))
            consumed = show_speed(flags, path)
            if flags.seconds:
                show_pipeline(flags, folder, consumed)


def make_batches(flags: Flags, variant: str, count: int) -> List[Batch]:
    """Makes random batches for a variant."""
    config = families.ZH.config_class.from_json_file(flags.bert_config_file)
    random = np.random.RandomState(1)
    shape = (random, flags.batch_size, flags.max_seq_length)
    if variant == "finetuning":
        return [training_variants.pair_batch(*shape, config.vocab_size) for _ in range(count)]
    more = (flags.max_predictions_per_seq, config.vocab_size)
    return [training_variants.pretraining_batch(*shape, *more) for _ in range(count)]


def command_of(flags: Flags, python: str, path: str, variant: str, *more: str) -> List[str]:
    """Command of a worker."""
    model = "--bert_config_file=" + flags.bert_config_file
    return [python, "-m", "benchmarks.training_worker", model, "--variant=" + variant, "--batches=" + path, *more]


def show_speed(flags: Flags, path: str) -> float:
    """Prints tokens per second; returns the rows per second that the fastest step consumes."""
    commands: Dict[Tuple[str, str], List[str]] = {}
    for python in environments.pythons(flags):
        for variant in (PLAIN, OURS):
            commands[python, variant] = command_of(flags, python, path, variant)
        if environments.supports(python, flags.precision):
            name = "{}, {}".format(OURS, flags.precision)
            commands[python, name] = command_of(flags, python, path, OURS, "--precision=" + flags.precision)
    rows = flags.batches * flags.batch_size
    rates = {
        name: rates_of(turns, rows * flags.max_seq_length) for name, turns in in_turns(commands, flags.runs).items()
    }
    sys.stdout.write(report(rates))
    return max(median(turns.results) for turns in rates.values()) / flags.max_seq_length


def rates_of(turns: Turns, tokens: int) -> Turns:
    """Converts seconds into tokens per second."""
    return Turns(turns.description, [tokens / seconds for seconds in turns.results])


def report(rates: Dict[Tuple[str, str], Turns]) -> str:
    """Table of tokens per second by environment and variant, and of ratios to the plain version.

    Args:
      rates: tokens per second of each turn, by Python and variant; the others are compared with the first Python.
    """
    first = next(iter(rates))[0]
    rows = []
    for (python, variant), own in rates.items():
        here, there = (rates[other, PLAIN].results for other in (python, first))
        cells = [own.description, variant, "{:,.0f}".format(median(own.results))]
        rows.append(cells + ["{:.2f}x".format(median_ratio(own.results, plain)) for plain in (here, there)])
    return table(["environment", "step", "tokens/s", "to plain there", "to plain in the first"], rows)


def show_pipeline(flags: Flags, folder: str, consumed: float) -> None:
    """Prints the rows per second that the input pipeline gives and that the fastest step consumes."""
    shape = Shape(flags.max_seq_length, flags.max_predictions_per_seq)
    rows = []
    for kind in KINDS:
        make_records(folder, kind, shape, corpus=flags.corpus, vocab_file=flags.vocab_file)
        rate = pipeline_rate(folder, kind, shape, batch_size=flags.batch_size, seconds=flags.seconds)
        rows.append([kind, "{:,.0f}".format(rate), "{:,.1f}".format(consumed), "{:.0f}x".format(rate / consumed)])
    sys.stdout.write("\n" + table(["records", "rows/s of the pipeline", "rows/s of the fastest step", "ratio"], rows))


def show_profiles(flags: Flags, path: str) -> None:
    """Prints the costliest kinds of ops in each environment."""
    for python in environments.pythons(flags):
        options = "--profile_steps={}".format(flags.profile_steps)
        command = command_of(flags, python, path, flags.variant, options)
        turns = in_turns({python: command}, 1)[python]
        title = "{}, {}, {} rows of {}".format(turns.description, flags.variant, flags.batch_size, flags.max_seq_length)
        sys.stdout.write("{}\n\n{}\n".format(title, profile_table(turns.results[0], flags.profile_rows)))
        sys.stdout.flush()


def profile_table(kinds: Sequence[Sequence[Any]], count: int) -> str:
    """Table of the costliest kinds of ops, and of all ops together.

    Args:
      kinds: kind, milliseconds and calls per step, the costliest first (`step_session.OpKind`).
      count: number of kinds to show.
    """
    total = sum(milliseconds for _, milliseconds, _ in kinds)
    rows = [
        [kind, "{:.1f}".format(milliseconds), "{:.1%}".format(milliseconds / total), "{:.0f}".format(calls)]
        for kind, milliseconds, calls in kinds[:count]
    ]
    rows.append(["all", "{:.1f}".format(total), "100.0%", "{:.0f}".format(sum(calls for _, _, calls in kinds))])
    return table(["op", "ms", "share", "calls"], rows)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
