"""Corpus: text files as documents, in UTF-8, one sentence per line, blank lines between documents.

A corpus is divided by seeking to places where a document starts, so it is never read as a whole; a part of it is read
as a stream. In a blank line nothing can be read (`plain_text.is_blank`). Lines end at "\\n" only: Chinese text contains
other characters that Python takes for line breaks.

Files packed with gzip, in UTF-16 or with the line ends of a classic Mac need not be converted first. All sizes and
places in them are those of the unpacked and converted text, so such a corpus is divided like the same text in a plain
file, up to MAX_PACKED_CUTS.
"""

from __future__ import annotations

import os
from typing import Any, BinaryIO, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.files.plain_text import is_blank, without_mark
from albert.files.reading import BLOCK_BYTES, decode_line, file_stamp, is_unpacked, opened_text

# Longer documents are read in parts, so that a corpus without blank lines does not have to fit into memory.
MAX_PART_BYTES = 1 << 20
BYTES_PER_SHARD = 512 << 10
MAX_DEFAULT_SHARDS = 1024
# To reach a place in a gzip file, all before it has to be unpacked: k cuts unpack the file k / 2 times in addition.
# Unpacking is over a hundred times faster than making records, so 16 cuts cost less than a tenth of the time.
MAX_PACKED_CUTS = 16


class ByteRange(NamedTuple):
    """Part of a text that starts and ends where a document does.

    Attributes:
      file_index: the number of its file in the corpus.
      path: its file.
      start, end: the bytes it covers; in a gzip file, those of the unpacked text, and so in one that is converted.
      stamp: of the file when it was planned (`file_stamp`); None: a change of the file is not noticed.
    """

    file_index: int
    path: str
    start: int
    end: int
    stamp: Any = None


class _Text(NamedTuple):
    """Text file as it was when shards were planned: `size` is that of the unpacked and converted text."""

    path: str
    size: int
    is_streamed: bool
    stamp: Any


class DocumentPart(NamedTuple):
    """Document, or part of one that is longer than MAX_PART_BYTES.

    Attributes:
      file_index: the number of its file in the corpus.
      offset: the byte at which its first line starts.
      lines: its sentences, without blanks at their ends.
      num_bytes: the size of these lines in the file.
      is_continuation: whether it continues the document of the part before.
    """

    file_index: int
    offset: int
    lines: List[str]
    num_bytes: int
    is_continuation: bool


def plan_shards(paths: Sequence[str], num_shards: Optional[int] = None) -> List[List[ByteRange]]:
    """Divides files into at most `num_shards` parts of similar size, each a list of ranges of one or more files.

    There are fewer parts where documents are too long, or gzip files too large, to be divided that often.

    Args:
      paths: text files, plain or packed with gzip.
      num_shards: by default one per BYTES_PER_SHARD of text, at most MAX_DEFAULT_SHARDS.

    Raises:
      UserError: a file cannot be read, is a damaged gzip file, or holds no text.
    """
    texts = [_measure(path) for path in paths]
    total = sum(text.size for text in texts)
    num_shards = num_shards or min(max(1, -(-total // BYTES_PER_SHARD)), MAX_DEFAULT_SHARDS)
    cuts = [shard * total // num_shards for shard in range(1, num_shards)]
    bounds = {0, total}
    base = 0
    for text in texts:
        inside = [cut - base for cut in cuts if base <= cut < base + text.size]
        bounds.update(base + bound for bound in _bounds_within(text, inside))
        base += text.size
    ordered = sorted(bounds)
    return [_ranges_between(texts, start, end) for start, end in zip(ordered, ordered[1:])]


def _measure(path: str) -> _Text:
    with opened_text(path) as file:
        stamp = file_stamp(path)
        first = _next_document_start(file, 0)
        size = file.seek(0, os.SEEK_END)
        if size == 0:
            raise UserError("{} is empty: it must hold one sentence per line".format(path))
        if first == size:
            raise UserError("{} holds only blank lines: it must hold one sentence per line".format(path))
        return _Text(path, size, is_unpacked(file), stamp)


def _bounds_within(text: _Text, cuts: Sequence[int]) -> List[int]:
    """Returns for each cut the first place at or after it where a document starts or the file ends."""
    if text.is_streamed and len(cuts) > MAX_PACKED_CUTS:
        cuts = [cuts[number * len(cuts) // (MAX_PACKED_CUTS + 1)] for number in range(1, MAX_PACKED_CUTS + 1)]
    bounds: List[int] = []
    if cuts:
        with opened_text(text.path) as file:
            for cut in cuts:
                if not bounds or cut > bounds[-1]:
                    bounds.append(_next_document_start(file, cut) if cut else 0)
    return bounds


def _next_document_start(file: BinaryIO, position: int) -> int:
    """Returns the start of the first line that follows a blank one (at 0: of the first line that is not blank)."""
    after_blank = position == 0
    file.seek(max(0, position - 1))  # one byte back: a line that starts at `position` is not skipped
    if position:
        file.readline()
    start = file.tell()
    for line in iter(file.readline, b""):
        text = line if start else without_mark(line)
        has_text = not is_blank(text.decode("utf-8", "replace"))
        if after_blank and has_text:
            return start
        after_blank = after_blank or not has_text
        start += len(line)
    return start


def _ranges_between(texts: Sequence[_Text], start: int, end: int) -> List[ByteRange]:
    ranges = []
    base = 0
    for file_index, text in enumerate(texts):
        first, last = max(start - base, 0), min(end - base, text.size)
        if first < last:
            ranges.append(ByteRange(file_index, text.path, first, last, text.stamp))
        base += text.size
    return ranges


def read_documents(ranges: Iterable[ByteRange], max_part_bytes: int = MAX_PART_BYTES) -> Iterator[DocumentPart]:
    """Yields the documents of ranges as a stream.

    Raises:
      UserError: a file cannot be read or was changed since it was planned, or a line is not UTF-8 or has a NUL byte.
    """
    for byte_range in ranges:
        lines: List[str] = []
        offset, num_bytes, is_continuation = 0, 0, False
        for line_offset, line_bytes, sentence in _read_planned(byte_range):
            if lines and (not sentence or num_bytes + line_bytes > max_part_bytes):
                yield DocumentPart(byte_range.file_index, offset, lines, num_bytes, is_continuation)
                lines, num_bytes, is_continuation = [], 0, bool(sentence)
            if sentence:
                offset = offset if lines else line_offset
                lines.append(sentence)
                num_bytes += line_bytes
        if lines:
            yield DocumentPart(byte_range.file_index, offset, lines, num_bytes, is_continuation)


def _read_planned(byte_range: ByteRange) -> Iterator[Tuple[int, int, str]]:
    """Yields the lines of `_read_lines`; checks before and after that the file is the one that was planned."""
    _check_unchanged(byte_range)
    try:
        yield from _read_lines(byte_range)
    except UserError:
        _check_unchanged(byte_range)  # a change explains any other error
        raise
    _check_unchanged(byte_range)


def _check_unchanged(byte_range: ByteRange) -> None:
    if byte_range.stamp is None:
        return
    try:
        stamp = file_stamp(byte_range.path)
    except OSError as error:
        raise UserError(
            "{} vanished while it was read: put it back and run the same command again".format(byte_range.path)
        ) from error
    if stamp != byte_range.stamp:
        raise UserError(
            "{} was changed while it was read: run the command again when nothing changes it any more".format(
                byte_range.path
            )
        )


def _read_lines(byte_range: ByteRange) -> Iterator[Tuple[int, int, str]]:
    """Yields offset, size and text of each line; the text is empty for a blank line."""
    offset = byte_range.start

    def place() -> str:
        return "{} line {}".format(byte_range.path, _line_number(byte_range.path, offset))

    with opened_text(byte_range.path) as file:
        file.seek(offset)
        while offset < byte_range.end:
            line = file.readline()
            if not line:
                raise UserError("{} became shorter while it was read: run the command again".format(byte_range.path))
            text = decode_line(line, offset == 0, place).strip()
            yield offset, len(line), "" if is_blank(text) else text
            offset += len(line)


def _line_number(path: str, offset: int) -> int:
    """Returns the number, from 1, of the line that starts at a byte."""
    newlines = 0
    with opened_text(path) as file:
        while offset > 0:
            block = file.read(min(offset, BLOCK_BYTES))
            if not block:
                break
            newlines += block.count(b"\n")
            offset -= len(block)
    return newlines + 1
