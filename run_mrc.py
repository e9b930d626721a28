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

import quiet_tensorflow  # noqa: F401

# isort: split
import command_line
import families
import fine_tuning_run
import mrc_run
import run_model
import task_flags
from command_line import Flags
from task_runners import READER


def declare_flags() -> Flags:
    """The flags of all fine-tuning runs, and those of windows and answers."""
    flags = Flags()
    fine_tuning_run.declare_flags(flags, list(families.FAMILIES.values()))
    task_flags.declare_flags(flags, READER)
    mrc_run.declare_flags(flags)
    flags.integer("max_seq_length", 512, "tokens of question and window together", minimum=5)
    return flags


def main(flags: Flags) -> None:
    """Trains, evaluates and predicts."""
    fine_tuning_run.run(flags, run_model.find_family, mrc_run.Reading)


if __name__ == "__main__":
    command_line.run(__doc__, declare_flags(), main)
