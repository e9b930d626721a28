"""Files opened for reading: plain or packed with gzip alike, where they are kept, and the checks of a line of text."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import os
import zlib
from typing import Any, BinaryIO, Callable, Iterator, NamedTuple

from albert.base.errors import UserError

_GZIP_MAGIC = b"\x1f\x8b"


class FileSystem(NamedTuple):
    """How files are reached, so that an engine with file systems of its own can read what the local disk does not hold.

    Attributes:
      open: path -> binary file that can be sought; raises OSError.
      stamp: path -> a value that changes with the file's content; raises OSError where the file is gone.
    """

    open: Callable[[str], BinaryIO]
    stamp: Callable[[str], Any]


def _open_local(path: str) -> BinaryIO:
    return open(path, "rb")


def _local_stamp(path: str) -> Any:
    status = os.stat(path)
    return status.st_size, status.st_mtime_ns


LOCAL = FileSystem(_open_local, _local_stamp)


@contextlib.contextmanager
def opened_packed(path: str, files: FileSystem = LOCAL) -> Iterator[BinaryIO]:
    """Opens a file and gives its bytes as they stand.

    Raises:
      UserError: it cannot be read.
    """
    try:
        with files.open(path) as file:
            yield file
    except OSError as error:
        raise UserError("cannot read {}: {}".format(path, error.strerror or error)) from error


def starts_like_gzip(file: BinaryIO) -> bool:
    """Whether a file, which stands at its beginning and is left there, begins as gzip files do."""
    magic = file.read(len(_GZIP_MAGIC))
    file.seek(0)
    return magic == _GZIP_MAGIC


@contextlib.contextmanager
def opened(
    path: str, files: FileSystem = LOCAL, is_packed: Callable[[BinaryIO], bool] = starts_like_gzip
) -> Iterator[BinaryIO]:
    """Opens a file and unpacks what `is_packed`, whatever its name: all gzip members, one after the other.

    Seeking in an unpacked file reads it up to that place (backwards: from the beginning).

    Raises:
      UserError: it cannot be read, or its packed bytes are cut off or damaged.
    """
    with opened_packed(path, files) as file:
        if not is_packed(file):
            yield file
            return
        try:
            with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
                yield unpacked
        except (EOFError, zlib.error, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # the disk's error, not that of the packed bytes
            raise UserError(
                "{} is a gzip file that is cut off or damaged: replace it by a whole one".format(path)
            ) from error


def is_unpacked(file: BinaryIO) -> bool:
    """Whether a file from `opened` is unpacked on the way, so that seeking costs."""
    return isinstance(file, gzip.GzipFile)


def without_mark(line: bytes) -> bytes:
    """The first line of a file without the byte order mark that some editors write there."""
    return line[len(codecs.BOM_UTF8) :] if line.startswith(codecs.BOM_UTF8) else line


def decode_line(line: bytes, is_first: bool, place: Callable[[], str]) -> str:
    """The text of a line; the first of a file loses its byte order mark.

    Args:
      line: its bytes.
      is_first: whether the file begins with it.
      place: says where a bad line stands ("a.txt line 3").

    Raises:
      UserError: it is not UTF-8 or holds a NUL byte.
    """
    try:
        text = (without_mark(line) if is_first else line).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            "{} is not UTF-8: convert the file, for example with `iconv -f gb18030 -t utf-8`".format(place())
        ) from error
    if "\0" in text:
        raise UserError("{} holds a NUL byte: is it a text file?".format(place()))
    return text
