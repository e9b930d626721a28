"""Fine-tunes a model of either family to find entities: weibo_ner, msra_ner, resume_ner, cluener.

    python run_ner.py --task_name=weibo_ner --do_train=true --do_eval=true --do_predict=true --data_dir=weibo_ner \\
      --vocab_file=albert_config/vocab.txt --bert_config_file=albert_config/albert_config_tiny.json \\
      --init_checkpoint=albert_tiny_zh/albert_model.ckpt --output_dir=weibo_ner_checkpoints \\
      --max_seq_length=128 --train_batch_size=16 --learning_rate=5e-5 --num_train_epochs=20

The best checkpoint is that of the highest entity F1 on the dev split. The predictions for the test split stand in
<task>_predict.bio and <task>_predict.spans.json (albert/finetuning/ner/answers.py). Run again with the same
--output_dir, it goes on from the last checkpoint.
"""

from __future__ import annotations

from albert.base.flags import Flags, run_command
from albert.finetuning.flags import build_tagging_settings, tagger_flags


def declare_flags() -> Flags:
    """Declares the flags of the command."""
    return tagger_flags()


def main(flags: Flags) -> None:
    """Trains, evaluates and predicts."""
    settings = build_tagging_settings(flags)
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.finetuning.ner.problem import Tagging
    from albert.finetuning.run import run_fine_tuning

    run_fine_tuning(settings, Tagging)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
