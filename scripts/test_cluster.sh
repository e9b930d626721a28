#!/usr/bin/env bash
# Tests on several hosts, which are network namespaces of this machine: data on Spark, training by TF_CONFIG.
#
#   bash scripts/test_cluster.sh [pytest's arguments]
#
# Needs root on Linux, and Java for Spark; where that is not there, it says so and ends well. Spark runs in environments
# of its own (.venv-spark), with what requirements/lock/ names.
set -euo pipefail

words=("$@") # for pytest
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/find_python.sh
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-2}" PIP_DISABLE_PIP_VERSION_CHECK=1

# An environment from the lock files; the stamp, written last, says which.
spark_environment() { # spark_environment VERSION
  local place=".venv-spark/$1" lock="requirements/lock/py$1" python pip
  if [ "$(cat "$place/stamp" 2>/dev/null)" = "$(cat "$lock-build.txt" "$lock-spark.txt")" ]; then
    return
  fi
  python="$(find_python "$1")" || {
    printf 'test_cluster: no Python %s was found\n' "$1" >&2
    exit 1
  }
  printf 'Making %s.\n' "$place"
  rm -rf -- "$place"
  "$python" -m venv "$place"
  pip=("$place/bin/python" -m pip install --quiet --no-input --require-hashes)
  "${pip[@]}" -r requirements/lock/pip.txt
  "${pip[@]}" -r "$lock-build.txt"
  "${pip[@]}" --no-build-isolation -r "$lock-spark.txt"
  cat "$lock-build.txt" "$lock-spark.txt" >"$place/stamp"
}

bash scripts/setup.sh --dev --tf=2.15
reason="$(.venv-tf2.15/bin/python -c 'from tests.support.hosts import why_not; print(why_not())')"
if [ -n "$reason" ]; then
  printf 'Skipped: no hosts can be made here: %s.\n' "$reason"
  exit 0
fi

export ALBERT_CLUSTER_TESTS=1 ALBERT_SPARK_PYTHONS=""
if command -v java >/dev/null; then
  spark_environment 3.11
  spark_environment 3.7
  ALBERT_SPARK_PYTHONS="$PWD/.venv-spark/3.11/bin/python $PWD/.venv-spark/3.7/bin/python"
else
  printf 'Skipped: Spark, which needs Java.\n'
fi
# All groups at a time: each of them waits much.
.venv-tf2.15/bin/python -m pytest -q --durations=5 --numprocesses=4 --dist=loadgroup \
  tests/pretraining_data/test_spark.py tests/devices/test_training_hosts.py ${words[@]+"${words[@]}"}
