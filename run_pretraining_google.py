"""Pre-trains a model of the google family on masked words and sentence order.

    python run_pretraining_google.py --input_file='data/tf*.tfrecord' --output_dir=my_model --do_eval=True \\
      --albert_config_file=albert_config/albert_config_tiny_google.json --max_predictions_per_seq=51 \\
      --train_batch_size=64 --export_dir=my_model_export

Run again with the same --output_dir, it goes on from the last checkpoint.
"""

from __future__ import annotations

from albert.base.flags import Flags, UsageError, run_command
from albert.checkpoints import families
from albert.pretraining.flags import build_pretraining_settings, declare_pretraining_flags


def declare_flags() -> Flags:
    """The published flags with their defaults, and ours."""
    flags = Flags()
    declare_pretraining_flags(flags, families.GOOGLE)
    flags.group("Data")
    flags.integer("max_seq_length", 512, "tokens per sequence, as the records were made", minimum=1)
    flags.integer("max_predictions_per_seq", 20, "predictions per sequence, as the records were made", minimum=1)
    flags.boolean("do_train", True, "train")
    flags.group("Training")
    flags.integer("train_batch_size", 4096, "sequences per step", minimum=1)
    flags.boolean("do_eval", False, "evaluate on held-out records")
    flags.group("Evaluation")
    flags.integer("eval_batch_size", 64, "sequences per evaluation step", minimum=1)
    flags.group("Training")
    flags.float("learning_rate", 0.00176, "the learning rate at its peak", minimum=0.0)
    flags.integer("num_train_steps", 125000, "steps in all", minimum=1)
    flags.integer("num_warmup_steps", 3125, "steps of linear warm-up", minimum=0)
    flags.integer("save_checkpoints_steps", 5000, "steps between two checkpoints", minimum=1)
    flags.integer("masked_lm_budget", 0, "only 0: dynamic records are masked while training", minimum=0)
    return flags


def main(flags: Flags) -> None:
    """Trains and evaluates."""
    if flags.masked_lm_budget:
        raise UsageError(
            "--masked_lm_budget={} asks for masks that are drawn while training: records of "
            "`create_pretraining_data.py --dynamic_masking=True` have them, by --masked_lm_prob and "
            "--max_predictions_per_seq".format(flags.masked_lm_budget)
        )
    settings = build_pretraining_settings(flags, families.GOOGLE)
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.pretraining.run import run_pretraining

    run_pretraining(settings, families.GOOGLE)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
