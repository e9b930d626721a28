"""Environment of a run, for the files beside its results: versions, machine, devices, hash of the code."""

from __future__ import annotations

import glob
import hashlib
import os
import platform
from typing import Any, Dict

import numpy as np
import tensorflow.compat.v1 as tf

from albert.base.machine import available_cores, processor_name
from albert.base.paths import ROOT
from albert.devices.selection import count_gpus


def describe_environment() -> Dict[str, Any]:
    """Describes versions, system, processor, cores, GPUs and the SHA-256 of the code, as JSON values."""
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "system": platform.platform(),
        "cpu": processor_name(),
        "cpu_cores": available_cores(),
        "gpus": count_gpus(),
        "code_sha256": code_hash(ROOT),
    }


def code_hash(folder: str) -> str:
    """SHA-256 over names and contents of the Python files of a folder and of its package albert/, sorted by name."""
    patterns = ("*.py", os.path.join("albert", "**", "*.py"))
    paths = [
        path for pattern in patterns for path in glob.glob(os.path.join(glob.escape(folder), pattern), recursive=True)
    ]
    digest = hashlib.sha256()
    for name, path in sorted((os.path.relpath(path, folder).replace(os.sep, "/"), path) for path in paths):
        with open(path, "rb") as file:
            content = file.read()
        digest.update("{} {}\n".format(name, len(content)).encode("utf-8"))
        digest.update(content)
    return digest.hexdigest()
