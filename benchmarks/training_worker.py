"""Worker of benchmarks.finetuning and benchmarks.pretraining: runs training steps, in turns."""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import tensorflow.compat.v1 as tf

from albert.base.flags import Flags, run_command
from albert.checkpoints import families
from benchmarks.batch_files import read_batches
from benchmarks.step_session import StepSession
from benchmarks.training_variants import VARIANTS
from benchmarks.turns import seconds_of, serve


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    flags.choice("variant", None, sorted(VARIANTS), "the training step to run")
    flags.string("batches", None, "a file that batch_files wrote")
    flags.location("bert_config_file", None, "config file (JSON) of the model, of the zh family")
    flags.string("precision", None, "precision of matrix products; by default that of the training commands")
    flags.integer("profile_steps", 0, "steps of the first batch that a turn profiles; 0 to time a step of each batch")
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
