"""Pre-training against a plain version of the same graph, in each environment; its input pipeline; where time goes.

    python -m benchmarks.pretraining
    python -m benchmarks.pretraining --profile
    python -m benchmarks.pretraining --profile --variant=finetuning --max_seq_length=32 --batch_size=64

The plain version (plain_pretraining.py) does the same arithmetic as BERT's published code is known to do it. All train
on the same random batches of full rows, each in a process of its own, in turn. Then records are made of --corpus, and
the input pipeline is read without a model.

With --profile: the kinds of ops that a step spends its time in. Ops that run side by side both count, so that the sum
may be longer than the step.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any, Dict, List, Sequence

from albert.base import quiet_tensorflow  # noqa: F401 (before TensorFlow)
from albert.base.terminal import table
from benchmarks.processes import median, median_ratio

# isort: split

import numpy as np
import tensorflow.compat.v1 as tf

from albert.base.flags import Flags, run_command
from albert.checkpoints import families
from benchmarks import environments, training_variants
from benchmarks.batch_files import Batch, write_batches
from benchmarks.pretraining_records import KINDS, Shape, make_records, pipeline_rate
from benchmarks.turns import Turns, in_turns

PLAIN, OURS = "plain_pretraining", "pretraining"


def declare_flags() -> Flags:
    """The flags of this command."""
    flags = Flags()
    environments.declare_flags(flags)
    environments.declare_record_flags(flags, max_seq_length=512, max_predictions_per_seq=51)
    environments.declare_precision_flag(flags)
    flags.integer("batches", 4, "steps of a turn", minimum=1)
    flags.integer("runs", 5, "turns; the medians are shown", minimum=1)
    flags.boolean("profile", False, "show where the time of a step goes, not its speed")
    flags.choice("variant", OURS, sorted(training_variants.VARIANTS), "which step --profile looks into")
    flags.integer("profile_steps", 5, "steps that it looks at", minimum=1)
    flags.integer("profile_rows", 15, "kinds of ops that it shows", minimum=1)
    flags.float("seconds", 3.0, "how long the input pipeline is read; 0: not at all", minimum=0.0)
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
    """Random batches as a variant takes them."""
    config = families.ZH.config_class.from_json_file(flags.bert_config_file)
    random = np.random.RandomState(1)
    shape = (random, flags.batch_size, flags.max_seq_length)
    if variant == "finetuning":
        return [training_variants.pair_batch(*shape, config.vocab_size) for _ in range(count)]
    more = (flags.max_predictions_per_seq, config.vocab_size)
    return [training_variants.pretraining_batch(*shape, *more) for _ in range(count)]


def command_of(flags: Flags, python: str, path: str, variant: str, *more: str) -> List[str]:
    """A worker's command."""
    model = "--bert_config_file=" + flags.bert_config_file
    return [python, "-m", "benchmarks.training_worker", model, "--variant=" + variant, "--batches=" + path, *more]


def show_speed(flags: Flags, path: str) -> float:
    """Prints tokens per second; returns the most rows per second that a step consumes."""
    commands = {}
    for python in environments.pythons(flags):
        for variant in (PLAIN, OURS):
            commands[python, variant] = command_of(flags, python, path, variant)
        if environments.takes(python, flags.precision):
            name = "{}, {}".format(OURS, flags.precision)
            commands[python, name] = command_of(flags, python, path, OURS, "--precision=" + flags.precision)
    rows = flags.batches * flags.batch_size
    rates = {
        name: rates_of(turns, rows * flags.max_seq_length) for name, turns in in_turns(commands, flags.runs).items()
    }
    sys.stdout.write(report(rates))
    return max(median(turns.results) for turns in rates.values()) / flags.max_seq_length


def rates_of(turns: Turns, tokens: int) -> Turns:
    """Tokens per second in place of seconds."""
    return Turns(turns.description, [tokens / seconds for seconds in turns.results])


def report(rates: Dict[Any, Turns]) -> str:
    """The table: tokens per second by environment and variant, and ratios to the plain version.

    Args:
      rates: of each turn, by Python and variant; the first Python is what others are compared with.
    """
    first = next(iter(rates))[0]
    rows = []
    for (python, variant), own in rates.items():
        here, there = (rates[other, PLAIN].results for other in (python, first))
        cells = [own.description, variant, "{:,.0f}".format(median(own.results))]
        rows.append(cells + ["{:.2f}x".format(median_ratio(own.results, plain)) for plain in (here, there)])
    return table(["environment", "step", "tokens/s", "to plain there", "to plain in the first"], rows)


def show_pipeline(flags: Flags, folder: str, consumed: float) -> None:
    """Prints the rows per second that the input pipeline gives, against what the fastest step consumes."""
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
    """The first kinds of ops, and all of them together.

    Args:
      kinds: kind, milliseconds and calls in a step, the costliest first (`step_session.OpKind`).
      count: how many to show.
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
