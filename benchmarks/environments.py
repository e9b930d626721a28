"""Environments that the benchmarks run in, and the flags for environments, models and records."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from typing import List

from albert.base.errors import UserError
from albert.base.flags import Flags
from albert.base.paths import CONFIGS, DATA, ROOT, VOCABULARY

_TENSORFLOW = (".venv-tf1.15", ".venv-tf2.15")
_TORCH = ".venv-readers/current"
_TINY = os.path.join(CONFIGS, "albert_config_tiny.json")
_CORPUS = os.path.join(DATA, "news_zh_1.txt")


def declare_flags(flags: Flags) -> None:
    """Declares the flags for the environments with TensorFlow, the model and the vocabulary."""
    flags.string("pythons", ",".join(map(python_of, _TENSORFLOW)), "Pythons with TensorFlow, the slower one first")
    flags.location("bert_config_file", _TINY, "config file (JSON) of the model, of the zh family")
    flags.location("vocab_file", VOCABULARY, "the vocabulary")


def declare_record_flags(flags: Flags, *, max_seq_length: int, max_predictions_per_seq: int) -> None:
    """Declares the flags for the size of a pre-training batch and for the text of its records."""
    flags.integer("max_seq_length", max_seq_length, "tokens per row", minimum=5)
    flags.integer("max_predictions_per_seq", max_predictions_per_seq, "predictions per row", minimum=1)
    flags.integer("batch_size", 8, "batch size", minimum=1)
    flags.locations("corpus", _CORPUS, "text for the pre-training records")


def declare_torch_flag(flags: Flags) -> None:
    """Declares the flag for the environment with torch."""
    flags.string("torch_python", python_of(_TORCH), "a Python with torch and transformers; empty to leave them out")


def declare_precision_flag(flags: Flags) -> None:
    """Declares the flag for the precision of a further row of the table."""
    flags.string("precision", "bfloat16", "adds a row with this --precision if the machine supports it; empty for none")


@functools.lru_cache(maxsize=None)  # it starts a process, and should give the reason only once
def supports(python: str, precision: str) -> bool:
    """Tells whether an environment supports a precision on this machine; writes the reason if it does not."""
    if not precision:
        return False
    code = "import sys; from albert.devices import precision; precision.check_precision(sys.argv[1])"
    found = subprocess.run([python, "-c", code, precision], cwd=ROOT, stderr=subprocess.PIPE)
    if found.returncode:
        sys.stderr.write("{}: {}\n".format(python, found.stderr.decode("utf-8").strip().splitlines()[-1]))
    return not found.returncode


def python_of(folder: str) -> str:
    """Path of the Python of an environment in the repository."""
    return os.path.join(ROOT, folder, "bin", "python")


def pythons(flags: Flags) -> List[str]:
    """Finds the Pythons of --pythons.

    Raises:
      UserError: one does not exist.
    """
    return [checked(python, "pythons") for python in flags.pythons.split(",")]


def checked(python: str, flag: str) -> str:
    """Checks that a Python exists; returns it.

    Raises:
      UserError: it does not exist.
    """
    if not os.access(python, os.X_OK):
        raise UserError("there is no {}: create the environment, or give another one with --{}".format(python, flag))
    return python
