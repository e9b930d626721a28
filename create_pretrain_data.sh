#!/usr/bin/env bash
# Makes pre-training records from raw text (one sentence a line, an empty line between documents).
#
#   bash create_pretrain_data.sh                             data/news_zh_1.txt, the sample
#   bash create_pretrain_data.sh N                           data/news_zh_N.txt, one of many
#   bash create_pretrain_data.sh INPUT OUTPUT [more flags]   your own text
#
# More flags go to create_pretraining_data.py as they are, and win over those below.
set -euo pipefail

fail() { # fail STATUS SENTENCE
  printf '%s\n' "create_pretrain_data.sh: $2" >&2
  exit "$1"
}

if [ $# -le 1 ] && [[ "${1:-1}" =~ ^[0-9]+$ ]]; then
  in_repository=yes
  input="data/news_zh_${1:-1}.txt"
  output="data/tf_news_2016_zh_raw_news2016zh_${1:-1}.tfrecord"
elif [ $# -ge 2 ] && [[ "$1" != -* ]] && [[ "$2" != -* ]]; then
  in_repository=no
  input="$1"
  output="$2"
  shift 2
else
  fail 2 "give nothing, a number, or an input and an output file: bash create_pretrain_data.sh INPUT OUTPUT [more flags]."
fi

root="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
python="$root/.venv/bin/python"
[ -x "$python" ] || fail 1 "there is no environment yet; bash scripts/setup.sh brings it."

# The user's own paths stay relative to where the command was given.
if [ "$in_repository" = yes ]; then
  cd "$root"
  set --
fi

exec "$python" "$root/create_pretraining_data.py" --do_whole_word_mask=True --input_file="$input" \
  --output_file="$output" --vocab_file="$root/albert_config/vocab.txt" --do_lower_case=True \
  --max_seq_length=512 --max_predictions_per_seq=51 --masked_lm_prob=0.10 --ngram=1 "$@"
