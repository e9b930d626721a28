"""A training step that works in turns: one measurement of benchmarks/finetuning.py or benchmarks/pretraining.py."""

from __future__ import annotations

import sys

from processes import ROOT

sys.path.insert(0, ROOT)

import quiet_tensorflow  # noqa: E402, F401  (before TensorFlow)

# isort: split

import tensorflow.compat.v1 as tf  # noqa: E402
from batch_files import read_batches  # noqa: E402
from step_session import StepSession  # noqa: E402
from training_variants import VARIANTS  # noqa: E402
from turns import seconds_of, serve  # noqa: E402

import command_line  # noqa: E402
import families  # noqa: E402


def declare_flags() -> command_line.Flags:
    """The flags of this command."""
    flags = command_line.Flags()
    flags.choice("variant", None, sorted(VARIANTS), "which step")
    flags.string("batches", None, "a file of batch_files")
    flags.string("bert_config_file", None, "the model: a JSON file of the zh family")
    flags.string("precision", None, "what the products are rounded to; as the runners have it by default")
    flags.integer("profile_steps", 0, "a turn profiles so many steps of the first batch; 0: it times a step of each")
    return flags


def main(flags: command_line.Flags) -> None:
    """Prepares the step and serves."""
    tf.disable_v2_behavior()
    batches = read_batches(flags.batches)
    config = families.ZH.config_class.from_json_file(flags.bert_config_file)
    options = {"precision": flags.precision} if flags.precision else {}
    session = StepSession(VARIANTS[flags.variant](config, **options), batches)
    for batch in {batch["input_ids"].shape: batch for batch in batches}.values():
        session.step(batch)

    def work():
        if flags.profile_steps:
            return session.profile(batches[0], flags.profile_steps)
        return seconds_of(lambda: [session.step(batch) for batch in batches])

    serve("TensorFlow " + tf.__version__, work)


if __name__ == "__main__":
    command_line.run(__doc__, declare_flags(), main)
