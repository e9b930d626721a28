"""Distils a sentence encoder: trains a model of either family so that its sentence vectors are a teacher's.

    python run_distillation.py --input_file=sentences.txt --teacher_vectors=vectors.npy --output_dir=my_encoder \\
      --do_train=True --do_eval=True --eval_pairs=dev.txt --bert_config_file=albert_config/albert_config_tiny.json \\
      --vocab_file=albert_config/vocab.txt --num_train_epochs=4

The teacher is any encoder: its vectors are a .npy file, float16 or float32, with a row for each line. Run again with
the same --output_dir, it goes on from the last checkpoint.
"""

from __future__ import annotations

from albert.base.flags import Flags, run_command
from albert.finetuning.sentence_vectors.flags import build_distillation_settings, distillation_flags


def declare_flags() -> Flags:
    """Declares the flags of the command."""
    return distillation_flags()


def main(flags: Flags) -> None:
    """Trains and evaluates."""
    settings = build_distillation_settings(flags)
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.finetuning.run import run_fine_tuning
    from albert.finetuning.sentence_vectors.distillation import VectorDistillation

    run_fine_tuning(settings, VectorDistillation)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
