"""Console of a command: streams on which no character fails, typed lines, arguments that the locale did not decode."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import Any


def make_streams_tolerant() -> None:
    """Lets standard output and error replace what their encoding does not have, and standard input keep foreign bytes.

    Consoles and pipes may be GBK or ASCII: an emoji in a text must not end the command.
    """
    for stream, errors in ((sys.stdout, "replace"), (sys.stderr, "replace"), (sys.stdin, "surrogateescape")):
        reconfigure: Any = getattr(stream, "reconfigure", None)  # none where a program has replaced the stream
        if reconfigure:
            with contextlib.suppress(io.UnsupportedOperation):  # a program has read from it before
                reconfigure(errors=errors)


def decoded_argument(argument: str) -> str:
    """Returns an argument as text: its bytes as UTF-8 where the encoding of the locale could not decode them.

    Raises:
      ValueError: they are not UTF-8 either.
    """
    if not _is_foreign(argument):
        return argument
    try:
        return os.fsencode(argument).decode("utf-8")
    except UnicodeDecodeError:
        raise ValueError("it is neither UTF-8 nor in the encoding of the locale") from None


def decoded_line(line: str) -> str:
    """Returns a line of standard input as text, as `decoded_argument` does; what is not UTF-8 is replaced."""
    if not _is_foreign(line):
        return line
    return line.encode(sys.stdin.encoding, "surrogateescape").decode("utf-8", "replace")


def typed_line(request: str) -> str:
    """Reads a line of standard input; on a terminal the request is written first. Empty at the end."""
    if sys.stdin.isatty():
        sys.stderr.write(request)
        sys.stderr.flush()
    return decoded_line(sys.stdin.readline().rstrip("\n"))


def _is_foreign(text: str) -> bool:
    """Whether a text holds bytes that Python kept because it could not decode them."""
    return any("\udc80" <= char <= "\udcff" for char in text)
