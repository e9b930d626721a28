"""Terminal output: lines, tables, times, the status line of a long run, and silence for noisy libraries."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import tempfile
from typing import Any, Iterator, Optional, Sequence, TextIO

_PERIOD_SECONDS = 10.0  # between lines where the stream is no terminal


def say(lines: Sequence[str]) -> None:
    """Writes lines to standard output; halves of characters, which no output takes, as question marks."""
    text = "".join(line + "\n" for line in lines)
    sys.stdout.write(text.encode("utf-8", "replace").decode("utf-8"))
    sys.stdout.flush()


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns, the first one to the left; ends with a line break."""
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    lines = []
    for cells in [header, rule, *rows]:
        padded = [cells[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])]
        lines.append("| " + " | ".join(padded) + " |\n")
    return "".join(lines)


def time_text(seconds: float) -> str:
    """Hours, minutes and seconds: 1:02:03."""
    whole = int(seconds)
    return "{}:{:02d}:{:02d}".format(whole // 3600, whole // 60 % 60, whole % 60)


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keeps off the screen what TFLite's converter and interpreters write there from C++."""
    saved = [(descriptor, os.dup(descriptor)) for descriptor in (1, 2)]
    with tempfile.TemporaryFile() as sink:
        try:
            for descriptor, _ in saved:
                os.dup2(sink.fileno(), descriptor)
            yield
        finally:
            for descriptor, copy in saved:
                os.dup2(copy, descriptor)
                os.close(copy)


class StatusLine(logging.Filter):
    """Writes a run's status to a stream; as a context manager, it lets what is logged begin on a line of its own."""

    def __init__(self, stream: TextIO, start: Optional[float] = None) -> None:
        """Creates the line.

        Args:
          stream: where it goes.
          start: the time from which the period to the first line counts; None shows the first at once.
        """
        super().__init__()
        self._stream = stream
        self._last = start
        self._is_terminal = stream.isatty()
        self._open_width = 0
        self._handlers: list = []

    def show(self, text: str, now: float, *, is_last: bool = False) -> None:
        """Shows the text on a terminal; elsewhere if it is the last, or the last one shown is ten seconds old."""
        if self._is_terminal:
            self._stream.write("\r" + text.ljust(self._open_width))
            self._open_width = len(text)
        elif is_last or self._last is None or now - self._last >= _PERIOD_SECONDS:
            self._stream.write(text + "\n")
            self._last = now
        self._stream.flush()

    def close(self) -> None:
        """Ends the open line of a terminal."""
        if self._open_width:
            self._stream.write("\n")
            self._stream.flush()
            self._open_width = 0

    def filter(self, record: Any) -> bool:
        """Ends the open line before a log record is written; every record passes."""
        self.close()
        return True

    def __enter__(self) -> "StatusLine":
        self._handlers = list(logging.getLogger().handlers)
        for handler in self._handlers:
            handler.addFilter(self)
        return self

    def __exit__(self, *error: Any) -> None:
        self.close()
        for handler in self._handlers:
            handler.removeFilter(self)
