"""Text as arrays: its code points, properties of its characters looked up all at once, and ranges of its places."""

from __future__ import annotations

from typing import Callable, Tuple

import numpy as np

_NUM_CODE_POINTS = 0x110000


def code_points(text: str) -> np.ndarray:
    """Returns the code points of a text, uint32 [characters]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def has_lone_surrogate(text: str) -> bool:
    """Whether a text holds half of a surrogate pair (from an escape in JSON), which no encoding can write."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


class CharacterTable:
    """Table of an int32 for every character, each computed when the character first appears."""

    _NOT_YET = np.iinfo(np.int32).min

    def __init__(self, value_of: Callable[[str], int]) -> None:
        self._value_of = value_of
        self._values = np.full(_NUM_CODE_POINTS, self._NOT_YET, np.int32)

    def look_up(self, codes: np.ndarray) -> np.ndarray:
        """Returns the values of code points, int32 of the same shape."""
        values = self._values[codes]
        new = values == self._NOT_YET
        if new.any():
            for code in np.unique(codes[new]).tolist():
                self._values[code] = self._value_of(chr(code))
            values = self._values[codes]
        return values


def ranges(starts: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Integers of the ranges [start, start + length), one range after the other."""
    before = np.cumsum(lengths) - lengths
    return np.arange(np.sum(lengths, dtype=np.int64)) + np.repeat(starts - before, lengths)


def runs_of(mask: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Starts and ends (exclusive) of the runs of True in a bool vector, as two int vectors."""
    edges = np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8))
    return np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
