"""Fine-tunes a model of the google family on sentences or pairs of sentences.

    python run_classifier_sp_google.py --task_name=lcqmc_pair --do_train=true --do_eval=true --data_dir=lcqmc \\
      --init_checkpoint=albert_small_zh_google --output_dir=albert_lcqmc_checkpoints --max_seq_length=128

Config and vocabulary are those of --init_checkpoint's folder, unless --albert_config_file, --vocab_file or
--spm_model_file name others. Run again with the same --output_dir, it goes on from the last checkpoint.
"""

from __future__ import annotations

from typing import Any

from albert.base.flags import Flags, run_command
from albert.checkpoints import families
from albert.finetuning.flags import build_classification_settings, classifier_flags


def declare_flags() -> Flags:
    """Declares the published flags with their defaults, and ours."""
    return classifier_flags(families.GOOGLE)


def main(flags: Flags) -> None:
    """Trains, evaluates and predicts."""
    settings = build_classification_settings(flags, families.GOOGLE)
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.finetuning.classification.problem import Classification
    from albert.finetuning.run import run_fine_tuning

    run_fine_tuning(settings, Classification, families.GOOGLE)


def __getattr__(name: str) -> Any:
    """Finds the published names that programs import from here: InputExample, create_model and others."""
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.finetuning.classification import published

    return published.find(name, __name__)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
