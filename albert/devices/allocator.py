"""Allocator settings of the C library: a training step keeps its memory for the next one.

A step of TensorFlow on CPU allocates and frees the same large tensors each time. By default glibc maps each of them
from the kernel, which clears every page again: up to a third of a step.
"""

from __future__ import annotations

import ctypes
import sys

import tensorflow.compat.v1 as tf

# Names and numbers of glibc's <malloc.h>.
_M_TRIM_THRESHOLD = -1
_M_MMAP_MAX = -4
_M_ARENA_MAX = -8
_NEVER = 2**31 - 1


def keep_memory() -> bool:
    """Makes the process keep freed memory for its next step; returns whether the C library took the settings."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):  # another C library, such as musl
        return False
    # One arena, so that memory freed by one thread serves another.
    settings = [(_M_ARENA_MAX, 1)]
    if int(tf.__version__.split(".")[0]) < 2:  # TensorFlow 2 keeps large buffers by itself
        settings += [(_M_MMAP_MAX, 0), (_M_TRIM_THRESHOLD, _NEVER)]
    return all(mallopt(name, value) == 1 for name, value in settings)
