"""Writes requirements/lock/: version and SHA-256 of every package that set-up installs, those that come along too.

    python3.11 scripts/lock_requirements.py       with each Python of scripts/setup.sh, on Linux on x86-64

Run it after a change of requirements.txt, requirements/dev.txt or requirements/spark.txt, with a fresh environment's
Python and pip 24.0. It installs nothing; pip reports what it would install.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from typing import Dict, List, Sequence

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOCK = os.path.join(ROOT, "requirements", "lock")
# Of each lock file, what it is made from; a later one leaves out what is in the one before.
SPARK = ["requirements/spark.txt"]
RUN, DEV, BUILD = ["requirements.txt"], ["requirements.txt", "requirements/dev.txt"], ["requirements/build.txt"]

Lines = Dict[str, str]  # of a lock file, by the package's name


def resolved(files: Sequence[str]) -> Lines:
    """What pip would install for requirements files, as lines of a lock file."""
    with tempfile.TemporaryDirectory() as folder:
        report = os.path.join(folder, "report.json")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
        command += ["--report", report]
        for file in files:
            command += ["-r", os.path.join(ROOT, file)]
        subprocess.run(command, check=True)
        with open(report, encoding="utf-8") as content:
            installed = json.load(content)["install"]
    lines = {}
    for package in installed:
        name = package["metadata"]["name"].lower().replace("_", "-").replace(".", "-")
        sha256 = package["download_info"]["archive_info"]["hashes"]["sha256"]
        lines[name] = "{}=={} --hash=sha256:{}".format(name, package["metadata"]["version"], sha256)
    return lines


def write(name: str, lines: Lines, made_from: Sequence[str]) -> None:
    """Writes a lock file, sorted."""
    os.makedirs(LOCK, exist_ok=True)
    head = "# Python {}.{}, Linux on x86-64: made from {} by scripts/lock_requirements.py.\n"
    with open(os.path.join(LOCK, name), "w", encoding="utf-8") as file:
        file.write(head.format(sys.version_info[0], sys.version_info[1], " and ".join(made_from)))
        file.write("".join(lines[package] + "\n" for package in sorted(lines)))


def differing(lines: Lines, others: Lines) -> List[str]:
    """The packages of which two lock files have different versions."""
    return sorted(name for name in lines if name in others and lines[name] != others[name])


def main() -> None:
    """Makes the four lock files of the Python that runs this."""
    python = "py{}.{}".format(*sys.version_info[:2])
    run, dev = resolved(RUN), resolved(DEV)
    if differing(run, dev):
        sys.exit(
            "With requirements/dev.txt there are other versions: {}; pin them.".format(", ".join(differing(run, dev)))
        )
    write(python + "-run.txt", run, RUN)
    write(python + "-dev.txt", {name: line for name, line in dev.items() if name not in run}, DEV[1:])
    write(python + "-build.txt", resolved(BUILD), BUILD)
    write(python + "-spark.txt", resolved(SPARK), SPARK)


if __name__ == "__main__":
    main()
