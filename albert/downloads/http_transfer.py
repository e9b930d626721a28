"""One attempt at receiving a file over HTTP, going on from an unfinished part where that is safe.

`download` repeats the attempts and gives the finished file its name.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import socket
import ssl
import urllib.error
import urllib.request
from typing import Any, BinaryIO, Callable, NamedTuple, Optional

from albert.base.errors import UserError
from albert.files.complete import write_json

PIECE = 1 << 16
# Answers that may be others the next time.
PASSING_STATUSES = (408, 425, 429, 500, 502, 503, 504)

# Called with the bytes that are there and the bytes in all (None: the server does not say).
Progress = Callable[[int, Optional[int]], None]


class PassingError(Exception):
    """A failure after which another attempt makes sense."""


class UnreachableError(PassingError):
    """No connection could be made at all."""


class _RangeError(PassingError):
    """The server has no such range."""


class Part(NamedTuple):
    """What is known of an unfinished file: which version of what, and how long it will be."""

    url: Optional[str] = None
    validator: Optional[str] = None
    total: Optional[int] = None


def receive(url: str, stream: BinaryIO, timeout: float, progress: Optional[Progress]) -> None:
    """Asks for what `stream`, the part, still misses, and appends it.

    Args:
      url: the address.
      stream: the part, open for appending; what is known of it stands in its name + ".json".
      timeout: seconds without a byte after which the connection counts as stalled.
      progress: is told how far it is, or None.

    Raises:
      PassingError: the attempt failed; the part holds what came.
      UserError: no further attempt can help.
    """
    kept = load_part(stream.name)
    start = size_of(stream) if kept.url == url and kept.validator else 0
    if start and start == kept.total:
        return  # The last call was stopped between the last byte and the new name.
    try:
        response = _open(url, start, kept, timeout)
    except _RangeError:
        _forget(stream)
        raise
    with response:
        if response.status == 206 and not _continues(response, start, kept):
            _forget(stream)
            raise PassingError("the file on the server has changed meanwhile")
        if response.status != 206:
            start = 0
        stream.truncate(start)
        length = response.headers.get("Content-Length")
        total = start + int(length) if length and length.isdigit() else None
        save_part(stream.name, Part(url, _validator(response), total))
        _copy(response, stream, total, timeout, progress)


def _open(url: str, start: int, kept: Part, timeout: float) -> Any:
    headers = {"User-Agent": "albert-zh-download", "Accept-Encoding": "identity"}
    if start:
        # If-Range: a server whose file has changed sends all of the new one.
        headers.update({"Range": f"bytes={start}-", "If-Range": str(kept.validator)})
    try:
        return urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        raise _error_of_status(url, error) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise UserError(
                f"{url} shows a certificate that is not trusted ({error.reason.verify_message}); "
                "check the clock and the proxy, or bring the file from elsewhere."
            ) from error
        raise UnreachableError(_reason(error.reason, timeout)) from error
    except (OSError, http.client.HTTPException) as error:
        raise PassingError(_reason(error, timeout)) from error
    except ValueError as error:
        raise UserError(f"{url} is no proper address ({error}).") from error


def _error_of_status(url: str, error: urllib.error.HTTPError) -> Exception:
    answer = f"{error.code} {error.reason}"
    if error.code in PASSING_STATUSES:
        return PassingError(f"the server answers {answer}")
    if error.code == 416:  # A part longer than the file.
        return _RangeError(f"the server answers {answer}")
    return UserError(
        f"{url} cannot be had: the server answers {answer}; check the address, or bring the file from elsewhere."
    )


def _reason(error: Any, timeout: float) -> str:
    if isinstance(error, socket.timeout):
        return f"no answer within {timeout:g} seconds"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def _validator(response: Any) -> Optional[str]:
    tag = response.headers.get("ETag")
    if tag and not tag.startswith("W/"):  # A weak tag may stand for other bytes.
        return tag
    return response.headers.get("Last-Modified")


def _continues(response: Any, start: int, kept: Part) -> bool:
    """Whether a partial answer begins where the part ends, in the same version of the file."""
    found = re.match(r"bytes (\d+)-\d+/(\d+|\*)$", response.headers.get("Content-Range", ""))
    if not found or int(found.group(1)) != start:
        return False
    same_total = kept.total is None or found.group(2) in ("*", str(kept.total))
    return same_total and _validator(response) in (None, kept.validator)


def _copy(
    response: Any,
    stream: BinaryIO,
    total: Optional[int],
    timeout: float,
    progress: Optional[Progress],
) -> None:
    done = size_of(stream)
    while True:
        try:
            # read1 returns what has come; read would wait for a full piece, past the timeout.
            piece = response.read1(PIECE)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, socket.timeout):
                raise PassingError(f"no byte came for {timeout:g} seconds") from error
            raise PassingError(_reason(error, timeout)) from error
        if not piece:
            break
        stream.write(piece)
        done += len(piece)
        if progress:
            progress(done, total)
    stream.flush()
    if total is not None and done != total:
        raise PassingError(f"the connection ended after {done} of {total} bytes")


def size_of(stream: BinaryIO) -> int:
    """How long the part is now."""
    stream.flush()
    return os.fstat(stream.fileno()).st_size


def load_part(path: str) -> Part:
    """What was noted of the part; nothing when there is no note, or no readable one."""
    try:
        with open(path + ".json", encoding="utf-8") as file:
            note = json.load(file)
        return Part(note["url"], note["validator"], note["total"])
    except (OSError, ValueError, KeyError, TypeError):
        return Part()


def save_part(path: str, part: Part) -> None:
    """Notes which version of the file the part belongs to."""
    write_json(path + ".json", part._asdict())


def _forget(stream: BinaryIO) -> None:
    stream.truncate(0)
    save_part(stream.name, Part())
