"""scripts/setup.sh with a stand-in for Python: no environment is really made, nothing is fetched."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys

import pytest

from albert.base.paths import ROOT

TOOLS = ["bash", "cat", "cp", "dirname", "grep", "head", "mkdir", "mv"]
TOOLS += ["readlink", "rm", "rmdir", "sed", "sh", "sleep", "tail"]

# Says it is Python 3.7, makes a folder when asked for an environment, and writes down what else it
# is asked; scripts for real Pythons (the stamp, the lock, the link) it hands on to one.
STAND_IN = """#!/bin/sh
case "$*" in
  --version) echo "Python 3.7.99" ;;
  "-I - 3."*) cat >/dev/null; [ "$3" = 3.7 ] ;;
  *"-m venv "*) mkdir -p "$4/bin"; cp "$0" "$4/bin/python"; : >"$4/pyvenv.cfg" ;;
  *"pip install"*)
    echo "$*" >>"$NOTES"
    sleep "${PIP_SECONDS:-0}"
    if [ "${PIP_FATE:-}" = killed ]; then kill -9 $PPID; fi
    if [ "${PIP_FATE:-}" = fails ]; then echo "ERROR: no such version"; exit 1; fi
    ;;
  "-c import"* | "-m compileall"*) ;;
  "-m albert.downloads.fetch_vocab"*) echo "$*" >>"$NOTES" ;;
  *) exec REAL "$@" ;;
esac
"""


class Machine:
    """A copy of the scripts, a PATH with next to nothing on it, and an empty home."""

    def __init__(self, folder) -> None:
        self.root = folder / "a project"
        self.bin = folder / "bin"
        self.notes = folder / "notes"
        (self.root / "scripts").mkdir(parents=True)
        (self.root / "requirements").mkdir()
        self.bin.mkdir()
        for name in ("setup.sh", "find_python.sh"):
            shutil.copy(os.path.join(ROOT, "scripts", name), str(self.root / "scripts"))
        for name in (
            "requirements.txt",
            "requirements/dev.txt",
            "requirements/serve.txt",
            "requirements/search.txt",
            "requirements/onnx.txt",
        ):
            shutil.copy(os.path.join(ROOT, name), str(self.root / name))
        for tool in TOOLS:
            os.symlink(shutil.which(tool), str(self.bin / tool))
        self.environment = {"PATH": str(self.bin), "HOME": str(folder / "home"), "NOTES": str(self.notes)}

    def add_python(self, name="python3.7") -> None:
        path = self.bin / name
        path.write_text(STAND_IN.replace("REAL", sys.executable))
        path.chmod(0o755)

    def start(self, *flags, **variables):
        return subprocess.Popen(
            ["bash", str(self.root / "scripts" / "setup.sh"), *flags],
            env={**self.environment, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            universal_newlines=True,
        )

    def run(self, *flags, **variables):
        process = self.start(*flags, **variables)
        process.out, process.err = process.communicate(timeout=60)
        return process

    def pip_calls(self):
        """How often requirements were installed, and forgets it."""
        lines = self.notes.read_text().splitlines() if self.notes.exists() else []
        self.notes.write_text("")
        return [line for line in lines if "requirements.txt" in line]

    def link(self):
        return os.readlink(str(self.root / ".venv"))


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.mark.parametrize("flag", ["--fast", "--tf=2.0", "--vocab_from=", "word"])
def test_unknown_flag(machine, flag):
    done = machine.run(flag)
    assert done.returncode == 2
    assert done.err.count("\n") == 1
    assert flag in done.err and "--vocab_from=FOLDER" in done.err


@pytest.mark.parametrize("flags", [(), ("--tf=1.15",), ("--tf=2.15",)])
def test_no_python_is_one_sentence(machine, flags):
    done = machine.run(*flags)
    assert done.returncode == 1
    assert done.err.count("\n") == 1
    assert "pyenv install" in done.err
    assert not [name for name in os.listdir(str(machine.root)) if name.startswith(".venv")]


def test_shim_that_does_not_run_is_passed_over(machine):
    shim = machine.bin / "python3.7"
    shim.write_text("#!/bin/sh\necho 'version 3.7 is not active' >&2\nexit 127\n")
    shim.chmod(0o755)
    assert machine.run().returncode == 1


@pytest.mark.parametrize("place", ["PATH", "PYTHON", "pyenv", "uv", "conda"])
def test_places_where_a_python_is_found(machine, place):
    machine.add_python("python3.7" if place == "PATH" else "elsewhere")
    elsewhere = machine.bin / "elsewhere"
    variables = {}
    if place == "PYTHON":
        variables["PYTHON"] = str(elsewhere)
    elif place == "pyenv":
        variables["PYENV_ROOT"] = str(machine.root / "pyenv")
        (machine.root / "pyenv" / "versions" / "3.7.5" / "bin").mkdir(parents=True)
        elsewhere.rename(machine.root / "pyenv" / "versions" / "3.7.5" / "bin" / "python")
    elif place == "uv":
        (machine.bin / "uv").write_text(f'#!/bin/sh\n[ "$3" = 3.7 ] && echo "{elsewhere}"\n')
        (machine.bin / "uv").chmod(0o755)
    elif place == "conda":
        (machine.root / "envs" / "old" / "bin").mkdir(parents=True)
        elsewhere.rename(machine.root / "envs" / "old" / "bin" / "python3.7")
        (machine.bin / "conda").write_text(f'#!/bin/sh\necho "# all"\necho "old  *  {machine.root}/envs/old"\n')
        (machine.bin / "conda").chmod(0o755)
    done = machine.run(**variables)
    assert done.returncode == 0, done.err
    assert machine.link() == ".venv-tf1.15"


def test_second_call_has_nothing_to_do(machine):
    machine.add_python()
    assert machine.run().returncode == 0
    assert len(machine.pip_calls()) == 1
    (machine.bin / "python3.7").unlink()  # Not needed any more: the environment has its own.
    done = machine.run()
    assert done.returncode == 0
    assert machine.pip_calls() == []
    assert done.out.count("\n") == 1


def test_dev_adds_and_stays(machine):
    machine.add_python()
    machine.run()
    machine.pip_calls()
    machine.run("--dev")
    assert ["requirements/dev.txt" in call for call in machine.pip_calls()] == [True]
    machine.run("--dev")
    machine.run()
    assert machine.pip_calls() == []


def test_changed_requirements_are_installed(machine):
    machine.add_python()
    machine.run()
    machine.pip_calls()
    with open(str(machine.root / "requirements.txt"), "a") as stream:
        stream.write("# changed\n")
    assert "Making" not in machine.run().out
    assert len(machine.pip_calls()) == 1


def test_moved_repository_gets_a_new_environment(machine):
    machine.add_python()
    machine.run()
    machine.root.rename(machine.root.parent / "moved")
    machine.root = machine.root.parent / "moved"
    assert "Making" in machine.run().out


@pytest.mark.parametrize("fate", ["killed", "fails"])
def test_half_made_environment_is_made_again(machine, fate):
    machine.add_python()
    assert machine.run(PIP_FATE=fate).returncode != 0
    assert not (machine.root / ".venv").exists()
    done = machine.run()
    assert done.returncode == 0, done.err
    assert "Making" in done.out
    assert machine.link() == ".venv-tf1.15"


def test_kill_while_dev_is_added_is_repaired(machine):
    machine.add_python()
    machine.run()
    assert machine.run("--dev", PIP_FATE="killed").returncode != 0
    assert "Making" in machine.run().out


def test_error_of_pip_is_shown(machine):
    machine.add_python()
    done = machine.run(PIP_FATE="fails")
    assert done.returncode == 1
    assert "ERROR: no such version" in done.err and "setup.log" in done.err


def test_two_at_once_make_it_once(machine):
    machine.add_python()
    both = [machine.start(PIP_SECONDS="0.3") for _ in range(2)]
    for process in both:
        _, err = process.communicate(timeout=60)
        assert process.returncode == 0, err
    assert len(machine.pip_calls()) == 1


def test_what_the_user_made_is_not_deleted(machine):
    machine.add_python()
    (machine.root / ".venv-tf1.15").mkdir()
    (machine.root / ".venv-tf1.15" / "mine").write_text("mine")
    done = machine.run()
    assert done.returncode == 1
    assert "move it away" in done.err
    assert (machine.root / ".venv-tf1.15" / "mine").exists()


def test_folder_called_venv_is_not_replaced(machine):
    machine.add_python()
    (machine.root / ".venv").mkdir()
    done = machine.run()
    assert done.returncode == 1
    assert "move it away" in done.err


def test_vocabulary_folder_is_handed_on(machine):
    machine.add_python()
    machine.run("--vocab_from=/models/my model")
    assert "--from=/models/my model" in machine.notes.read_text()


def add_lock(machine):
    """Lock files for the Python that stands in."""
    folder = machine.root / "requirements" / "lock"
    folder.mkdir()
    for part in ("build", "run", "dev"):
        (folder / "py{}.{}-{}.txt".format(*sys.version_info[:2], part)).write_text("six==1.17.0 --hash=sha256:00\n")
    (folder / "pip.txt").write_text("pip==24.0 --hash=sha256:00\n")


def locked_calls(machine):
    """The lock files that pip was given, each with whether all hashes were required, and forgets it."""
    lines = machine.notes.read_text().splitlines()
    machine.notes.write_text("")
    return [
        (word.rsplit("-", 1)[-1] if "py3" in word else word, "--require-hashes" in line)
        for line in lines
        for word in line.split()
        if "lock/" in word
    ]


is_known_platform = pytest.mark.skipif(
    platform.machine() != "x86_64" or platform.libc_ver()[0] != "glibc", reason="the lock files are for Linux on x86-64"
)


@is_known_platform
def test_every_file_is_checked_by_its_hash(machine):
    machine.add_python()
    add_lock(machine)
    assert machine.run("--dev").returncode == 0
    assert locked_calls(machine) == [
        ("requirements/lock/pip.txt", True),
        ("build.txt", True),
        ("run.txt", True),
        ("dev.txt", True),
    ]
    assert machine.run("--dev").returncode == 0
    assert locked_calls(machine) == []
    with open(str(next((machine.root / "requirements" / "lock").glob("*-run.txt"))), "a") as stream:
        stream.write("# changed\n")
    machine.run()
    assert [name for name, _ in locked_calls(machine)] == ["build.txt", "run.txt"]


@is_known_platform
def test_without_the_lock_only_the_pins_count(machine):
    machine.add_python()
    add_lock(machine)
    assert machine.run("--unlocked", "--dev").returncode == 0
    assert len(machine.pip_calls()) == 1
    assert "--require-hashes" not in machine.notes.read_text()


def lock_lines(name):
    with open(os.path.join(ROOT, "requirements", "lock", name), encoding="utf-8") as file:
        return [line.strip() for line in file if line[:1] not in "#\n"]


LOCKED = sorted(os.listdir(os.path.join(ROOT, "requirements", "lock")))


@pytest.mark.parametrize("name", LOCKED)
def test_every_line_of_a_lock_is_a_version_and_a_hash(name):
    lines = lock_lines(name)
    assert lines
    for line in lines:
        assert re.fullmatch(r"[a-z0-9-]+==\S+ --hash=sha256:[0-9a-f]{64}", line), line


def pins(file, version):
    """name -> version of a requirements file's lines for a Python ("3.7")."""
    found = {}
    with open(os.path.join(ROOT, file), encoding="utf-8") as stream:
        for line in stream:
            requirement, _, marker = line.partition(";")
            if "==" in requirement and not line.startswith("#") and is_meant(marker, version):
                name, _, pinned = requirement.strip().partition("==")
                found[name.lower()] = pinned
    return found


def is_meant(marker, version):
    """Whether a marker of our requirements takes a Python on Linux on x86-64."""
    values = {"python_version": version, "sys_platform": "linux", "platform_machine": "x86_64"}
    for part in filter(None, marker.strip().replace("(", "").replace(")", "").split(" and ")):
        alternatives = []
        for alternative in part.split(" or "):
            name, sign, value = alternative.split()
            left, right = values[name], value.strip('"')
            if name == "python_version":
                left, right = ([int(n) for n in text.split(".")] for text in (left, right))
            alternatives.append(
                {"==": left == right, "!=": left != right, "<": left < right, ">": left > right, ">=": left >= right}[
                    sign
                ]
            )
        if not any(alternatives):
            return False
    return True


@pytest.mark.parametrize("python", sorted({name.split("-")[0][2:] for name in LOCKED if name.startswith("py3")}))
def test_the_lock_has_the_versions_of_the_requirements(python):
    """A changed pin needs new lock files: scripts/lock_requirements.py."""
    locked = [
        line.split(" ")[0].split("==")
        for part in ("run", "dev")
        for line in lock_lines("py{}-{}.txt".format(python, part))
    ]
    versions = dict(locked)
    assert len(versions) == len(locked)
    wanted = {}
    for file in (
        "requirements.txt",
        "requirements/dev.txt",
        "requirements/serve.txt",
        "requirements/search.txt",
        "requirements/onnx.txt",
    ):
        wanted.update(pins(file, python))
    assert len(wanted) > 15
    assert {name: versions.get(name) for name in wanted} == wanted


@pytest.mark.parametrize("python", ["3.7", "3.11"])
def test_a_worker_of_spark_has_the_versions_of_the_other_machines(python):
    lines = lock_lines("py{}-spark.txt".format(python))
    versions = dict(line.split(" ")[0].split("==") for line in lines)
    wanted = pins("requirements/spark.txt", python)
    assert len(wanted) == 8
    assert {name: versions.get(name) for name in wanted} == wanted
    everywhere = pins("requirements.txt", python)
    assert {name: everywhere[name] for name in wanted if name != "pyspark"} == {
        name: version for name, version in wanted.items() if name != "pyspark"
    }
