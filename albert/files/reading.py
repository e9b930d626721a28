"""Files opened for reading: plain or packed with gzip alike, where they are kept, and the checks of a line of text."""

from __future__ import annotations

import codecs
import contextlib
import gzip
import hashlib
import os
import zlib
from typing import Any, BinaryIO, Callable, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from albert.base.errors import UserError

BLOCK_BYTES = 1 << 20  # read at a time of files that may be large

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


def text_lines(path: str) -> Iterator[Tuple[int, str]]:
    """Yields the lines of a text file with their numbers from 1, without their ends; blank lines at the end are left.

    Raises:
      UserError: as `decoded_lines`, or a line is blank with others after it.
    """
    first_blank = 0
    for number, text in decoded_lines(path):
        if not text.strip():
            first_blank = first_blank or number
            continue
        if first_blank:
            raise UserError("{} line {} is blank: remove it or fill it in".format(path, first_blank))
        yield number, text


def decoded_lines(path: str) -> Iterator[Tuple[int, str]]:
    """Yields all lines of a text file with their numbers from 1, without their ends.

    Raises:
      UserError: the file cannot be read, or a line is not UTF-8 or holds a NUL byte.
    """
    try:
        with open(path, "rb") as file:
            for number, content in enumerate(file, start=1):
                yield number, _decode(content, path, number)
    except OSError as error:
        raise UserError("cannot read {}: {}".format(path, error.strerror)) from error


def _decode(content: bytes, path: str, number: int) -> str:
    text = decode_line(content, number == 1, lambda: "{} line {}".format(path, number))
    if text.endswith("\n"):
        text = text[:-1]
    return text[:-1] if text.endswith("\r") else text


def describe_files(paths: Sequence[str], files: FileSystem = LOCAL) -> List[Dict[str, object]]:
    """Name, size and SHA-256 of each file as it stands: what tells whether two runs read the same text.

    Raises:
      UserError: a file cannot be read.
    """
    descriptions = []
    for path in paths:
        digest = hashlib.sha256()
        with opened_packed(path, files) as file:
            for block in iter(lambda: file.read(BLOCK_BYTES), b""):  # noqa: B023 (read before the next file is opened)
                digest.update(block)
            descriptions.append({"file": os.path.basename(path), "bytes": file.tell(), "sha256": digest.hexdigest()})
    return descriptions
