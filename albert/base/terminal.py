"""The line that says how far a long run has come: written over and over on a terminal, else now and then."""

from __future__ import annotations

import logging
from typing import Any, Optional, TextIO

_PERIOD_SECONDS = 10.0  # between lines where the stream is no terminal


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
