"""Fine-tunes a model of either family to answer questions by a span of a text: cmrc2018, drcd.

    python run_mrc.py --task_name=cmrc2018 --do_train=true --do_eval=true --do_predict=true --data_dir=cmrc2018 \\
      --vocab_file=albert_config/vocab.txt --bert_config_file=albert_config/albert_config_tiny.json \\
      --init_checkpoint=albert_tiny_zh/albert_model.ckpt --output_dir=cmrc2018_checkpoints \\
      --max_seq_length=512 --train_batch_size=16 --learning_rate=5e-5 --num_train_epochs=3

The best checkpoint is that of the highest F1 on the dev split (mrc_metrics.py). What it answers on the test split
stands in <task>_predict.json and <task>_nbest.json (mrc_answers.py). Run again with the same --output_dir, it goes on
from the last checkpoint.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
from albert.base.flags import Flags, run_command
from albert.checkpoints import families
from albert.finetuning import task_flags
from albert.finetuning.mrc.problem import Reading, declare_reading_flags
from albert.finetuning.run import declare_fine_tuning_flags, run_fine_tuning
from albert.tasks.registry import READER
from albert.training import run_model


def declare_flags() -> Flags:
    """The flags of all fine-tuning runs, and those of windows and answers."""
    flags = Flags()
    declare_fine_tuning_flags(flags, list(families.FAMILIES.values()))
    task_flags.declare_flags(flags, READER)
    declare_reading_flags(flags)
    flags.integer("max_seq_length", 512, "tokens of question and window together", minimum=5)
    return flags


def main(flags: Flags) -> None:
    """Trains, evaluates and predicts."""
    run_fine_tuning(flags, run_model.find_family, Reading)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
