"""What the benchmarks of training run: in which environments, with which model and vocabulary."""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from typing import List

from albert.base.errors import UserError
from albert.base.flags import Flags
from benchmarks.processes import ROOT

_TENSORFLOW = (".venv-tf1.15", ".venv-tf2.15")
_TORCH = ".venv-readers/current"
_TINY = os.path.join(ROOT, "albert_config", "albert_config_tiny.json")
_CORPUS = os.path.join(ROOT, "data", "news_zh_1.txt")
_VOCABULARY = os.path.join(ROOT, "albert_config", "vocab.txt")


def declare_flags(flags: Flags) -> None:
    """The flags that name the environments with TensorFlow, the model and the vocabulary."""
    flags.string("pythons", ",".join(map(python_of, _TENSORFLOW)), "Pythons with TensorFlow, the slower one first")
    flags.string("bert_config_file", _TINY, "the model: a JSON file of the zh family")
    flags.string("vocab_file", _VOCABULARY, "the vocabulary")


def declare_record_flags(flags: Flags, *, max_seq_length: int, max_predictions_per_seq: int) -> None:
    """The flags that name the size of a pre-training batch, and what records are made of."""
    flags.integer("max_seq_length", max_seq_length, "tokens of a row", minimum=5)
    flags.integer("max_predictions_per_seq", max_predictions_per_seq, "predictions of a row", minimum=1)
    flags.integer("batch_size", 8, "rows of a step", minimum=1)
    flags.string("corpus", _CORPUS, "text that pre-training records are made of")


def declare_torch_flag(flags: Flags) -> None:
    """The flag that names the environment with torch."""
    flags.string("torch_python", python_of(_TORCH), "a Python with torch and transformers; empty: leave them out")


def declare_precision_flag(flags: Flags) -> None:
    """The flag that names the precision of one more row of a table."""
    flags.string("precision", "bfloat16", "a row with this --precision where it is no error; empty: none")


@functools.lru_cache(maxsize=None)  # It starts a process, and says why but once.
def takes(python: str, precision: str) -> bool:
    """Whether there is a precision and the runners take it on this machine; says why where they do not."""
    if not precision:
        return False
    code = "import sys; from albert.devices import precision; precision.check_precision(sys.argv[1])"
    found = subprocess.run([python, "-c", code, precision], cwd=ROOT, stderr=subprocess.PIPE)
    if found.returncode:
        sys.stderr.write("{}: {}\n".format(python, found.stderr.decode("utf-8").strip().splitlines()[-1]))
    return not found.returncode


def python_of(folder: str) -> str:
    """The Python of an environment in the repository."""
    return os.path.join(ROOT, folder, "bin", "python")


def pythons(flags: Flags) -> List[str]:
    """The environments with TensorFlow.

    Raises:
      UserError: one is not there.
    """
    return [checked(python, "pythons") for python in flags.pythons.split(",")]


def checked(python: str, flag: str) -> str:
    """Gives the Python back.

    Raises:
      UserError: it is not there.
    """
    if not os.access(python, os.X_OK):
        raise UserError("there is no {}: make the environment, or name another by --{}".format(python, flag))
    return python
