#!/usr/bin/env bash
# Fine-tunes and evaluates the published tiny model on LCQMC, the question pairs.
#
#   bash run_classifier_lcqmc.sh [more flags]            set-up, downloads (once), training, evaluation
#   bash run_classifier_lcqmc.sh --sample [more flags]   no download: the shipped model, the shipped sample
#
# More flags go to run_classifier.py as they are, and win over those below.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

model_dir=./albert_tiny_zh
data_dir=./lcqmc

classify() { # classify FLAGS...: what both ways have in common
  .venv/bin/python run_classifier.py --task_name=lcqmc_pair --do_train=true --do_eval=true --do_predict=true \
    --vocab_file=./albert_config/vocab.txt --bert_config_file=./albert_config/albert_config_tiny.json \
    --train_batch_size=64 --eval_batch_size=64 --predict_batch_size=64 --learning_rate=1e-4 --num_train_epochs=5 "$@"
}

list_what_is_missing() { # Follows the sentence of albert.downloads.download, which says what could not be reached.
  cat >&2 <<EOF
Files to put where, by hand, before the same command is run again:
  $model_dir/albert_model.ckpt.data-00000-of-00001, .index, .meta   (from albert_tiny_489k.zip)
  $data_dir/train.txt, dev.txt, test.txt                            (LCQMC: sentence TAB sentence TAB 0 or 1)
The same run on the shipped sample, from the shipped model (--init_checkpoint=starter), needs no download:
  bash run_classifier_lcqmc.sh --sample
EOF
}

main() {
  local sample=no flag
  for flag in "$@"; do # Takes --sample out, wherever it stands.
    shift
    if [ "$flag" = --sample ]; then sample=yes; else set -- "$@" "$flag"; fi
  done
  bash scripts/setup.sh
  if [ "$sample" = yes ]; then
    printf '%s\n' "The shipped sample and the shipped model: the figures say nothing about LCQMC or the published model."
    classify --data_dir=./data/sample_pairs --max_seq_length=64 --init_checkpoint=starter \
      --output_dir=./albert_lcqmc_checkpoints_sample "$@"
    printf '%s\n' "These are figures of the shipped sample, not of LCQMC."
    return
  fi
  if ! .venv/bin/python -m albert.downloads.download albert_tiny_489k --to="$model_dir" ||
    ! .venv/bin/python -m albert.downloads.download lcqmc --to="$data_dir"; then
    list_what_is_missing
    exit 1
  fi
  classify --preset=published --data_dir="$data_dir" --max_seq_length=128 --output_dir=./albert_lcqmc_checkpoints \
    --init_checkpoint="$model_dir/albert_model.ckpt" "$@"
}

main "$@"
