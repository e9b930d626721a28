"""Pre-trains a model of the zh family on masked words and sentence order.

    python run_pretraining.py --input_file='data/tf*.tfrecord' --output_dir=my_model --do_train=True --do_eval=True \\
      --bert_config_file=albert_config/albert_config_tiny.json --max_seq_length=512 --max_predictions_per_seq=51

Run again with the same --output_dir, it goes on from the last checkpoint.
"""

from __future__ import annotations

from albert.base.flags import Flags, run_command
from albert.checkpoints import families
from albert.pretraining.flags import build_pretraining_settings, declare_pretraining_flags


def declare_flags() -> Flags:
    """The published flags with their defaults, and ours."""
    flags = Flags()
    declare_pretraining_flags(flags, families.ZH)
    flags.group("Data")
    flags.integer("max_seq_length", 128, "tokens per sequence, as the records were made", minimum=1)
    flags.integer("max_predictions_per_seq", 20, "predictions per sequence, as the records were made", minimum=1)
    flags.boolean("do_train", False, "train")
    flags.group("Training")
    flags.integer("train_batch_size", 32, "sequences per step", minimum=1)
    flags.boolean("do_eval", False, "evaluate on held-out records")
    flags.group("Evaluation")
    flags.integer("eval_batch_size", 8, "sequences per evaluation step", minimum=1)
    flags.group("Training")
    flags.float("learning_rate", 5e-5, "the learning rate at its peak", minimum=0.0)
    flags.integer("num_train_steps", 100000, "steps in all", minimum=1)
    flags.integer("num_warmup_steps", 10000, "steps of linear warm-up", minimum=0)
    flags.integer("save_checkpoints_steps", 1000, "steps between two checkpoints", minimum=1)
    return flags


def main(flags: Flags) -> None:
    """Trains and evaluates."""
    settings = build_pretraining_settings(flags, families.ZH)
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.pretraining.run import run_pretraining

    run_pretraining(settings, families.ZH)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
