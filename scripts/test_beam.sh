#!/usr/bin/env bash
# The tests of create_pretraining_data_beam.py beside both TensorFlows, in environments of their own (.venv-beam).
#
#   bash scripts/test_beam.sh
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
. scripts/find_python.sh
. scripts/extra_environment.sh
export TF_CPP_MIN_LOG_LEVEL="${TF_CPP_MIN_LOG_LEVEL:-2}"

status=0
for version in 3.7 3.11; do
  python="$(find_python "$version")" || {
    printf 'test_beam: no Python %s was found\n' "$version" >&2
    exit 1
  }
  extra_environment ".venv-beam/$version" "$python" requirements.txt requirements/beam.txt requirements/dev.txt
  ".venv-beam/$version/bin/python" -m pytest -q tests/pretraining_data/test_beam.py || status=$?
done
exit "$status"
