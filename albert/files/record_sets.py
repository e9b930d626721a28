"""Sets of record files: names of shards, the sidecar and the journal beside them, and globs of input files."""

from __future__ import annotations

import functools
import glob
import os
import re
from typing import Any, Dict, List, Optional, Sequence

from albert.base.errors import UserError
from albert.files.complete import is_unfinished
from albert.files.json_reading import Description, read_description
from albert.files.tfrecords import count_records, most_records

JOURNAL_SUFFIX = ".partial.jsonl"
_LONGEST_SEQUENCE = 1 << 20
_SHARD_SUFFIX = re.compile(r"-\d{5,}-of-\d{5,}(?=(\.[^./\\]*)?$)")


def shard_paths(output_file: str, num_shards: int) -> List[str]:
    """The paths of the shards: `output_file` itself if there is one, else `name-00000-of-00002.ext`, ….

    The number stands before the extension, so that a glob such as `data/tf*.tfrecord` finds every shard.
    """
    if num_shards == 1:
        return [output_file]
    stem, extension = os.path.splitext(output_file)
    return ["{}-{:05d}-of-{:05d}{}".format(stem, shard, num_shards, extension) for shard in range(num_shards)]


def data_set_path(record_file: str) -> str:
    """The path that names a record file, or the set of shards to which it belongs."""
    return _SHARD_SUFFIX.sub("", record_file)


def journal_path(record_file: str) -> str:
    """The path of the journal that lies beside a set of record files until the set is complete."""
    return data_set_path(record_file) + JOURNAL_SUFFIX


def sidecar_path(record_file: str) -> str:
    """The path of the JSON file that describes a record file, or the set of shards to which it belongs."""
    return data_set_path(record_file) + ".json"


def read_sidecar(record_file: str) -> Optional[Dict[str, Any]]:
    """Reads the description beside a record file; None if there is none (files of other implementations).

    It is read once for all shards of a set, as long as the file does not change: do not modify the result.

    Raises:
      UserError: the file cannot be read or is no JSON object.
    """
    path = sidecar_path(record_file)
    try:
        state = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _read_description(path, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=16)
def _read_description(path: str, mtime_ns: int, size: int) -> Dict[str, Any]:
    del mtime_ns, size  # they distinguish versions of the file
    return dict(read_description(path, "a sidecar of records").values)


def sidecar_parts(record_file: str, sidecar: Dict[str, Any]) -> Description:
    """The content of a sidecar of records, whose sizes were checked, for reading by key and type.

    Raises:
      UserError: the lengths, the vocabulary's size or the list of shards are missing or of another type.
    """
    parts = Description(sidecar)
    try:
        settings = parts.section("settings")
        for name in ("max_seq_length", "max_predictions_per_seq"):
            settings.count(name, least=1, most=_LONGEST_SEQUENCE)
        parts.section("vocabulary").count("size", least=1)
        parts.sections("shards")
    except UserError as error:
        raise _no_sidecar(record_file, error) from error
    return parts


def _no_sidecar(record_file: str, error: UserError) -> UserError:
    return UserError("{} is not a sidecar of records: {}".format(sidecar_path(record_file), error))


def described_shard(path: str, sidecar: Optional[Dict[str, Any]]) -> Optional[Dict[str, Any]]:
    """The entry of one file in the description of its set: name, bytes and records; None if there is no entry.

    Raises:
      UserError: the list of files is none.
    """
    description = Description(sidecar or {})
    try:
        shards = description.sections("shards") if "shards" in description else []
        found = next((shard for shard in shards if shard.text("file") == os.path.basename(path)), None)
        return (
            None
            if found is None
            else {"file": found.text("file"), "bytes": found.count("bytes"), "records": found.count("records")}
        )
    except UserError as error:
        raise _no_sidecar(path, error) from error


def record_counts(paths: Sequence[str]) -> List[int]:
    """Counts the records of complete files; takes the numbers of their descriptions, since counting means unpacking.

    Raises:
      UserError: a file is damaged, or is described as one of more records than its bytes can hold.
    """
    sidecars: Dict[str, Optional[Dict[str, Any]]] = {}  # all shards of a set share one
    counts = []
    for path in paths:
        described_at = sidecar_path(path)
        if described_at not in sidecars:
            sidecars[described_at] = read_sidecar(path)
        shard = described_shard(path, sidecars[described_at])
        counts.append(count_records(path) if shard is None else _possible_count(path, shard["records"]))
    return counts


def _possible_count(path: str, described: int) -> int:
    most = most_records(path)
    if described > most:
        raise UserError(
            "{} says that {} has {:,} records, but {:,} at most fit into its bytes: make both again, or remove the "
            "sidecar".format(sidecar_path(path), path, described, most)
        )
    return described


def _matches(pattern: str) -> List[str]:
    """The paths that a pattern stands for; what exists by its whole name is none, as the folder of data[1]/*.txt."""
    there, before = pattern, ""
    while there != before and not os.path.lexists(there):
        there, before = os.path.dirname(there), there
    return [pattern] if there == pattern else glob.glob(glob.escape(there) + pattern[len(there) :])


def expand_globs(patterns: str) -> List[str]:
    """Expands a comma-separated list of names and globs to the existing files, sorted, each once.

    Raises:
      UserError: no file matches a pattern, it is a folder, or there is none.
    """
    paths = set()
    for pattern in filter(None, (part.strip() for part in patterns.split(","))):
        found = [path for path in _matches(pattern) if os.path.isfile(path) and not is_unfinished(path)]
        if not found and os.path.isdir(pattern):
            raise UserError(
                "{} is a folder: name its files, for example {}".format(pattern, os.path.join(pattern, "*"))
            )
        if not found:
            raise UserError("no file matches {}".format(pattern))
        paths.update(found)
    if not paths:
        raise UserError("no input file was named")
    return sorted(paths)
