"""Where a run ran: versions, machine, devices, and a hash of the code, as JSON for what stands beside its results."""

from __future__ import annotations

import glob
import hashlib
import os
import platform
from typing import Any, Dict

import numpy as np
import tensorflow.compat.v1 as tf

import devices
import processor

_ROOT = os.path.dirname(os.path.abspath(__file__))


def describe() -> Dict[str, Any]:
    """Versions of what computes, the system, the processor, its cores, the GPUs and the code's SHA-256."""
    return {
        "python": platform.python_version(),
        "tensorflow": tf.__version__,
        "numpy": np.__version__,
        "system": platform.platform(),
        "cpu": processor.name(),
        "cpu_cores": processor.available_cores(),
        "gpus": devices.count_gpus(),
        "code_sha256": code_hash(_ROOT),
    }


def code_hash(folder: str) -> str:
    """A SHA-256 over the names and contents of the Python files of a folder, in the order of their names."""
    digest = hashlib.sha256()
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.py"))):
        with open(path, "rb") as file:
            content = file.read()
        digest.update("{} {}\n".format(os.path.basename(path), len(content)).encode("utf-8"))
        digest.update(content)
    return digest.hexdigest()
