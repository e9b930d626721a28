#!/usr/bin/env bash
# Opens exports and checkpoints with the libraries that users open them with: transformers on torch, onnxruntime,
# ai-edge-litert and the TensorFlow of the day (Python 3.10 or later); bert4keras and bert-for-tf2 (Python 3.7).
# Repeats whole training runs in torch: losses and final weights must agree.
#
#   bash scripts/test_readers.sh
#
# Makes three environments in .venv-readers (4 GB; some minutes), and takes them as they are when they are there.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/find_python.sh
. scripts/extra_environment.sh
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-2}"
readonly HOME_OF_READERS=.venv-readers

fail() {
  printf 'test_readers: %s\n' "$1" >&2
  exit 1
}

new_python="$(find_python 3.11 3.10)" || fail "no Python 3.11 or 3.10 was found"
old_python="$(find_python 3.7)" || fail "no Python 3.7 was found"
extra_environment "$HOME_OF_READERS/exports" "$new_python" requirements.txt requirements/export.txt
extra_environment "$HOME_OF_READERS/current" "$new_python" requirements/readers.txt requirements/dev.txt
extra_environment "$HOME_OF_READERS/keras" "$old_python" requirements.txt requirements/readers.txt requirements/dev.txt

# The runtime of the browser example; its tests are skipped where npm cannot bring it.
readonly WEB="$HOME_OF_READERS/web"
if [ ! -d "$WEB/node_modules/onnxruntime-web/dist" ] && command -v npm >/dev/null; then
  timeout 180 npm install --prefix "$WEB" --ignore-scripts --no-audit --no-fund --silent onnxruntime-web@1.30.0 || rm -rf -- "$WEB"
fi
if [ -d "$WEB/node_modules/onnxruntime-web/dist" ]; then export ORT_WEB="$PWD/$WEB/node_modules/onnxruntime-web/dist"; fi

exports="$(mktemp -d)"
trap 'rm -rf -- "$exports"' EXIT
"$HOME_OF_READERS/exports/bin/python" -m tests.readers.make_exports "$exports"
"$HOME_OF_READERS/exports/bin/python" -m tests.readers.make_training_runs "$exports/training_runs"
status=0
# Their own conftest: that of the tests wants the project's environment.
EXPORTS="$exports" RUNS="$exports/training_runs" "$HOME_OF_READERS/current/bin/python" -m pytest -q \
  --confcutdir=tests/readers tests/readers/read_exports.py tests/readers/read_training_runs.py \
  tests/readers/read_browser_page.py || status=$?
"$HOME_OF_READERS/keras/bin/python" -m pytest -q tests/readers/read_checkpoints.py || status=$?
exit "$status"
