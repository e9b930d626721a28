"""Terminal output: lines, tables, times, the status line of a long run, and silence for noisy libraries."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
import tempfile
from typing import Iterator, List, NamedTuple, Optional, Sequence, TextIO

_PERIOD_SECONDS = 10.0  # between lines where the stream is no terminal


def say(lines: Sequence[str]) -> None:
    """Writes lines to standard output; lone surrogates, which cannot be encoded, as question marks."""
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


class Part(NamedTuple):
    """Part of a line; where the line is too long, parts of the lowest importance are left out first."""

    text: str
    importance: int


def fitted(parts: Sequence[Part], room: Optional[int], separator: str = " | ") -> str:
    """Joins parts of a line, as many as fit into `room` columns (None: all); the most important one always stays."""
    kept = list(parts)
    while True:
        line = separator.join(part.text for part in kept)
        if room is None or len(line) <= room or len(kept) == 1:
            return line
        kept.remove(min(kept, key=lambda part: part.importance))


@contextlib.contextmanager
def silence() -> Iterator[None]:
    """Keeps the messages of C++ libraries, such as TFLite's converter and interpreters, off the screen."""
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
    """Status line of a long run: rewritten in place on a terminal, a new line every ten seconds elsewhere.

    As a context manager, it lets log messages begin on a line of their own.
    """

    def __init__(self, stream: TextIO, start: Optional[float] = None) -> None:
        """Creates the line.

        Args:
          stream: where it is written.
          start: time in seconds at which the first ten seconds begin; None: the first line is shown at once.
        """
        super().__init__()
        self._stream = stream
        self._last = start
        self._is_terminal = stream.isatty()
        self._open_width = 0
        self._handlers: List[logging.Handler] = []

    @property
    def room(self) -> Optional[int]:
        """Columns of a text that does not wrap (the last one stays free); None where the stream is no terminal."""
        return _columns(self._stream) - 1 if self._is_terminal else None

    def show(self, text: str, now: float, *, is_last: bool = False) -> None:
        """Shows a text: on a terminal always, cut to its width; elsewhere every ten seconds, and the last one."""
        if self._is_terminal:
            text = text[: self.room]
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

    def filter(self, record: logging.LogRecord) -> bool:
        """Ends the open line before a log record is written; every record passes."""
        self.close()
        return True

    def __enter__(self) -> StatusLine:
        self._handlers = list(logging.getLogger().handlers)
        for handler in self._handlers:
            handler.addFilter(self)
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
        for handler in self._handlers:
            handler.removeFilter(self)


def _columns(stream: TextIO) -> int:
    """Columns of a terminal; where it does not know them, those of the environment, else 80."""
    columns = 0
    with contextlib.suppress(OSError, ValueError):  # no file behind the stream
        columns = os.get_terminal_size(stream.fileno()).columns
    return columns or shutil.get_terminal_size().columns
