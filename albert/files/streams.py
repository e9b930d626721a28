"""Streams: files whose bytes are converted or counted while they are read, with lines and places of their own."""

from __future__ import annotations

import io
import os
from typing import Any, BinaryIO, Callable, cast

_BLOCK_BYTES = 1 << 16  # read at a time, and of what was converted

# Takes the blocks of a file in order, the last of them empty, and returns what each becomes.
Convert = Callable[[bytes], bytes]


def stream(file: BinaryIO, start: Callable[[], Convert]) -> BinaryIO:
    """Returns a file over an open one, which supports seeking: by reading, backwards from the beginning.

    Args:
      file: the open one.
      start: makes the conversion, each time that reading begins at the beginning.
    """
    return cast(BinaryIO, _Stream(_Conversion(file, start), _BLOCK_BYTES))


def is_stream(file: BinaryIO) -> bool:
    """Whether a file is from `stream`, so that seeking is slow."""
    return isinstance(file, _Stream)


class _Stream(io.BufferedReader):
    """File with lines over a `_Conversion`."""


class _Conversion(io.RawIOBase):
    """Bytes of an open file, converted block by block."""

    def __init__(self, file: BinaryIO, start: Callable[[], Convert]) -> None:
        self._file = file
        self._start = start
        self._restart()

    def _restart(self) -> None:
        self._file.seek(0)
        self._convert = self._start()
        self._pending = memoryview(b"")
        self._position = 0

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Reads the next bytes; returns their number, 0 at the end."""
        while not self._pending:
            block = self._file.read(_BLOCK_BYTES)
            self._pending = memoryview(self._convert(block))
            if not block:
                break
        count = min(len(buffer), len(self._pending))
        buffer[:count] = self._pending[:count]
        self._pending = self._pending[count:]
        self._position += count
        return count

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Goes to a place counted from the beginning, or to the end."""
        to_end = whence == os.SEEK_END
        offset += self._position if whence == os.SEEK_CUR else 0
        if not to_end and offset < self._position:
            self._restart()
        while to_end or self._position < offset:
            wanted = _BLOCK_BYTES if to_end else min(_BLOCK_BYTES, offset - self._position)
            if not self.readinto(bytearray(wanted)):
                break
        return self._position
