#!/usr/bin/env bash
# CLUE benchmark: fine-tunes the published tiny model on six tasks; best checkpoints, submissions, a table, a picture.
#
#   bash run_classifier_clue.sh [TASKS] [flags]   set-up, downloads (once), training; run it again to continue
#   bash run_classifier_clue.sh --sample          no download: random weights, shipped samples
#   MODEL=albert_small_zh_google bash run_classifier_clue.sh   another model: a published name, a folder, a checkpoint
#
# All flags: bash run_classifier_clue.sh --help
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
bash scripts/setup.sh
exec .venv/bin/python -m albert.clue.benchmark "$@"
