"""Text as an array of code points, and properties of characters that are looked up for a whole text at once."""

from __future__ import annotations

from typing import Any, Callable

import numpy as np

_NUM_CODE_POINTS = 0x110000


def code_points(text: str) -> Any:
    """The code points of a text, uint32 [characters]."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def has_lone_surrogate(text: str) -> bool:
    """Whether a text holds half of a surrogate pair (from an escape of JSON): no encoding takes it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False


class CharacterTable:
    """An int32 for every character, worked out when the character first turns up."""

    _NOT_YET = np.iinfo(np.int32).min

    def __init__(self, value_of: Callable[[str], int]) -> None:
        self._value_of = value_of
        self._values = np.full(_NUM_CODE_POINTS, self._NOT_YET, np.int32)

    def look_up(self, codes: Any) -> Any:
        """The values of code points, of the same shape."""
        values = self._values[codes]
        new = values == self._NOT_YET
        if new.any():
            for code in np.unique(codes[new]).tolist():
                self._values[code] = self._value_of(chr(code))
            values = self._values[codes]
        return values
