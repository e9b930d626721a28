#!/usr/bin/env bash
# Opens exports and checkpoints with the libraries that users open them with: transformers on torch, onnxruntime,
# ai-edge-litert and the TensorFlow of the day (Python 3.10 or later); bert4keras and bert-for-tf2 (Python 3.7).
#
#   bash scripts/test_readers.sh
#
# Makes three environments in .venv-readers (4 GB; some minutes), and takes them as they are when they are there.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/find_python.sh
export PIP_DISABLE_PIP_VERSION_CHECK=1 TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-2}"
readonly HOME_OF_READERS=.venv-readers

fail() {
  printf 'test_readers: %s\n' "$1" >&2
  exit 1
}

# Makes an environment that holds some requirements files; the stamp, written last, says which.
environment() { # environment NAME PYTHON FILE...
  local place="$HOME_OF_READERS/$1" python="$2"
  shift 2
  if ! [ "$(cat "$place/stamp" 2>/dev/null)" = "$(cat "$@")" ]; then
    printf 'Making %s.\n' "$place"
    rm -rf -- "$place"
    "$python" -m venv "$place"
    "$place/bin/python" -m pip install --quiet --upgrade "pip==24.0"
    "$place/bin/python" -m pip install --quiet --no-input $(printf -- '-r %s ' "$@")
    cat "$@" >"$place/stamp"
  fi
}

new_python="$(find_python 3.11 3.10)" || fail "no Python 3.11 or 3.10 was found"
old_python="$(find_python 3.7)" || fail "no Python 3.7 was found"
environment exports "$new_python" requirements.txt requirements-export.txt
environment current "$new_python" requirements-readers.txt requirements-dev.txt
environment keras "$old_python" requirements.txt requirements-readers.txt requirements-dev.txt

exports="$(mktemp -d)"
trap 'rm -rf -- "$exports"' EXIT
"$HOME_OF_READERS/exports/bin/python" tests/readers/make_exports.py "$exports"
status=0
# Their own conftest: that of the tests wants the project's environment.
EXPORTS="$exports" "$HOME_OF_READERS/current/bin/python" -m pytest -q --confcutdir=tests/readers \
  tests/readers/read_exports.py || status=$?
"$HOME_OF_READERS/keras/bin/python" -m pytest -q tests/readers/read_checkpoints.py || status=$?
exit "$status"
