"""Fine-tunes a model of the zh family on sentences or pairs of sentences.

    python run_classifier.py --task_name=lcqmc_pair --do_train=true --do_eval=true --data_dir=lcqmc \\
      --vocab_file=albert_config/vocab.txt --bert_config_file=albert_config/albert_config_tiny.json \\
      --max_seq_length=128 --train_batch_size=64 --learning_rate=1e-4 --num_train_epochs=5 \\
      --output_dir=albert_lcqmc_checkpoints --init_checkpoint=albert_tiny_zh/albert_model.ckpt

Run again with the same --output_dir, it goes on from the last checkpoint.
"""

from __future__ import annotations

from typing import Any

from albert.base.flags import Flags, run_command
from albert.checkpoints import families
from albert.finetuning.flags import build_classification_settings, classifier_flags


def declare_flags() -> Flags:
    """Declares the published flags with their defaults, and ours."""
    return classifier_flags(families.ZH)


def main(flags: Flags) -> None:
    """Trains, evaluates and predicts."""
    settings = build_classification_settings(flags, families.ZH)
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.finetuning.classification.problem import Classification
    from albert.finetuning.run import run_fine_tuning

    run_fine_tuning(settings, Classification, families.ZH)


def __getattr__(name: str) -> Any:
    """Finds the published names that programs import from here: InputExample, create_model and others."""
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.finetuning.classification import published

    return published.find(name, __name__)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
