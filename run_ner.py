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

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
from albert.base.flags import Flags, run_command
from albert.checkpoints import families
from albert.finetuning import task_flags
from albert.finetuning.ner.problem import Tagging
from albert.finetuning.run import declare_fine_tuning_flags, run_fine_tuning
from albert.tasks.registry import TAGGER
from albert.training import run_model


def declare_flags() -> Flags:
    """The flags of all fine-tuning runs."""
    flags = Flags()
    declare_fine_tuning_flags(flags, list(families.FAMILIES.values()))
    task_flags.declare_flags(flags, TAGGER)
    flags.integer("max_seq_length", 128, "tokens of a sequence; a longer sentence is read in several", minimum=3)
    return flags


def main(flags: Flags) -> None:
    """Trains, evaluates and predicts."""
    run_fine_tuning(flags, run_model.find_family, Tagging)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
