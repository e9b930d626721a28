"""The files of a pre-training data set beside its shards: the sidecar of a complete one, the journal of a partial one.

The sidecar (`record_files.sidecar_path`) is written last and says what the records were made of and with. Until then a
journal of JSON lines holds the same description and the shards that are finished, so that a run can be taken up again.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from errors import UserError
from pretraining_shards import COUNTS, DROP_REASONS, ShardResult
from record_files import CompleteFile, read_sidecar, sidecar_path, write_json

FORMAT_VERSION = 2
_JOURNAL_SUFFIX = ".partial.jsonl"


class _Previous(NamedTuple):
    """What an earlier run left: the file that tells of it, its description, its finished shards."""

    path: str
    description: Dict[str, Any]
    shards: List[ShardResult]


def journal_path(output_file: str) -> str:
    """The path of the journal of a data set that is not complete."""
    return output_file + _JOURNAL_SUFFIX


def claim(
    output_files: Sequence[str], shard_paths: Sequence[str], description: Mapping[str, Any], *, overwrite: bool
) -> Dict[str, ShardResult]:
    """Looks at what stands where a data set is to be written, and starts its journal.

    Args:
      output_files: the record files as the user named them, the training one first.
      shard_paths: all files that are to be made.
      description: everything that decides their bytes.
      overwrite: whether what was made with other settings may be replaced.

    Returns:
      By path, the shards that an earlier run with the same description finished.

    Raises:
      UserError: there is something else, and `overwrite` is off.
    """
    previous = list(_previous_runs(output_files))
    _check_replaceable(previous, shard_paths, description, overwrite)
    same = []
    for run in previous:
        if first_difference(run.description, description):
            _remove(run)
        else:
            same.append(run)
    finished = {
        shard.path: shard
        for run in same
        for shard in run.shards
        if os.path.isfile(shard.path) and os.path.getsize(shard.path) == shard.num_bytes
    }
    _start_journal(journal_path(output_files[0]), description, finished.values())
    return finished


def _check_replaceable(
    previous: Sequence[_Previous], shard_paths: Sequence[str], description: Mapping[str, Any], overwrite: bool
) -> None:
    problems = []
    for run in previous:
        difference = first_difference(run.description, description)
        if difference:
            problems.append("{} was made with other settings ({})".format(run.path, difference))
    if not previous:
        problems = [
            "{} exists and nothing tells how it was made".format(path) for path in shard_paths if os.path.exists(path)
        ]
    if problems and not overwrite:
        raise UserError("{}: name another --output_file or give --overwrite".format(problems[0]))


def _previous_runs(output_files: Sequence[str]) -> Iterator[_Previous]:
    journal = _read_journal(journal_path(output_files[0]))
    if journal is not None and journal.shards:  # one without shards holds nothing to lose or to take up
        yield journal
    for output_file in output_files:
        sidecar = read_sidecar(output_file)
        if sidecar is not None:
            path = sidecar_path(output_file)
            is_ours = sidecar.get("format_version") == FORMAT_VERSION
            shards = [_parse_shard(path, entry) for entry in sidecar["shards"]] if is_ours else []
            yield _Previous(path, sidecar, shards)


def _remove(run: _Previous) -> None:
    for path in [shard.path for shard in run.shards] + [run.path]:
        if os.path.exists(path):
            os.remove(path)


def first_difference(made: Mapping[str, Any], asked: Mapping[str, Any]) -> Optional[str]:
    """Names the first thing that two descriptions do not share ("max_seq_length 128, not 512"), or None."""
    made_values = dict(_flatten({name: made.get(name) for name in asked}))
    asked_values = dict(_flatten(asked))
    for name in list(asked_values) + list(made_values):
        if made_values.get(name) != asked_values.get(name):
            return "{} {}, not {}".format(name, made_values.get(name), asked_values.get(name))
    return None


def _flatten(value: Any, name: str = "") -> Iterator[Tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key in value:
            yield from _flatten(value[key], key if name in ("", "settings") else "{} {}".format(name, key))
    elif isinstance(value, list) and value and isinstance(value[0], Mapping):
        for number, entry in enumerate(value, start=1):
            yield from _flatten(entry, "{} {}".format(name, number))
    else:
        yield name, value


def _start_journal(path: str, description: Mapping[str, Any], finished: Iterable[ShardResult]) -> None:
    with CompleteFile(path) as file:
        for entry in [description] + [_shard_entry(shard, os.path.dirname(path)) for shard in finished]:
            file.write(_json_line(entry))


def add_to_journal(output_file: str, shard: ShardResult) -> None:
    """Notes that a shard is finished."""
    path = journal_path(output_file)
    try:
        with open(path, "ab") as file:
            file.write(_json_line(_shard_entry(shard, os.path.dirname(path))))
    except OSError as error:
        raise UserError("cannot write {}: {}".format(path, error.strerror)) from error


def _read_journal(path: str) -> Optional[_Previous]:
    if not os.path.exists(path):
        return None
    try:
        with open(path, "rb") as file:
            # A killed process may leave half a line at the end.
            entries = [json.loads(line.decode("utf-8")) for line in file if line.endswith(b"\n")]
    except (OSError, ValueError) as error:
        raise UserError("cannot read the journal {}: remove it to begin anew ({})".format(path, error)) from error
    return _Previous(path, entries[0], [_parse_shard(path, entry) for entry in entries[1:]])


def _json_line(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8")


def _shard_entry(shard: ShardResult, folder: str) -> Dict[str, Any]:
    return {
        "file": os.path.relpath(shard.path, folder or "."),
        "records": shard.counts["examples"],
        "bytes": shard.num_bytes,
        "counts": shard.counts,
    }


def _parse_shard(described_by: str, entry: Mapping[str, Any]) -> ShardResult:
    return ShardResult(
        os.path.normpath(os.path.join(os.path.dirname(described_by), entry["file"])), entry["bytes"], entry["counts"]
    )


def total_counts(shards: Iterable[ShardResult]) -> Dict[str, Any]:
    """The counts of all shards together, with the share of unknown tokens and the drops by reason."""
    sums: Counter = Counter()
    for shard in shards:
        sums.update(shard.counts)
    counts: Dict[str, Any] = {name: sums[name] for name in COUNTS}
    counts["unknown_share"] = sums["unknown_tokens"] / sums["tokens"] if sums["tokens"] else 0.0
    counts["dropped"] = {reason: sums[reason] for reason in DROP_REASONS}
    return counts


def write_sidecar(output_file: str, content: str, description: Mapping[str, Any], shards: List[ShardResult]) -> None:
    """Describes a complete data set; `content` is features.TRAINING or HELD_OUT."""
    path = sidecar_path(output_file)
    write_json(
        path,
        {
            **description,
            "content": content,
            "counts": total_counts(shards),
            "shards": [_shard_entry(shard, os.path.dirname(path)) for shard in shards],
        },
    )


def finish(output_file: str) -> None:
    """Removes the journal: the sidecars are written."""
    os.remove(journal_path(output_file))


def discard(output_file: str, shards: Iterable[ShardResult]) -> None:
    """Removes the shards and the journal of a data set that is of no use."""
    _remove(_Previous(journal_path(output_file), {}, list(shards)))
