"""Ranges of integers, many at once."""

from __future__ import annotations

from typing import Any, Tuple

import numpy as np


def ranges(starts: Any, lengths: Any) -> Any:
    """The integers of the ranges [start, start + length), one range after the other."""
    before = np.cumsum(lengths) - lengths
    return np.arange(np.sum(lengths, dtype=np.int64)) + np.repeat(starts - before, lengths)


def runs_of(mask: Any) -> Tuple[Any, Any]:
    """Where the runs of True in a bool vector start, and where they end (exclusive), as two int vectors."""
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
