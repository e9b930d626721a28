# Environments for tests that need more than the project does; to be sourced.

# Makes an environment that holds some requirements files; the stamp, written last, says which.
extra_environment() { # extra_environment FOLDER PYTHON FILE...
  local place="$1" python="$2"
  export PIP_DISABLE_PIP_VERSION_CHECK=1
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
