# shellcheck shell=bash
# Sourced by setup.sh: finds a Python that really runs. Bash 3.2 is enough.
#
#   find_python 3.7            prints the path of a working Python 3.7, or nothing (status 1)
#   find_python 3.11 3.10 3.9  prints the first of these versions that is found
#
# A Python counts when it starts, says it has the version (pyenv's shims answer for inactive versions
# too, but do not run) and can make an environment (some systems ship venv without ensurepip).

python_works() { # python_works PATH VERSION
  "$1" -I - "$2" >/dev/null 2>&1 <<'PY'
import platform, sys
import ctypes, ensurepip, ssl, venv, zlib
wanted = sys.argv[1]
if "%d.%d" % sys.version_info[:2] != wanted:
    sys.exit(1)
if wanted == "3.7" and platform.machine().lower() not in ("x86_64", "amd64"):
    sys.exit(1)  # TensorFlow 1.15 has no wheel for other machines.
PY
}

# Each from_* prints candidates for a version, one a line, best first; quick places come before slow ones.
from_variable() { printf '%s\n' "${PYTHON:-}"; }

from_path() { # Every one of these names on PATH, not only the first: a shim may hide one that works.
  local name
  for name in "python$1" python3 python; do
    type -ap "$name" || true
  done
}

from_pyenv() {
  local root="${PYENV_ROOT:-${HOME:-}/.pyenv}" folder
  for folder in "$root/versions/$1" "$root/versions/$1".*; do
    printf '%s\n' "$folder/bin/python"
  done
}

from_uv() {
  if command -v uv >/dev/null 2>&1; then
    uv python find "$1" 2>/dev/null || true
  fi
}

from_conda_folders() {
  local base folder
  for base in "${CONDA_PREFIX_1:-}" "${CONDA_PREFIX:-}" "${HOME:-}/miniconda3" "${HOME:-}/anaconda3" \
    "${HOME:-}/miniforge3" "${HOME:-}/.conda"; do
    if [ -n "$base" ]; then
      for folder in "$base" "$base/envs"/*; do
        printf '%s\n' "$folder/bin/python$1"
      done
    fi
  done
}

from_conda_list() { # Knows environments anywhere, but takes a second or more: the last to be asked.
  if command -v conda >/dev/null 2>&1; then
    conda env list 2>/dev/null | sed -n "s|^[^#]*[[:space:]]\(/.*\)\$|\1/bin/python$1|p" || true
  fi
}

first_that_works() { # first_that_works VERSION, candidates on standard input
  local candidate
  while IFS= read -r candidate; do
    if [ -n "$candidate" ] && [ -x "$candidate" ] && python_works "$candidate" "$1"; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

find_python() { # find_python VERSION...
  local version source candidates
  for version in "$@"; do
    for source in from_variable from_path from_pyenv from_uv from_conda_folders from_conda_list; do
      candidates="$("$source" "$version")"
      if first_that_works "$version" <<<"$candidates"; then
        return 0
      fi
    done
  done
  return 1
}
