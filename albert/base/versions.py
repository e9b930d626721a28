"""Versions of the project, of TensorFlow and of Python, without importing TensorFlow."""

from __future__ import annotations

import platform
from typing import Any, Optional

VERSION = "1.0.0"
_TENSORFLOW_PACKAGES = ("tensorflow", "tensorflow-cpu", "tensorflow-gpu", "tensorflow-intel", "tensorflow-macos")


def versions_text() -> str:
    """What --version writes."""
    tensorflow = tensorflow_version()
    return "ALBERT-zh {}, {}, Python {}".format(
        VERSION,
        "TensorFlow {}".format(tensorflow) if tensorflow else "no TensorFlow",
        platform.python_version(),
    )


def tensorflow_version() -> Optional[str]:
    """The version of the installed TensorFlow; None where none is installed."""
    for name in _TENSORFLOW_PACKAGES:
        version = _version_of(name)
        if version:
            return version
    return None


def _version_of(package: str) -> Optional[str]:
    try:
        from importlib import metadata
    except ImportError:  # Python 3.7
        return _old_version_of(package)
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _old_version_of(package: str) -> Optional[str]:
    import pkg_resources

    distributions: Any = pkg_resources.working_set.by_key
    return distributions[package].version if package in distributions else None
