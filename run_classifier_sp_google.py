"""Fine-tunes a model of the google family on sentences or pairs of sentences.

    python run_classifier_sp_google.py --task_name=lcqmc_pair --do_train=true --do_eval=true --data_dir=lcqmc \\
      --init_checkpoint=albert_small_zh_google --output_dir=albert_lcqmc_checkpoints --max_seq_length=128

Config and vocabulary are those of --init_checkpoint's folder, unless --albert_config_file, --vocab_file or
--spm_model_file name others. Run again with the same --output_dir, it goes on from the last checkpoint.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
from albert.base.flags import Flags, run_command
from albert.checkpoints import families
from albert.finetuning.classification.problem import declare_classification_flags, run_classification


def declare_flags() -> Flags:
    """The published flags with their defaults, and ours."""
    flags = Flags()
    declare_classification_flags(flags, families.GOOGLE)
    flags.integer("max_seq_length", 512, "tokens per row; what is longer loses tokens of its longer text", minimum=4)
    return flags


def main(flags: Flags) -> None:
    """Trains, evaluates and predicts."""
    run_classification(flags, families.GOOGLE)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
