#!/usr/bin/env bash
# Fine-tunes the published tiny model on six tasks of CLUE: the best checkpoint of each, submissions, a table, a picture.
#
#   bash run_classifier_clue.sh [TASKS] [flags]   set-up, downloads (once), training; again, it goes on where it stopped
#   bash run_classifier_clue.sh --sample          no download: random weights, shipped samples
#   MODEL=albert_small_zh_google bash run_classifier_clue.sh   another model: a published name, a folder, a checkpoint
#
# What else there is: bash run_classifier_clue.sh --help
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
bash scripts/setup.sh
exec .venv/bin/python -m albert.clue.benchmark "$@"
