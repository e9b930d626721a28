#!/usr/bin/env bash
# Set-up, then the style check of the whole repository and the tests.
#
#   bash run_tests.sh [--tf=1.15|2.15] [pytest's arguments]
#
# Ends with the status of what failed: set-up's, else pytest's, else the style check's.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"

setup_flags=(--dev)
case "${1:-}" in
  --tf=*)
    setup_flags+=("$1")
    shift
    ;;
esac
bash scripts/setup.sh "${setup_flags[@]}"

# The environment itself rather than .venv, which another set-up may turn elsewhere meanwhile.
python="$(readlink .venv)/bin/python"
case "${setup_flags[1]:-}" in
  --tf=*) python=".venv-tf${setup_flags[1]#--tf=}/bin/python" ;;
esac

export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-2}"
style=0 tests=0
"$python" -m ruff check . || style=$?
if [ $# -eq 0 ]; then
  set -- tests --numprocesses=2 --dist=worksteal # Two at a time on any machine: a test takes up to 2 GB.
fi
"$python" -m pytest -q "$@" || tests=$?
if [ "$tests" -ne 0 ]; then
  exit "$tests"
fi
exit "$style"
