"""One line that says how far a long run has come."""

from __future__ import annotations

import time
from typing import Callable, TextIO

_PERIOD_SECONDS = 10.0  # between lines where the stream is no terminal


class ProgressLine:
    """Writes progress to a stream: over and over the same line on a terminal, else a line every ten seconds."""

    def __init__(self, stream: TextIO, total_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._total_bytes = total_bytes
        self._clock = clock
        self._start = clock()
        self._last = self._start
        self._is_terminal = stream.isatty()
        self._has_open_line = False

    def update(self, num_bytes: int, documents: int, examples: int) -> None:
        """Tells what has been read and made since the start."""
        now = self._clock()
        if not self._is_terminal and now - self._last < _PERIOD_SECONDS:
            return
        self._last = now
        text = progress_text(num_bytes, self._total_bytes, documents, examples, now - self._start)
        self._stream.write("\r" + text.ljust(90) if self._is_terminal else text + "\n")
        self._stream.flush()
        self._has_open_line = self._is_terminal

    def close(self) -> None:
        """Ends the open line of a terminal."""
        if self._has_open_line:
            self._stream.write("\n")
            self._has_open_line = False


def progress_text(num_bytes: int, total_bytes: int, documents: int, examples: int, seconds: float) -> str:
    """The line: share, documents, MB/s, examples/s and the time that is left."""
    seconds = max(seconds, 1e-9)
    remaining = "?"
    if num_bytes:
        left = int(seconds * max(total_bytes - num_bytes, 0) / num_bytes)
        remaining = "{}:{:02d}:{:02d}".format(left // 3600, left // 60 % 60, left % 60)
    return "{:.1f} % | {:,} documents | {:.2f} MB/s | {:,.0f} examples/s | ETA {}".format(
        100.0 * min(num_bytes / total_bytes, 1.0) if total_bytes else 100.0,
        documents,
        num_bytes / seconds / 1e6,
        examples / seconds,
        remaining,
    )
