"""A training step that works in turns: one measurement of benchmarks/finetuning.py or benchmarks/pretraining.py."""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401 (before TensorFlow)

# isort: split

import tensorflow.compat.v1 as tf

from albert.base.flags import Flags, run_command
from albert.checkpoints import families
from benchmarks.batch_files import read_batches
from benchmarks.step_session import StepSession
from benchmarks.training_variants import VARIANTS
from benchmarks.turns import seconds_of, serve


def declare_flags() -> Flags:
    """The flags of this command."""
    flags = Flags()
    flags.choice("variant", None, sorted(VARIANTS), "which step")
    flags.string("batches", None, "a file of batch_files")
    flags.string("bert_config_file", None, "the model: a JSON file of the zh family")
    flags.string("precision", None, "what the products are rounded to; as the runners have it by default")
    flags.integer("profile_steps", 0, "a turn profiles so many steps of the first batch; 0: it times a step of each")
    return flags


def main(flags: Flags) -> None:
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
    run_command(__doc__, declare_flags(), main)
