#!/usr/bin/env bash
# Makes the starter model from text files: sentences, a teacher's vectors, pre-training, distillation, the packed folder.
#
#   bash scripts/make_starter_model.sh OUTPUT_DIR EVAL_PAIRS TEXT[:SENTENCES] ...
#
# EVAL_PAIRS are pairs with labels on which checkpoints are compared. TEXT is a text file, perhaps with the most sentences
# that are taken from it. LEAVE_OUT=FILE names a file of sentences that are not taken (those of benchmarks),
# PRETRAINING_TEXT=FILE,… the text files that are pre-trained on (by default all). Run again, it goes on where it was
# stopped. The teacher has an environment of its own, in OUTPUT_DIR/teacher.
set -euo pipefail

if [ $# -lt 3 ]; then
  sed -n '2,9p' "$0" | cut -c3- >&2
  exit 2
fi
output=$1 pairs=$2
shift 2
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-.venv/bin/python}
mkdir -p "$output"

texts=$(IFS=,; echo "$*")
[ -e "$output/sentences.txt" ] ||
  "$python" scripts/starter_sentences.py --text="$texts" --leave_out="${LEAVE_OUT:-}" --output="$output/sentences.txt"

if [ ! -e "$output/vectors.npy" ]; then
  [ -x "$output/teacher/bin/python" ] || "${TEACHER_PYTHON:-python3}" -m venv "$output/teacher"
  "$output/teacher/bin/pip" install --quiet -r requirements/teacher.txt
  "$output/teacher/bin/python" scripts/starter_teacher.py --input_file="$output/sentences.txt" --output_file="$output/vectors.npy"
fi

files=()
for text in "$@"; do files+=("${text%%:*}"); done
if [ ! -e "$output/records/train.tfrecord.json" ]; then
  mkdir -p "$output/records"
  "$python" create_pretraining_data.py --input_file="${PRETRAINING_TEXT:-$(IFS=,; echo "${files[*]}")}" --vocab_file=albert_config/vocab.txt \
    --output_file="$output/records/train.tfrecord" --heldout_file="$output/records/heldout.tfrecord" --heldout_share=0.02 \
    --dynamic_masking=True --do_whole_word_mask=True --ngram=1 --max_seq_length=64 --max_predictions_per_seq=10 --num_workers=2
fi
"$python" run_pretraining.py --input_file="$output/records/train*.tfrecord" --eval_input_file="$output/records/heldout*.tfrecord" \
  --output_dir="$output/pretrained" --do_train=True --do_eval=True --bert_config_file=albert_config/albert_config_tiny.json \
  --max_seq_length=64 --max_predictions_per_seq=10 --optimizer=adamw --learning_rate=1e-3 --train_batch_size=32 --eval_batch_size=64 \
  --num_train_steps=4000 --num_warmup_steps=400 --save_checkpoints_steps=500

"$python" run_distillation.py --input_file="$output/sentences.txt" --teacher_vectors="$output/vectors.npy" --eval_pairs="$pairs" \
  --output_dir="$output/distilled" --init_checkpoint="$output/pretrained/best" --vocab_file=albert_config/vocab.txt --do_train=True \
  --do_eval=True --max_seq_length=48 --train_batch_size=64 --eval_batch_size=128 --learning_rate=1e-3 --warmup_proportion=0.05 \
  --num_train_epochs="${EPOCHS:-1.5}" --save_checkpoints_steps=1500

"$python" scripts/pack_starter.py --checkpoint="$output/distilled/best" --notes=scripts/starter_notes.json --output_dir="$output/starter_model"
