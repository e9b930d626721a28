"""TFRecord files: writes them whole or not at all; walks, counts and checks the frames of their records.

Needs no TensorFlow, so that a data worker starts at once and stays small. The format is fixed and public: a frame holds
the length of its record and two masked CRC-32C checksums.
"""

from __future__ import annotations

import os
import struct
import zlib
from typing import BinaryIO, Iterable, Iterator, Optional, Tuple

from albert.base.errors import UserError
from albert.files.complete import CompleteFile
from albert.files.reading import opened, opened_packed, starts_like_gzip

_FRAME_HEADER = struct.Struct("<QI")  # length of the record, checksum of the length
_FRAME_LENGTH = struct.Struct("<Q")
_FRAME_CRC = struct.Struct("<I")  # also behind the record
_CRC_MASK_DELTA = 0xA282EAD8
_LARGEST_RECORD = 1 << 30  # bytes; those of this project have some thousand
_FRAME_BYTES = 16  # of a record, beside its own
_MOST_PACKED = 1100  # unpacked bytes of a byte of gzip

NO_COMPRESSION = "none"
GZIP = "gzip"
COMPRESSIONS = (NO_COMPRESSION, GZIP)
# Level 1 packs records to 30 % of their size at 120 MB a second on one core, level 6 to 28 % at hardly more than half.
_GZIP_LEVEL = 1
_GZIP_WINDOW = 16 + zlib.MAX_WBITS  # with a gzip header, that of zlib itself: Python's differs between its versions


def write_records(
    path: str, records: Iterable[bytes], compression: str = NO_COMPRESSION, writer: Optional[int] = None
) -> int:
    """Writes a TFRecord file, complete or absent, and returns the number of its records.

    A compressed file is one gzip member whose header holds neither a name nor a time. The same records always give the
    same content; they give the same bytes with the same version of zlib.

    Args:
      path: the file. Its name does not depend on the compression: readers look at the first bytes.
      records: the serialized records.
      compression: NO_COMPRESSION or GZIP.
      writer: of `CompleteFile`.
    """
    count = 0
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW) if compression == GZIP else None
    with CompleteFile(path, writer) as file:
        for record in records:
            length = _FRAME_LENGTH.pack(len(record))
            header = length + _FRAME_CRC.pack(_masked_crc(length))
            framed = b"".join((header, record, _FRAME_CRC.pack(_masked_crc(record))))
            file.write(packer.compress(framed) if packer else framed)
            count += 1
        if packer:
            file.write(packer.flush())
    return count


def _masked_crc(data: bytes) -> int:
    import google_crc32c  # here, since it takes longer to load than a command to print its help

    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _CRC_MASK_DELTA) & 0xFFFFFFFF


def compression_of(path: str) -> str:
    """The compression of a TFRecord file: NO_COMPRESSION or GZIP.

    Raises:
      UserError: it cannot be read.
    """
    with opened_packed(path) as file:
        return GZIP if _is_packed(file) else NO_COMPRESSION


def _is_packed(file: BinaryIO) -> bool:
    header = file.read(_FRAME_HEADER.size)
    file.seek(0)
    # A plain file whose first record has 559,903 bytes begins like a gzip file; its checksum tells them apart.
    return starts_like_gzip(file) and _record_length(header) is None


def _record_length(header: bytes) -> Optional[int]:
    """The length in the header of a record; None if the header is cut off or is none, or the length is impossible."""
    if len(header) < _FRAME_HEADER.size:
        return None
    length, length_crc = _FRAME_HEADER.unpack(header)
    is_right = length <= _LARGEST_RECORD and length_crc == _masked_crc(header[: _FRAME_LENGTH.size])
    return length if is_right else None


def record_spans(path: str) -> Iterator[Tuple[int, int]]:
    """Walks the frames of a TFRecord file without parsing its records; yields (offset, length) of each record.

    In a compressed file these are positions in the unpacked content, all of which is read.

    Raises:
      UserError: the file is absent, cut off, or no TFRecord file.
    """
    with opened(path, is_packed=_is_packed) as file:
        yield from _spans(file, path)


def _spans(file: BinaryIO, path: str) -> Iterator[Tuple[int, int]]:
    offset = 0
    header = file.read(_FRAME_HEADER.size)
    while header:
        length = _record_length(header)
        if length is None:
            raise _damaged(path)
        offset += _FRAME_HEADER.size
        end = offset + length + _FRAME_CRC.size
        file.seek(end - 1)
        last_and_next = file.read(1 + _FRAME_HEADER.size)
        if not last_and_next:
            raise _damaged(path)
        yield offset, length
        offset, header = end, last_and_next[1:]


def _damaged(path: str) -> UserError:
    return UserError("{} is cut off or no TFRecord file: make it again".format(path))


def count_records(path: str) -> int:
    """Counts the records of a TFRecord file (raises as `record_spans`)."""
    return sum(1 for _ in record_spans(path))


def most_records(path: str) -> int:
    """The number of records that fit into the bytes of a file, without reading it (raises as `compression_of`)."""
    ratio = _MOST_PACKED if compression_of(path) == GZIP else 1
    return os.path.getsize(path) * ratio // _FRAME_BYTES


def first_record(path: str) -> Optional[bytes]:
    """Reads the first record of a TFRecord file; None if it has none (raises as `record_spans`)."""
    with opened(path, is_packed=_is_packed) as file:
        for offset, length in _spans(file, path):
            file.seek(offset)
            return file.read(length)
    return None
