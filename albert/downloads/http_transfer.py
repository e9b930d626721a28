"""HTTP transfer: one attempt to receive a file, continued from an unfinished part if that is safe.

`download` repeats the attempts and gives the finished file its name. A server is not believed: a part is continued only
where the answer names the same version and the length of the whole, and what is no file (a page to log in, nothing at
all, a packed body) is refused.
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
import urllib.error
import urllib.request
from typing import Any, BinaryIO, Callable, NamedTuple, Optional, Union

from albert.base.errors import UserError
from albert.files.complete import write_json
from albert.files.json_reading import parse_description, read_text

PIECE = 1 << 16
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)$")
_MOST_NOTE_BYTES = 1 << 16
_PAGES = ("text/html", "application/xhtml+xml")  # no published file is one
# Statuses after which the next attempt may succeed.
PASSING_STATUSES = (408, 425, 429, 500, 502, 503, 504)

# Called with the number of bytes received and the total (None: the server does not say).
Progress = Callable[[int, Optional[int]], None]


class PassingError(Exception):
    """A failure after which another attempt may succeed."""


class UnreachableError(PassingError):
    """No connection could be made."""


class MissingFileError(UserError):
    """The server has no file at the address."""


class _RangeError(PassingError):
    """The server has no such range."""


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Redirects, but none from an address that is encrypted to one that is not."""

    def redirect_request(self, request: Any, *rest: Any) -> Optional[urllib.request.Request]:
        target = str(rest[-1])
        if request.full_url.lower().startswith("https:") and not target.lower().startswith("https:"):
            raise UserError(
                f"{request.full_url} leads to {target}, which is not encrypted: anyone on the way could change the "
                "file; get it from another place"
            )
        return super().redirect_request(request, *rest)


_OPENER = urllib.request.build_opener(_Redirects)


class PartNote(NamedTuple):
    """Note about an unfinished file: its address, its version, and its length when it is complete."""

    url: Optional[str] = None
    validator: Optional[str] = None
    total: Optional[int] = None


def receive(url: str, stream: BinaryIO, timeout: float, progress: Optional[Progress]) -> None:
    """Requests the missing rest of an unfinished file, and appends it.

    Args:
      url: the address.
      stream: the unfinished file, open for appending; its note lies beside it, in its name + ".json".
      timeout: seconds without a byte after which the connection counts as stalled.
      progress: called after each piece, or None.

    Raises:
      PassingError: the attempt failed; what was received is kept.
      UserError: no further attempt can succeed.
    """
    kept = load_note(stream.name)
    start = size_of(stream) if kept.url == url and kept.validator else 0
    if start and start == kept.total:
        return  # the last call was stopped between the last byte and the new name
    try:
        response = _open(url, start, kept, timeout)
    except _RangeError:
        _forget(stream)
        raise
    with response:
        _refuse_other_content(url, response)
        if response.status == 206 and not _continues(response, start, kept):
            _forget(stream)
            raise PassingError("the file on the server has changed in the meantime")
        if response.status != 206:
            start = 0
        stream.truncate(start)
        total = _total_of(response)
        if start and total is None:
            total = kept.total
        # What continues a part is of the version that was noted with it; this answer need not name it again.
        save_note(stream.name, PartNote(url, kept.validator if start else _validator(response), total))
        _copy(response, stream, total, timeout, progress)
    if size_of(stream) == 0:
        raise UserError(f"{url} is empty on the server: get the file from another place")


def _refuse_other_content(url: str, response: http.client.HTTPResponse) -> None:
    """Refuses an answer that is not the file itself."""
    encoding = (response.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding != "identity":
        raise UserError(
            f"{url} is sent packed ({encoding}), which was not asked for: get the file from another place or without "
            "the proxy"
        )
    kind = response.headers.get_content_type() if response.headers.get("Content-Type") else ""
    if kind in _PAGES:
        raise UserError(
            f"{url} answers with a page ({kind}), not with the file: a proxy or the server may want a log-in; open the "
            "address in a browser, or get the file from another place"
        )


def _total_of(response: http.client.HTTPResponse) -> Optional[int]:
    """The bytes of the whole file, as an answer names them."""
    if response.status == 206:
        found = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
        return int(found.group(3)) if found and found.group(3) != "*" else None
    length = response.headers.get("Content-Length")
    return int(length) if length and length.isdigit() else None


def _open(url: str, start: int, kept: PartNote, timeout: float) -> http.client.HTTPResponse:
    headers = {"User-Agent": "albert-zh-download", "Accept-Encoding": "identity"}
    if start:
        # If-Range: a server whose file has changed sends all of the new one.
        headers.update({"Range": f"bytes={start}-", "If-Range": str(kept.validator)})
    try:
        return _OPENER.open(urllib.request.Request(url, headers=headers), timeout=timeout)
    except urllib.error.HTTPError as error:
        raise _error_of_status(url, error) from error
    except urllib.error.URLError as error:
        if isinstance(error.reason, ssl.SSLCertVerificationError):
            raise UserError(
                f"{url} has a certificate that is not trusted ({error.reason.verify_message}): "
                "check the clock and the proxy, or get the file from another place"
            ) from error
        raise UnreachableError(_reason(error.reason, timeout)) from error
    except (OSError, http.client.HTTPException) as error:
        raise PassingError(_reason(error, timeout)) from error
    except ValueError as error:
        raise UserError(f"{url} is no valid address: {error}") from error


def _error_of_status(url: str, error: urllib.error.HTTPError) -> Exception:
    answer = f"{error.code} {error.reason}"
    if error.code in PASSING_STATUSES:
        return PassingError(f"the server answers {answer}")
    if error.code == 416:  # the part is longer than the file
        return _RangeError(f"the server answers {answer}")
    kind = MissingFileError if error.code == 404 else UserError
    return kind(
        f"{url} cannot be downloaded, the server answers {answer}: "
        "check the address, or get the file from another place"
    )


def _reason(error: Union[str, BaseException], timeout: float) -> str:
    if isinstance(error, socket.timeout):
        return f"no answer within {timeout:g} seconds"
    return str(getattr(error, "strerror", None) or error or type(error).__name__)


def _validator(response: http.client.HTTPResponse) -> Optional[str]:
    tag = response.headers.get("ETag")
    if tag and not tag.startswith("W/"):  # a weak tag may stand for other bytes
        return tag
    return response.headers.get("Last-Modified")


def _continues(response: http.client.HTTPResponse, start: int, kept: PartNote) -> bool:
    """Whether a partial answer is the rest of the file, in the version of the part.

    It must begin at the end of the part and name the version; without a version, the length of the whole must be the
    known one. Some servers answer with a part of another version, whatever If-Range says.
    """
    found = _CONTENT_RANGE.match(response.headers.get("Content-Range", ""))
    if not found or int(found.group(1)) != start:
        return False
    named = _validator(response)
    if named is None and (kept.total is None or found.group(3) == "*"):
        return False
    return named in (None, kept.validator) and (kept.total is None or found.group(3) in ("*", str(kept.total)))


def _copy(
    response: http.client.HTTPResponse,
    stream: BinaryIO,
    total: Optional[int],
    timeout: float,
    progress: Optional[Progress],
) -> None:
    done = size_of(stream)
    is_partial = response.status == 206
    while True:
        try:
            # read1 returns what has arrived; read would wait for a full piece, longer than the timeout.
            piece = response.read1(PIECE)
        except (OSError, http.client.HTTPException) as error:
            if isinstance(error, socket.timeout):
                raise PassingError(f"no byte arrived for {timeout:g} seconds") from error
            raise PassingError(_reason(error, timeout)) from error
        if not piece:
            break
        stream.write(piece)
        done += len(piece)
        if total is not None and done > total:
            raise PassingError(f"the server sends more than the {total} bytes that it named")
        if progress:
            progress(done, total)
    stream.flush()
    if total is not None and done != total:
        raise PassingError(f"the connection ended after {done} of {total} bytes")
    if total is None and is_partial:
        raise PassingError(f"the server does not say whether {done} bytes are all of the file")


def size_of(stream: BinaryIO) -> int:
    """The number of bytes that are in the file now."""
    stream.flush()
    return os.fstat(stream.fileno()).st_size


def load_note(path: str) -> PartNote:
    """Reads the note about an unfinished file; an empty one if there is none that can be read."""
    try:
        note = parse_description(read_text(path + ".json", _MOST_NOTE_BYTES))
        total = None if note.value("total") is None else note.count("total")
        return PartNote(note.text("url"), note.text("validator"), total)
    except (OSError, UserError):
        return PartNote()


def save_note(path: str, note: PartNote) -> None:
    """Writes the note about an unfinished file."""
    write_json(path + ".json", note._asdict())


def _forget(stream: BinaryIO) -> None:
    stream.truncate(0)
    save_note(stream.name, PartNote())
