"""Fine-tunes a model of the zh family on sentences or pairs of sentences.

    python run_classifier.py --task_name=lcqmc_pair --do_train=true --do_eval=true --data_dir=lcqmc \\
      --vocab_file=albert_config/vocab.txt --bert_config_file=albert_config/albert_config_tiny.json \\
      --max_seq_length=128 --train_batch_size=64 --learning_rate=1e-4 --num_train_epochs=5 \\
      --output_dir=albert_lcqmc_checkpoints --init_checkpoint=albert_tiny_zh/albert_model.ckpt

Run again with the same --output_dir, it goes on from the last checkpoint.
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
    declare_classification_flags(flags, families.ZH)
    flags.integer("max_seq_length", 128, "tokens per row; what is longer loses tokens of its longer text", minimum=4)
    return flags


def main(flags: Flags) -> None:
    """Trains, evaluates and predicts."""
    run_classification(flags, families.ZH)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
