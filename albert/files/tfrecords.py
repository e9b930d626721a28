"""TFRecord files: writing them whole or not at all, and walking, counting and checking the frames of their records.

Free of TensorFlow, so that a data worker starts at once and stays small. The format is fixed and public: a frame gives
the length of its record and two masked CRC-32C checksums.
"""

from __future__ import annotations

import struct
import zlib
from typing import BinaryIO, Iterable, Iterator, Optional, Tuple

import google_crc32c

from albert.base.errors import UserError
from albert.files.complete import CompleteFile
from albert.files.reading import opened, opened_packed, starts_like_gzip

_FRAME_HEADER = struct.Struct("<QI")  # length of the record, checksum of the length
_FRAME_LENGTH = struct.Struct("<Q")
_FRAME_CRC = struct.Struct("<I")  # also stands behind the record
_CRC_MASK_DELTA = 0xA282EAD8

NO_COMPRESSION = "none"
GZIP = "gzip"
COMPRESSIONS = (NO_COMPRESSION, GZIP)
# Level 1 packs records to 30 % of their size at 120 MB a second on one core, level 6 to 28 % at hardly more than half.
_GZIP_LEVEL = 1
_GZIP_WINDOW = 16 + zlib.MAX_WBITS  # with a gzip header, that of zlib itself: Python's differs between its versions


def write_records(path: str, records: Iterable[bytes], compression: str = NO_COMPRESSION) -> int:
    """Writes a TFRecord file, complete or absent, and returns the number of its records.

    A packed file is one gzip member whose header holds neither a name nor a time. Its content is always the same for
    the same records; its bytes are so with one and the same zlib, whose versions may pack differently.

    Args:
      path: the file; its name says nothing of the compression, readers look at the first bytes.
      records: the serialized records.
      compression: NO_COMPRESSION or GZIP.
    """
    count = 0
    packer = zlib.compressobj(_GZIP_LEVEL, zlib.DEFLATED, _GZIP_WINDOW) if compression == GZIP else None
    with CompleteFile(path) as file:
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
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _CRC_MASK_DELTA) & 0xFFFFFFFF


def compression_of(path: str) -> str:
    """How a TFRecord file is packed: NO_COMPRESSION or GZIP.

    Raises:
      UserError: it cannot be read.
    """
    with opened_packed(path) as file:
        return GZIP if _is_packed(file) else NO_COMPRESSION


def _is_packed(file: BinaryIO) -> bool:
    header = file.read(_FRAME_HEADER.size)
    file.seek(0)
    # A first record of 559,903 bytes would make a plain file begin as gzip files do, but for the checksum.
    return starts_like_gzip(file) and _record_length(header) is None


def _record_length(header: bytes) -> Optional[int]:
    """The length that the header of a record tells, or None where it is cut off or none."""
    if len(header) < _FRAME_HEADER.size:
        return None
    length, length_crc = _FRAME_HEADER.unpack(header)
    return length if length_crc == _masked_crc(header[: _FRAME_LENGTH.size]) else None


def record_spans(path: str) -> Iterator[Tuple[int, int]]:
    """Walks the frames of a TFRecord file without parsing its records; yields (offset, length) of each record.

    In a packed file these are places of its unpacked content, all of which is read.

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
    """The number of records of a TFRecord file (raises as `record_spans`)."""
    return sum(1 for _ in record_spans(path))


def first_record(path: str) -> Optional[bytes]:
    """The first record of a TFRecord file, or None where it has none (raises as `record_spans`)."""
    with opened(path, is_packed=_is_packed) as file:
        for offset, length in _spans(file, path):
            file.seek(offset)
            return file.read(length)
    return None
