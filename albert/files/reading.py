"""Reading files: plain or compressed with gzip, as checked lines of text."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import zlib
from typing import BinaryIO, Callable, Dict, Iterator, List, Sequence, Tuple, cast

from albert.base.errors import UserError
from albert.files.plain_text import as_utf8_lines, is_blank, without_mark
from albert.files.streams import Convert, is_stream, stream

BLOCK_BYTES = 1 << 20  # read at a time of files that may be large

_GZIP_MAGIC = b"\x1f\x8b"
# Text packs 3 to 20 times. What unpacks to far more is made to fill memory or to keep its reader busy.
_MOST_RATIO = 500
_BYTES_BEFORE_RATIO = 64 << 20  # a small file may hold one line many times


def file_stamp(path: str) -> Tuple[int, int]:
    """Returns size and time of a file, which change with its content.

    Raises:
      OSError: there is no file.
    """
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


@contextlib.contextmanager
def opened_packed(path: str) -> Iterator[BinaryIO]:
    """Opens a file and yields its bytes as they are, compressed or not.

    Raises:
      UserError: it cannot be read.
    """
    try:
        with open(path, "rb") as file:
            yield file
    except OSError as error:
        raise UserError("cannot read {}: {}".format(path, error.strerror or error)) from error


def starts_like_gzip(file: BinaryIO) -> bool:
    """Whether an open file begins like a gzip file. The position must be at the beginning, and is there afterwards."""
    magic = file.read(len(_GZIP_MAGIC))
    file.seek(0)
    return magic == _GZIP_MAGIC


@contextlib.contextmanager
def opened(path: str, is_packed: Callable[[BinaryIO], bool] = starts_like_gzip) -> Iterator[BinaryIO]:
    """Opens a file and unpacks it if `is_packed` says so, whatever its name: all gzip members, one after the other.

    Seeking in such a file reads it up to that position (backwards: from the beginning).

    Raises:
      UserError: it cannot be read, or its compressed bytes are cut off, damaged, or unpack to far too many.
    """
    with opened_packed(path) as file:
        if not is_packed(file):
            yield file
            return
        most = max(_BYTES_BEFORE_RATIO, _MOST_RATIO * file.seek(0, os.SEEK_END))
        file.seek(0)
        try:
            with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
                yield stream(cast(BinaryIO, unpacked), lambda: _limited(most, path))
        except (EOFError, zlib.error, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # an error of the disk, not of the compressed bytes
            raise UserError(
                "{} is a gzip file that is cut off or damaged: replace it with a complete one".format(path)
            ) from error


def _limited(most: int, path: str) -> Convert:
    num_bytes = 0

    def check(block: bytes) -> bytes:
        nonlocal num_bytes
        num_bytes += len(block)
        if num_bytes > most:
            raise UserError(
                "{} unpacks to over {} times its size, as no text does: unpack it yourself if you trust it".format(
                    path, _MOST_RATIO
                )
            )
        return block

    return check


@contextlib.contextmanager
def opened_text(path: str) -> Iterator[BinaryIO]:
    """Opens a text file as `opened` does; yields its text in UTF-8, in lines that end at "\n" (see `plain_text`).

    Raises:
      UserError: as `opened`, or while it is read, if it is UTF-16 or UTF-32 and damaged.
    """
    with opened(path) as file:
        yield as_utf8_lines(file, path)


def is_unpacked(file: BinaryIO) -> bool:
    """Whether an open file is unpacked or converted while it is read, so that seeking is slow."""
    return is_stream(file)


def decode_line(line: bytes, is_first: bool, place: Callable[[], str]) -> str:
    """The text of a line; the first of a file loses its byte order mark.

    Args:
      line: its bytes.
      is_first: whether the file begins with it.
      place: returns the place of the line for messages ("a.txt line 3").

    Raises:
      UserError: it is not UTF-8 or holds a NUL byte.
    """
    try:
        text = (without_mark(line) if is_first else line).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError("{} is not UTF-8: {}".format(place(), _advice_on(line))) from error
    if "\0" in text:
        raise UserError("{} holds a NUL byte: is it a text file?".format(place()))
    return text


def _advice_on(line: bytes) -> str:
    """What to do with a line that is not UTF-8: one of GBK, or none of a text."""
    try:
        is_text = b"\0" not in line and bool(line.decode("gb18030"))
    except UnicodeDecodeError:
        is_text = False
    if is_text:
        return "convert the file, for example with `iconv -f gb18030 -t utf-8`"
    return "is it a text file? Then save it as UTF-8"


def text_lines(path: str) -> Iterator[Tuple[int, str]]:
    """Yields the lines of a text file with their numbers from 1, without line ends; blank lines at the end are skipped.

    Raises:
      UserError: as `decoded_lines`, or a line is blank (`plain_text.is_blank`) with others after it.
    """
    first_blank = 0
    for number, text in decoded_lines(path):
        if is_blank(text):
            first_blank = first_blank or number
            continue
        if first_blank:
            raise UserError("{} line {} is blank: remove it or fill it in".format(path, first_blank))
        yield number, text


def decoded_lines(path: str) -> Iterator[Tuple[int, str]]:
    """Yields all lines of a text file with their numbers from 1, without line ends.

    Raises:
      UserError: the file cannot be read, or a line is not UTF-8 or holds a NUL byte.
    """
    with opened_packed(path) as file:
        for number, content in enumerate(as_utf8_lines(file, path), start=1):
            yield number, _decode(content, path, number)


def _decode(content: bytes, path: str, number: int) -> str:
    text = decode_line(content, number == 1, lambda: "{} line {}".format(path, number))
    if text.endswith("\n"):
        text = text[:-1]
    return text[:-1] if text.endswith("\r") else text


def describe_files(paths: Sequence[str]) -> List[Dict[str, object]]:
    """Describes each file by its name, size and SHA-256, which tell whether two runs read the same text.

    Raises:
      UserError: a file cannot be read.
    """
    descriptions = []
    for path in paths:
        digest = hashlib.sha256()
        with opened_packed(path) as file:
            for block in iter(lambda: file.read(BLOCK_BYTES), b""):  # noqa: B023 (read before the next file is opened)
                digest.update(block)
            descriptions.append({"file": os.path.basename(path), "bytes": file.tell(), "sha256": digest.hexdigest()})
    return descriptions
