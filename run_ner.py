"""Fine-tunes a model of either family to find entities: weibo_ner, msra_ner, resume_ner, cluener.

    python run_ner.py --task_name=weibo_ner --do_train=true --do_eval=true --do_predict=true --data_dir=weibo_ner \\
      --vocab_file=albert_config/vocab.txt --bert_config_file=albert_config/albert_config_tiny.json \\
      --init_checkpoint=albert_tiny_zh/albert_model.ckpt --output_dir=weibo_ner_checkpoints \\
      --max_seq_length=128 --train_batch_size=16 --learning_rate=5e-5 --num_train_epochs=20

The best checkpoint is that of the highest entity F1 on the dev split. What it predicts for the test split stands in
<task>_predict.bio and <task>_predict.spans.json (see ner_answers.py). Run again with the same --output_dir, it goes on
from the last checkpoint.
"""

from __future__ import annotations

import quiet_tensorflow  # noqa: F401

# isort: split
import command_line
import families
import fine_tuning_run
import ner_run
import run_model
import task_flags
from command_line import Flags
from task_runners import TAGGER


def declare_flags() -> Flags:
    """The flags of all fine-tuning runs."""
    flags = Flags()
    fine_tuning_run.declare_flags(flags, list(families.FAMILIES.values()))
    task_flags.declare_flags(flags, TAGGER)
    flags.integer("max_seq_length", 128, "tokens of a sequence; a longer sentence is read in several", minimum=3)
    return flags


def main(flags: Flags) -> None:
    """Trains, evaluates and predicts."""
    fine_tuning_run.run(flags, run_model.find_family, ner_run.Tagging)


if __name__ == "__main__":
    command_line.run(__doc__, declare_flags(), main)
