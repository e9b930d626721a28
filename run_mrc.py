"""Fine-tunes a model of either family to answer questions by a span of a text: cmrc2018, drcd.

    python run_mrc.py --task_name=cmrc2018 --do_train=true --do_eval=true --do_predict=true --data_dir=cmrc2018 \\
      --vocab_file=albert_config/vocab.txt --bert_config_file=albert_config/albert_config_tiny.json \\
      --init_checkpoint=albert_tiny_zh/albert_model.ckpt --output_dir=cmrc2018_checkpoints \\
      --max_seq_length=512 --train_batch_size=16 --learning_rate=5e-5 --num_train_epochs=3

The best checkpoint is that of the highest F1 on the dev split (albert/tasks/mrc_metrics.py). The answers of the test
split stand in <task>_predict.json and <task>_nbest.json (albert/finetuning/mrc/answers.py). Run again with the same
--output_dir, it goes on from the last checkpoint.
"""

from __future__ import annotations

from albert.base.flags import Flags, run_command
from albert.finetuning.flags import build_reading_settings, reader_flags


def declare_flags() -> Flags:
    """Declares the flags of the command."""
    return reader_flags()


def main(flags: Flags) -> None:
    """Trains, evaluates and predicts."""
    settings = build_reading_settings(flags)
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.finetuning.mrc.problem import Reading
    from albert.finetuning.run import run_fine_tuning

    run_fine_tuning(settings, Reading)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
