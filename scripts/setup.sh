#!/usr/bin/env bash
# Makes the environment the project runs in, and brings the vocabulary.
#
#   bash scripts/setup.sh [--tf=1.15|2.15] [--dev] [--vocab_from=FOLDER]
#
#   --tf=1.15            TensorFlow 1.15 on Python 3.7, in .venv-tf1.15
#   --tf=2.15            TensorFlow 2.15 on Python 3.11, 3.10 or 3.9, in .venv-tf2.15
#   (neither)            the environment .venv already points at; else 1.15 if there is a Python 3.7, else 2.15
#   --dev                what the tests need, too
#   --unlocked           without requirements/lock/: the pins alone, whatever file the registry gives for them
#   --vocab_from=FOLDER  take vocab.txt from this model folder (or file) instead of from the network
#
# .venv then points at the environment. Interrupt it when you like and run it again: an environment counts
# only when its stamp, the last thing written, matches the requirements, the Python and the place.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)"
cd "$root"
. scripts/find_python.sh

readonly PIP_VERSION=24.0 # The last that runs on Python 3.7.
readonly HOW_TO_GET_PYTHON="for example with \`pyenv install\`, \`uv python install\`, conda or your system's packages; \
a Python in an unusual place is named by PYTHON=/path/to/python"
export PIP_DISABLE_PIP_VERSION_CHECK=1

say() { printf '%s\n' "$*"; }
fail() { # fail STATUS SENTENCE
  printf '%s\n' "setup: $2" >&2
  exit "$1"
}

tf="" dev=no vocab_from="" locked=yes
parse_flags() {
  local flag
  for flag in "$@"; do
    case "$flag" in
      --tf=1.15 | --tf=2.15) tf="${flag#*=}" ;;
      --dev) dev=yes ;;
      --unlocked) locked=no ;;
      --vocab_from=?*) vocab_from="${flag#*=}" ;;
      --help | -h) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' scripts/setup.sh && exit 0 ;;
      *) fail 2 "unknown flag $flag; the known ones are --tf=1.15, --tf=2.15, --dev, --unlocked and --vocab_from=FOLDER." ;;
    esac
  done
}

# What a finished environment's stamp says. Prints three lines: the Python and the place, the
# requirements' hash, the development requirements' hash. It is run by the environment's own
# Python, so an environment whose Python is gone never matches.
current_stamp() { # current_stamp PYTHON ENVIRONMENT
  "$1" -I -S - "$2" "$PIP_VERSION" 2>/dev/null <<'PY'
import hashlib, os, sys
def digest(*names):
    content = b"".join(open(name, "rb").read() for name in names if os.path.exists(name))
    return hashlib.sha256(content + sys.argv[2].encode()).hexdigest()
place = os.path.join(os.getcwd(), sys.argv[1])
print("python %d.%d.%d in %s" % (sys.version_info[:3] + (place,)))
lock = "requirements/lock/py%d.%d-" % sys.version_info[:2]
print("requirements.txt " + digest("requirements.txt", lock + "build.txt", lock + "run.txt"))
print("requirements/dev.txt " + digest("requirements/dev.txt", "requirements/serve.txt", "requirements/search.txt", "requirements/onnx.txt", lock + "dev.txt"))
PY
}

# Prints what is to be done to an environment: nothing, update (it is whole, but was made for other
# requirements or without --dev) or make.
state_of() { # state_of ENVIRONMENT
  local now stamp
  if ! stamp="$(cat "$1/$STAMP" 2>/dev/null)" || ! now="$(current_stamp "$1/bin/python" "$1")"; then
    say make
  elif [ "$stamp" = "$now" ] || { [ "$dev" = no ] && [ "$(head -n 2 <<<"$stamp")" = "$(head -n 2 <<<"$now")" ]; }; then
    say nothing
  elif [ "$(head -n 1 <<<"$stamp")" = "$(head -n 1 <<<"$now")" ]; then
    say update
  else
    say make
  fi
}
readonly STAMP=setup-finished

# Without --tf an earlier choice stands, so that `setup.sh --tf=2.15` holds for the commands that follow.
chosen_before() {
  case "$(readlink .venv 2>/dev/null || true)" in
    .venv-tf1.15) say 1.15 ;;
    .venv-tf2.15) say 2.15 ;;
  esac
}

pythons_for() { # pythons_for TF
  if [ "$1" = 1.15 ]; then say 3.7; else say 3.11 3.10 3.9; fi
}

# Sets tf (if it is open) and python; needs no search when the environment is already whole.
python=""
choose_python() {
  local versions
  if [ -z "$tf" ]; then
    tf="$(chosen_before)"
  fi
  if [ -n "$tf" ] && [ "$(state_of ".venv-tf$tf")" != make ]; then
    python=".venv-tf$tf/bin/python"
    return
  fi
  if [ -z "$tf" ]; then
    if python="$(find_python 3.7)"; then tf=1.15; return; fi
    tf=2.15
  fi
  read -r -a versions <<<"$(pythons_for "$tf")"
  if ! python="$(find_python "${versions[@]}")"; then
    if [ "$tf" = 1.15 ]; then
      fail 1 "no working Python 3.7 (x86-64) was found, which TensorFlow 1.15 needs; install one, $HOW_TO_GET_PYTHON, or use --tf=2.15."
    fi
    fail 1 "no working Python 3.11, 3.10, 3.9 (TensorFlow 2.15) was found; install one, $HOW_TO_GET_PYTHON."
  fi
}

# One set-up at a time. The lock belongs to the open file, not to a process: it ends with the last
# process that holds it, so a pip that outlives a killed set-up is waited for.
lock() { # lock FILE
  { exec 9>"$1"; } 2>/dev/null || fail 1 "the folder $root cannot be written; give yourself the right to write there."
  "$python" -I - <<'PY'
import fcntl, sys
try:
    fcntl.flock(9, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError:
    print("Another set-up of this environment is at work; waiting for it.")
    sys.stdout.flush()
    fcntl.flock(9, fcntl.LOCK_EX)
PY
}

run_logged() { # run_logged WHAT LOG COMMAND...: silent when it works; else the command's own last words
  local what="$1" log="$2"
  shift 2
  if ! "$@" >"$log" 2>&1; then
    grep -v '^WARNING: ' "$log" | tail -n 15 >&2 || true
    fail 1 "$what failed; its whole output is in $log. Run the same command again once the cause is removed."
  fi
}

remove_own() { # remove_own ENVIRONMENT: deletes it if it is an environment or an empty beginning of one
  if [ -e "$1" ] || [ -L "$1" ]; then
    if [ -L "$1" ] || { [ ! -e "$1/pyvenv.cfg" ] && [ ! -e "$1/made-by-setup" ] && ! rmdir "$1" 2>/dev/null; }; then
      fail 1 "$1 is there, but is no environment made by this script; move it away."
    fi
    rm -rf -- "${root:?}/$1"
  fi
}

make_environment() { # make_environment ENVIRONMENT
  say "Making $1 with $("$python" --version) ($python)."
  remove_own "$1"
  mkdir "$1"
  : >"$1/made-by-setup"
  run_logged "Making $1" "$1/setup.log" "$python" -I -m venv "$1"
  local pip=("pip==$PIP_VERSION")
  if [ "$locked" = yes ] && [ -e requirements/lock/pip.txt ]; then pip=(--require-hashes -r requirements/lock/pip.txt); fi
  run_logged "Installing pip $PIP_VERSION" "$1/setup.log" "$1/bin/python" -m pip install --no-input "${pip[@]}"
}

# Prints the beginning of the names of the lock files for an environment; nothing where there are none for its Python
# and machine, or --unlocked is given. They name wheels for Linux on x86-64 with the C library of 2018 or later.
lock_for() { # lock_for ENVIRONMENT
  if [ "$locked" = yes ]; then
    "$1/bin/python" -I -S - <<'PY'
import os, platform, sys
lock = "requirements/lock/py%d.%d" % sys.version_info[:2]
name, version = platform.libc_ver()
is_known = sys.platform == "linux" and platform.machine() == "x86_64" and name == "glibc"
if is_known and [int(part) for part in version.split(".")] >= [2, 28] and os.path.exists(lock + "-run.txt"):
    print(lock)
PY
  fi
}

install_requirements() { # install_requirements ENVIRONMENT
  local files=(-r requirements.txt) options=(--no-input --no-compile) lock
  lock="$(lock_for "$1")"
  if [ -n "$lock" ]; then
    # Every file is checked by its hash, also what builds jieba and seqeval, which are published as source only.
    options+=(--require-hashes)
    run_logged "pip" "$1/setup.log" "$1/bin/python" -m pip install "${options[@]}" -r "$lock-build.txt"
    options+=(--no-build-isolation)
    files=(-r "$lock-run.txt")
  fi
  if [ "$dev" = yes ]; then
    if [ -n "$lock" ]; then files+=(-r "$lock-dev.txt"); else files+=(-r requirements/dev.txt); fi
  fi
  run_logged "pip" "$1/setup.log" "$1/bin/python" -m pip install "${options[@]}" "${files[@]}"
  # pip compiles with one core and the tests of packages too; what some packages ship for other Pythons does not compile.
  "$1/bin/python" -m compileall -qq -j 0 -x '/(tests|pip)/' "$1/lib" >>"$1/setup.log" 2>&1 || true
  run_logged "Importing what was installed" "$1/setup.log" \
    "$1/bin/python" -c 'import jieba, sentencepiece, tensorflow.compat.v1'
}

write_stamp() { # write_stamp ENVIRONMENT
  local stamp
  stamp="$(current_stamp "$1/bin/python" "$1")"
  if [ "$dev" = no ]; then
    stamp="$(head -n 2 <<<"$stamp")"
  fi
  printf '%s\n' "$stamp" >"$1/$STAMP.new"
  mv -f "$1/$STAMP.new" "$1/$STAMP"
}

bring_up_to_date() { # bring_up_to_date ENVIRONMENT
  local state
  if [ "$(state_of "$1")" = nothing ]; then
    return
  fi
  lock "$1.lock"
  state="$(state_of "$1")" # Another set-up may have done it while this one waited.
  if [ "$state" = make ]; then
    make_environment "$1"
    say "Installing TensorFlow $tf and what goes with it (0.2 to 0.5 GB to fetch, unless pip has kept it)."
  elif [ "$state" = update ]; then
    say "Bringing $1 up to date with what is required."
  fi
  if [ "$state" != nothing ]; then
    rm -f "$1/$STAMP" # From here on a killed pip may leave half a package: only the end makes it good again.
    install_requirements "$1"
    write_stamp "$1"
    say "$1 is ready ($SECONDS s)."
  fi
  exec 9>&-
}

point_link_at() { # point_link_at ENVIRONMENT
  if [ "$(readlink .venv 2>/dev/null || true)" = "$1" ]; then
    return
  fi
  if [ -e .venv ] && [ ! -L .venv ]; then
    fail 1 ".venv is a folder or file that this script did not make; move it away and run the script again."
  fi
  "$1/bin/python" -I - "$1" <<'PY'
import os, sys
new = ".venv.%d" % os.getpid()
os.symlink(sys.argv[1], new)
os.replace(new, ".venv")
PY
}

main() {
  parse_flags "$@"
  choose_python
  local environment=".venv-tf$tf"
  bring_up_to_date "$environment"
  point_link_at "$environment"
  if [ -n "$vocab_from" ]; then
    "$environment/bin/python" -m albert.downloads.fetch_vocab --quiet "--from=$vocab_from"
  else
    "$environment/bin/python" -m albert.downloads.fetch_vocab --quiet
  fi
  # The vocabulary of the shipped model is not part of the repository either.
  if [ -d data/starter_model ]; then cp albert_config/vocab.txt data/starter_model/vocab.txt; fi
  say "Ready: .venv -> $environment. Next: bash quickstart.sh, or source .venv/bin/activate."
}

main "$@"
