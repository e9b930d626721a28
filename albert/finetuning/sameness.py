"""Sameness of answers: a model that answers (nearly) everything alike has learned nothing."""

from __future__ import annotations

_FEWEST = 16  # below, answers may be all the same by chance
_NEARLY_ALL = 0.98


def is_nearly_all(count: int, total: int) -> bool:
    """Whether `count` of `total` answers are nearly all, and not by chance."""
    return total >= _FEWEST and count >= _NEARLY_ALL * total
