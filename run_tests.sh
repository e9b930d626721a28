#!/usr/bin/env bash
# Set-up, then the style check of the whole repository, the types and the tests.
#
#   bash run_tests.sh [--tf=1.15|2.15] [--all] [pytest's arguments]
#
#   --tf=...   the environment, as of scripts/setup.sh
#   --all      the slow tests too, and TensorFlow with its graph optimizer, as its users have it
#
# Ends with the status of what failed: set-up's, else pytest's, else the checks'.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

setup_flags=(--dev) selection=() tf=""
while [ $# -gt 0 ]; do
  case "$1" in
    --tf=*) tf="${1#--tf=}" setup_flags=(--dev "$1") ;;
    --all) selection=(-m "slow or not slow") ;;
    *) break ;;
  esac
  shift
done
bash scripts/setup.sh "${setup_flags[@]}"

# The environment itself rather than .venv, which another set-up may turn elsewhere meanwhile.
python="$(readlink .venv)/bin/python"
if [ -n "$tf" ]; then
  python=".venv-tf$tf/bin/python"
fi

export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-2}"
checks=0 tests=0
"$python" -m ruff check . || checks=$?
if [ -x "$(dirname "$python")/mypy" ]; then # Not beside Python 3.7, which its releases of today do not run on.
  "$python" -m mypy || checks=$?
fi
if [ $# -eq 0 ]; then
  set -- tests --numprocesses=2 --dist=worksteal # Two at a time on any machine: a test takes up to 2 GB.
fi
"$python" -m pytest -q ${selection[@]+"${selection[@]}"} "$@" || tests=$?
if [ "$tests" -ne 0 ]; then
  exit "$tests"
fi
exit "$checks"
