"""Text files as documents: UTF-8, one sentence per line, documents parted by lines of nothing but whitespace.

A corpus is divided by seeking to places where a document starts, so it is never read as a whole; a part of it is read
as a stream. Lines end at "\\n" only: Chinese text holds other characters that Python takes for line breaks.
"""

from __future__ import annotations

import codecs
import hashlib
import os
from typing import BinaryIO, Dict, Iterable, Iterator, List, NamedTuple, Sequence, Tuple

from errors import UserError

# Longer documents are read in parts, so that a corpus without blank lines does not have to fit into memory.
MAX_PART_BYTES = 1 << 20
_BLOCK_BYTES = 1 << 20


class ByteRange(NamedTuple):
    """A part of a file that starts and ends where a document does."""

    file_index: int
    path: str
    start: int
    end: int


class DocumentPart(NamedTuple):
    """A document, or a part of one that is longer than MAX_PART_BYTES.

    Attributes:
      file_index: the number of its file in the corpus.
      offset: the byte at which its first line starts.
      lines: its sentences, without blanks at their ends.
      num_bytes: the size of these lines in the file.
      is_continuation: whether an earlier part of the same document went before.
    """

    file_index: int
    offset: int
    lines: List[str]
    num_bytes: int
    is_continuation: bool


def describe_files(paths: Sequence[str]) -> List[Dict[str, object]]:
    """Name, size and SHA-256 of each file: what tells whether two runs read the same text.

    Raises:
      UserError: a file cannot be read.
    """
    descriptions = []
    for path in paths:
        digest = hashlib.sha256()
        with _open(path) as file:
            for block in iter(lambda: file.read(_BLOCK_BYTES), b""):  # noqa: B023 (read before the next file is opened)
                digest.update(block)
            descriptions.append({"file": os.path.basename(path), "bytes": file.tell(), "sha256": digest.hexdigest()})
    return descriptions


def plan_shards(paths: Sequence[str], num_shards: int) -> List[List[ByteRange]]:
    """Divides files into at most `num_shards` parts of similar size, each a list of ranges of one or more files.

    There are fewer parts where documents are too long to be divided so often.

    Raises:
      UserError: a file cannot be read or holds no text.
    """
    sizes = [_size_of_text(path) for path in paths]
    total = sum(sizes)
    bounds = [0]
    for shard in range(1, num_shards):
        cut = shard * total // num_shards
        if cut > bounds[-1]:
            bounds.append(_next_bound(paths, sizes, cut))
    bounds = sorted({*bounds, total})
    return [_ranges_between(paths, sizes, start, end) for start, end in zip(bounds, bounds[1:])]


def _size_of_text(path: str) -> int:
    with _open(path) as file:
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            raise UserError("{} is empty: it must hold one sentence per line".format(path))
        if _next_document_start(file, 0) == size:
            raise UserError("{} holds only blank lines: it must hold one sentence per line".format(path))
    return size


def _next_bound(paths: Sequence[str], sizes: Sequence[int], cut: int) -> int:
    """The first place from `cut` on where a document starts or a file ends, counted through all files."""
    base = 0
    for path, size in zip(paths, sizes):
        if cut < base + size:
            with _open(path) as file:
                return base + (_next_document_start(file, cut - base) if cut > base else 0)
        base += size
    return base


def _next_document_start(file: BinaryIO, position: int) -> int:
    """The start of the first line that follows a blank one (at 0: of the first line that is not blank)."""
    after_blank = position == 0
    file.seek(max(0, position - 1))  # one byte back: a line that starts at `position` is not skipped
    if position:
        file.readline()
    start = file.tell()
    for line in iter(file.readline, b""):
        is_blank = not _without_mark(line, start).decode("utf-8", "replace").strip()
        if after_blank and not is_blank:
            return start
        after_blank = after_blank or is_blank
        start += len(line)
    return start


def _ranges_between(paths: Sequence[str], sizes: Sequence[int], start: int, end: int) -> List[ByteRange]:
    ranges = []
    base = 0
    for file_index, (path, size) in enumerate(zip(paths, sizes)):
        first, last = max(start - base, 0), min(end - base, size)
        if first < last:
            ranges.append(ByteRange(file_index, path, first, last))
        base += size
    return ranges


def read_documents(ranges: Iterable[ByteRange], max_part_bytes: int = MAX_PART_BYTES) -> Iterator[DocumentPart]:
    """Streams the documents of some ranges.

    Raises:
      UserError: a file cannot be read or got shorter, or a line is not UTF-8 or holds a NUL byte.
    """
    for byte_range in ranges:
        lines: List[str] = []
        offset, num_bytes, is_continuation = 0, 0, False
        for line_offset, line_bytes, sentence in _read_lines(byte_range):
            if lines and (not sentence or num_bytes + line_bytes > max_part_bytes):
                yield DocumentPart(byte_range.file_index, offset, lines, num_bytes, is_continuation)
                lines, num_bytes, is_continuation = [], 0, bool(sentence)
            if sentence:
                offset = offset if lines else line_offset
                lines.append(sentence)
                num_bytes += line_bytes
        if lines:
            yield DocumentPart(byte_range.file_index, offset, lines, num_bytes, is_continuation)


def _read_lines(byte_range: ByteRange) -> Iterator[Tuple[int, int, str]]:
    """Yields offset, size and text of each line; the text is empty for a blank line."""
    with _open(byte_range.path) as file:
        file.seek(byte_range.start)
        offset = byte_range.start
        while offset < byte_range.end:
            line = file.readline()
            if not line:
                raise UserError("{} got shorter while it was read: run the command again".format(byte_range.path))
            yield offset, len(line), _decode(line, byte_range.path, offset)
            offset += len(line)


def _decode(line: bytes, path: str, offset: int) -> str:
    try:
        text = _without_mark(line, offset).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            "{} line {} is not UTF-8: convert the file, for example with `iconv -f gb18030 -t utf-8`".format(
                path, _line_number(path, offset)
            )
        ) from error
    if "\0" in text:
        raise UserError("{} line {} holds a NUL byte: is it a text file?".format(path, _line_number(path, offset)))
    return text.strip()


def _without_mark(line: bytes, offset: int) -> bytes:
    """A line without the byte order mark that some editors write at the beginning of a file."""
    return line[len(codecs.BOM_UTF8) :] if offset == 0 and line.startswith(codecs.BOM_UTF8) else line


def _line_number(path: str, offset: int) -> int:
    """The number, from 1, of the line that starts at a byte."""
    newlines = 0
    with _open(path) as file:
        while offset > 0:
            block = file.read(min(offset, _BLOCK_BYTES))
            if not block:
                break
            newlines += block.count(b"\n")
            offset -= len(block)
    return newlines + 1


def _open(path: str) -> BinaryIO:
    try:
        return open(path, "rb")
    except OSError as error:
        raise UserError("cannot read {}: {}".format(path, error.strerror)) from error
