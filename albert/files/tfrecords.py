"""TFRecord files: complete-or-absent files, the frames of records, shard names and sidecars.

Free of TensorFlow, so that a data worker starts at once and stays small. The format is fixed and public: a frame gives
the length of its record and two masked CRC-32C checksums.
"""

from __future__ import annotations

import contextlib
import functools
import glob
import json
import os
import re
import struct
import zlib
from typing import Any, BinaryIO, Dict, Iterable, Iterator, List, Optional, Sequence, Tuple

import google_crc32c

from albert.base.errors import UserError
from albert.files.reading import opened, opened_packed, starts_like_gzip
from albert.files.space import cannot_write

_FRAME_HEADER = struct.Struct("<QI")  # length of the record, checksum of the length
_FRAME_LENGTH = struct.Struct("<Q")
_FRAME_CRC = struct.Struct("<I")  # also stands behind the record
_CRC_MASK_DELTA = 0xA282EAD8
_SHARD_SUFFIX = re.compile(r"-\d{5,}-of-\d{5,}(?=(\.[^./\\]*)?$)")
_TEMPORARY_MARK = ".unfinished-"

JOURNAL_SUFFIX = ".partial.jsonl"

NO_COMPRESSION = "none"
GZIP = "gzip"
COMPRESSIONS = (NO_COMPRESSION, GZIP)
# Level 1 packs records to 30 % of their size at 120 MB a second on one core, level 6 to 28 % at hardly more than half.
_GZIP_LEVEL = 1
_GZIP_WINDOW = 16 + zlib.MAX_WBITS  # with a gzip header, that of zlib itself: Python's differs between its versions


class CompleteFile:
    """Opens a temporary file beside `path` and gives it the final name only when the block ends without an error.

    Raises:
      UserError: the folder cannot be made or written.
      DiskFullError: the disk is full.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._temporary_path = "{}{}{}".format(path, _TEMPORARY_MARK, os.getpid())
        self._file: Any = None
        self._num_bytes = 0

    def __enter__(self) -> "CompleteFile":
        try:
            os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
            self._file = open(self._temporary_path, "wb")  # noqa: SIM115 (closed in __exit__)
        except OSError as error:
            raise cannot_write(self.path, error, self._num_bytes) from error
        return self

    def write(self, data: bytes) -> None:
        """Appends bytes."""
        self._num_bytes += len(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise self._given_up(error) from error

    def __exit__(self, error_type: Any, error: Any, traceback: Any) -> None:
        try:
            if error_type is None:
                self._file.close()
                os.replace(self._temporary_path, self.path)
        except OSError as close_error:
            raise self._given_up(close_error) from close_error
        finally:
            self._remove()

    def _given_up(self, error: OSError) -> UserError:
        self._remove()  # before the free room is measured
        return cannot_write(self.path, error, self._num_bytes)

    def _remove(self) -> None:
        with contextlib.suppress(OSError):  # what could not be written to the end
            self._file.close()
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._temporary_path)


def remove_unfinished(path: str) -> None:
    """Removes what a killed process left of `path` under a temporary name."""
    for unfinished in glob.glob(glob.escape(path + _TEMPORARY_MARK) + "*"):
        os.remove(unfinished)


def write_json(path: str, value: Any) -> None:
    """Writes JSON, readable and complete or absent."""
    with CompleteFile(path) as file:
        file.write((json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8"))


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


def described_shard(path: str, sidecar: Optional[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    """What a description says of one file of its set (its name, bytes and records); None where it says nothing."""
    return next((s for s in (sidecar or {}).get("shards", []) if s["file"] == os.path.basename(path)), None)


def record_counts(paths: Sequence[str]) -> List[int]:
    """The records of whole files, by their descriptions where they have one: counting would unpack a packed file."""
    sidecars: Dict[str, Any] = {}  # all shards of a set share one
    counts = []
    for path in paths:
        described_at = sidecar_path(path)
        if described_at not in sidecars:
            sidecars[described_at] = read_sidecar(path)
        shard = described_shard(path, sidecars[described_at])
        counts.append(count_records(path) if shard is None else shard["records"])
    return counts


def first_record(path: str) -> Optional[bytes]:
    """The first record of a TFRecord file, or None where it has none (raises as `record_spans`)."""
    with opened(path, is_packed=_is_packed) as file:
        for offset, length in _spans(file, path):
            file.seek(offset)
            return file.read(length)
    return None


def shard_paths(output_file: str, num_shards: int) -> List[str]:
    """The names of the shards: `output_file` itself for one, else `name-00000-of-00002.ext`, ….

    The number stands before the extension, so that a glob such as `data/tf*.tfrecord` finds every shard.
    """
    if num_shards == 1:
        return [output_file]
    stem, extension = os.path.splitext(output_file)
    return ["{}-{:05d}-of-{:05d}{}".format(stem, shard, num_shards, extension) for shard in range(num_shards)]


def data_set_path(record_file: str) -> str:
    """The path that stands for a record file, or for the set of shards it belongs to."""
    return _SHARD_SUFFIX.sub("", record_file)


def journal_path(record_file: str) -> str:
    """The path of the journal that stands beside a set of record files until it is complete."""
    return data_set_path(record_file) + JOURNAL_SUFFIX


def sidecar_path(record_file: str) -> str:
    """The path of the JSON file that describes a record file or the set of shards it belongs to."""
    return data_set_path(record_file) + ".json"


def read_sidecar(record_file: str) -> Optional[Dict[str, Any]]:
    """The description beside a record file, or None where there is none (files of other implementations).

    It is read once for all shards of a set, as long as it does not change: do not write into it.
    """
    path = sidecar_path(record_file)
    try:
        state = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _read_description(path, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=16)
def _read_description(path: str, mtime_ns: int, size: int) -> Dict[str, Any]:
    del mtime_ns, size  # they tell one version of the file from the next
    try:
        with open(path, encoding="utf-8") as file:
            description = json.load(file)
        if not isinstance(description, dict):
            raise ValueError("it holds no JSON object")
        return description
    except (OSError, ValueError) as error:
        raise UserError("cannot read the sidecar {}: {}".format(path, error)) from error


def expand_globs(patterns: str) -> List[str]:
    """The existing files that a comma-separated list of names and globs stands for, sorted, each once.

    Raises:
      UserError: a pattern that no file matches.
    """
    paths = set()
    for pattern in filter(None, (part.strip() for part in patterns.split(","))):
        names = [pattern] if os.path.exists(pattern) else glob.glob(pattern)  # a name may hold brackets
        found = [path for path in names if os.path.isfile(path) and _TEMPORARY_MARK not in path]
        if not found:
            raise UserError("no file matches {}".format(pattern))
        paths.update(found)
    if not paths:
        raise UserError("no input file was named")
    return sorted(paths)
