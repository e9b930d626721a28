"""Sets of record files: the names of shards, the sidecar and the journal beside them, and globs of input files."""

from __future__ import annotations

import functools
import glob
import json
import os
import re
from typing import Any, Dict, List, Optional, Sequence

from albert.base.errors import UserError
from albert.files.complete import is_unfinished
from albert.files.tfrecords import count_records

JOURNAL_SUFFIX = ".partial.jsonl"
_SHARD_SUFFIX = re.compile(r"-\d{5,}-of-\d{5,}(?=(\.[^./\\]*)?$)")


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


def expand_globs(patterns: str) -> List[str]:
    """The existing files that a comma-separated list of names and globs stands for, sorted, each once.

    Raises:
      UserError: a pattern that no file matches.
    """
    paths = set()
    for pattern in filter(None, (part.strip() for part in patterns.split(","))):
        names = [pattern] if os.path.exists(pattern) else glob.glob(pattern)  # a name may hold brackets
        found = [path for path in names if os.path.isfile(path) and not is_unfinished(path)]
        if not found:
            raise UserError("no file matches {}".format(pattern))
        paths.update(found)
    if not paths:
        raise UserError("no input file was named")
    return sorted(paths)
