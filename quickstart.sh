#!/usr/bin/env bash
# Set-up, then the whole way from raw text to a scored sentence pair on the data that ships with the project.
#
#   bash quickstart.sh [--tf=1.15|2.15]
#
# Everything it makes is in quickstart_output/.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
bash scripts/setup.sh "$@"
exec .venv/bin/python scripts/quickstart.py
