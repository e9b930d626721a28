"""TFRecord files: complete-or-absent files, the frames of records, shard names and sidecars.

Free of TensorFlow, so that a data worker starts at once and stays small. The format is fixed and public: a frame gives
the length of its record and two masked CRC-32C checksums.
"""

from __future__ import annotations

import glob
import json
import os
import re
import struct
from typing import Any, Dict, Iterable, Iterator, List, Optional, Tuple

import google_crc32c

from errors import UserError

_FRAME_HEADER = struct.Struct("<QI")  # length of the record, checksum of the length
_FRAME_FOOTER = struct.Struct("<I")  # checksum of the record
_CRC_MASK_DELTA = 0xA282EAD8
_SHARD_SUFFIX = re.compile(r"-\d{5,}-of-\d{5,}(?=(\.[^./\\]*)?$)")
_TEMPORARY_MARK = ".unfinished-"


class CompleteFile:
    """Opens a temporary file beside `path` and gives it the final name only when the block ends without an error.

    Raises:
      UserError: the folder cannot be made or written, or the disk is full.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._temporary_path = "{}{}{}".format(path, _TEMPORARY_MARK, os.getpid())
        self._file: Any = None

    def __enter__(self) -> "CompleteFile":
        try:
            os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
            self._file = open(self._temporary_path, "wb")  # noqa: SIM115 (closed in __exit__)
        except OSError as error:
            raise _cannot_write(self.path, error) from error
        return self

    def write(self, data: bytes) -> None:
        """Appends bytes."""
        try:
            self._file.write(data)
        except OSError as error:
            raise _cannot_write(self.path, error) from error

    def __exit__(self, error_type: Any, error: Any, traceback: Any) -> None:
        try:
            self._file.close()
            if error_type is None:
                os.replace(self._temporary_path, self.path)
        except OSError as close_error:
            raise _cannot_write(self.path, close_error) from close_error
        finally:
            if os.path.exists(self._temporary_path):
                os.remove(self._temporary_path)


def _cannot_write(path: str, error: OSError) -> UserError:
    return UserError("cannot write {}: {}; nothing was left under that name".format(path, error.strerror))


def remove_unfinished(path: str) -> None:
    """Removes what a killed process left of `path` under a temporary name."""
    for unfinished in glob.glob(glob.escape(path + _TEMPORARY_MARK) + "*"):
        os.remove(unfinished)


def write_json(path: str, value: Any) -> None:
    """Writes JSON, readable and complete or absent."""
    with CompleteFile(path) as file:
        file.write((json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8"))


def write_records(path: str, records: Iterable[bytes]) -> int:
    """Writes a TFRecord file, complete or absent, and returns the number of its records."""
    count = 0
    with CompleteFile(path) as file:
        for record in records:
            length = struct.pack("<Q", len(record))
            file.write(length + _FRAME_FOOTER.pack(_masked_crc(length)) + record)
            file.write(_FRAME_FOOTER.pack(_masked_crc(record)))
            count += 1
    return count


def _masked_crc(data: bytes) -> int:
    crc = google_crc32c.value(data)
    return ((crc >> 15 | crc << 17) + _CRC_MASK_DELTA) & 0xFFFFFFFF


def record_spans(path: str) -> Iterator[Tuple[int, int]]:
    """Walks the frames of a TFRecord file without reading its records; yields (offset, length) of each record.

    Raises:
      UserError: the file is absent, cut off, or no TFRecord file.
    """
    try:
        file_size = os.path.getsize(path)
        with open(path, "rb") as file:
            offset = 0
            while offset < file_size:
                file.seek(offset)
                header = file.read(_FRAME_HEADER.size)
                offset += _FRAME_HEADER.size
                if len(header) < _FRAME_HEADER.size:
                    raise _damaged(path)
                length, length_crc = _FRAME_HEADER.unpack(header)
                end = offset + length + _FRAME_FOOTER.size
                if length_crc != _masked_crc(header[:8]) or end > file_size:
                    raise _damaged(path)
                yield offset, length
                offset = end
    except OSError as error:
        raise UserError("cannot read {}: {}".format(path, error.strerror)) from error


def _damaged(path: str) -> UserError:
    return UserError("{} is cut off or no TFRecord file: make it again".format(path))


def count_records(path: str) -> int:
    """The number of records of a TFRecord file (raises as `record_spans`)."""
    return sum(1 for _ in record_spans(path))


def first_record(path: str) -> Optional[bytes]:
    """The first record of a TFRecord file, or None where it has none (raises as `record_spans`)."""
    for offset, length in record_spans(path):
        with open(path, "rb") as file:
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


def sidecar_path(record_file: str) -> str:
    """The path of the JSON file that describes a record file or the set of shards it belongs to."""
    return _SHARD_SUFFIX.sub("", record_file) + ".json"


def read_sidecar(record_file: str) -> Optional[Dict[str, Any]]:
    """The description beside a record file, or None where there is none (files of other implementations)."""
    path = sidecar_path(record_file)
    if not os.path.exists(path):
        return None
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
