"""Fine-tunes sentence vectors on pairs: sentences that mean the same come near each other (a bi-encoder).

    python run_embedding.py --task_name=lcqmc --data_dir=lcqmc --init_checkpoint=my_encoder --do_train=True \\
      --do_eval=True --learning_rate=5e-4 --num_train_epochs=1 --output_dir=my_bi_encoder
    python run_embedding.py --train_pairs=sts/train.tsv --eval_pairs=sts/dev.tsv --init_checkpoint=my_encoder …

Pairs have a label 0 or 1, or a score of any scale. The best checkpoint is that of the highest AUC (labels) or Spearman
correlation (scores) on the dev pairs. Run again with the same --output_dir, it goes on from the last checkpoint.
"""

from __future__ import annotations

from albert.base.flags import Flags, run_command
from albert.finetuning.sentence_vectors.flags import build_pair_settings, pair_flags


def declare_flags() -> Flags:
    """Declares the flags of the command."""
    return pair_flags()


def main(flags: Flags) -> None:
    """Trains, evaluates and predicts."""
    settings = build_pair_settings(flags)
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.finetuning.run import run_fine_tuning
    from albert.finetuning.sentence_vectors.pairs import PairTraining

    run_fine_tuning(settings, PairTraining)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
