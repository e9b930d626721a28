"""One line that says how far a long run has come."""

from __future__ import annotations

import time
from typing import Callable, TextIO

from albert.base.terminal import StatusLine


class ProgressLine:
    """Shows the progress of reading a text on a `StatusLine`."""

    def __init__(self, stream: TextIO, total_bytes: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._total_bytes = total_bytes
        self._clock = clock
        self._start = clock()
        self._line = StatusLine(stream, self._start)

    def update(self, num_bytes: int, documents: int, examples: int) -> None:
        """Tells what has been read and made since the start."""
        now = self._clock()
        self._line.show(progress_text(num_bytes, self._total_bytes, documents, examples, now - self._start), now)

    def close(self) -> None:
        """Ends the open line of a terminal."""
        self._line.close()


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
