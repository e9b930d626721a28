"""Files beside the shards of a pre-training data set: the sidecar of a complete one, the journal of a partial one.

The sidecar (`record_sets.sidecar_path`) is written last and describes what the records were made from and how. Until
then a journal of JSON lines holds the same description and the finished shards, so that a run can be continued.
"""

from __future__ import annotations

import errno
import json
import os
from collections import Counter
from typing import Any, Dict, Iterable, Iterator, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.files.complete import CompleteFile, remove_unfinished, write_json
from albert.files.json_reading import Description, parse_description
from albert.files.record_sets import (
    JOURNAL_SUFFIX,
    data_set_path,
    journal_path,
    read_sidecar,
    sidecar_parts,
    sidecar_path,
)
from albert.files.space import cannot_write
from albert.pretraining_data.shards import COUNTS, DROP_REASONS, ShardResult

FORMAT_VERSION = 2
_PLANNED = "planned_files"


class _Previous(NamedTuple):
    """Files of an earlier run.

    Attributes:
      path: its sidecar or journal.
      description: everything that decided the bytes of its records.
      shards: the finished ones.
      own_paths: every file that it may have made.
    """

    path: str
    description: Dict[str, Any]
    shards: List[ShardResult]
    own_paths: List[str]


def report_path(output_file: str) -> str:
    """Returns the path of the report of a finished run, in JSON."""
    return data_set_path(output_file) + ".report.json"


def claim_output(
    output_files: Sequence[str], shard_paths: Sequence[str], description: Mapping[str, Any], *, overwrite: bool
) -> Dict[str, ShardResult]:
    """Claims the place of a data set: checks what is there, removes what may be replaced, and starts the journal.

    Args:
      output_files: the record files as the user named them, the training one first.
      shard_paths: all files to make.
      description: everything that decides their bytes.
      overwrite: whether what was made with other settings may be replaced.

    Returns:
      The shards that an earlier run with the same description finished, by path.

    Raises:
      UserError: there are other files, and `overwrite` is off.
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
    _start_journal(journal_path(output_files[0]), description, shard_paths, finished.values())
    return finished


def _check_replaceable(
    previous: Sequence[_Previous], shard_paths: Sequence[str], description: Mapping[str, Any], overwrite: bool
) -> None:
    problems = []
    for run in previous:
        difference = first_difference(run.description, description)
        if difference and _holds_something(run):
            problems.append("{} was made with other settings ({})".format(run.path, difference))
    known = {path for run in previous for path in run.own_paths}
    for path in shard_paths:
        if os.path.exists(path) and path not in known:
            problems.append("{} exists, and nothing says how it was made".format(path))
    if problems and not overwrite:
        raise UserError("{}: name another --output_file or give --overwrite".format(problems[0]))


def _holds_something(run: _Previous) -> bool:
    return not run.path.endswith(JOURNAL_SUFFIX) or any(os.path.exists(path) for path in run.own_paths)


def _previous_runs(output_files: Sequence[str]) -> Iterator[_Previous]:
    journal = _read_journal(journal_path(output_files[0]))
    if journal is not None:
        yield journal
    for output_file in output_files:
        sidecar = read_sidecar(output_file)
        if sidecar is not None:
            path = sidecar_path(output_file)
            is_ours = sidecar.get("format_version") == FORMAT_VERSION
            shards = _parse_shards(path, sidecar_parts(output_file, sidecar).sections("shards")) if is_ours else []
            own_paths = [shard.path for shard in shards] + [report_path(output_file)] * is_ours
            yield _Previous(path, sidecar, shards, own_paths)


def _remove(run: _Previous) -> None:
    for path in run.own_paths:
        remove_unfinished(path)
        if os.path.exists(path):
            os.remove(path)
    if os.path.exists(run.path):
        os.remove(run.path)


def first_difference(made: Mapping[str, Any], asked: Mapping[str, Any]) -> Optional[str]:
    """Returns the first difference of two descriptions ("max_seq_length 128, not 512"), or None."""
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


def _start_journal(
    path: str, description: Mapping[str, Any], planned: Sequence[str], finished: Iterable[ShardResult]
) -> None:
    """Begins the journal; from `planned` a later run knows which files are ours, finished or not."""
    folder = os.path.dirname(path)
    remove_unfinished(path)
    header = {**description, _PLANNED: [_relative_path(shard_path, folder) for shard_path in planned]}
    with CompleteFile(path) as file:
        for entry in [header] + [_shard_entry(shard, folder) for shard in finished]:
            file.write(_json_line(entry))


def add_to_journal(output_file: str, shard: ShardResult) -> None:
    """Adds a finished shard to the journal."""
    path = journal_path(output_file)
    line = _json_line(_shard_entry(shard, os.path.dirname(path)))
    try:
        with open(path, "r+b", buffering=0) as file:
            size = file.seek(0, os.SEEK_END)
            if file.write(line) < len(line):
                file.truncate(size)  # no half line may remain before later ones
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    except OSError as error:
        raise cannot_write(path, error, len(line)) from error


def _read_journal(path: str) -> Optional[_Previous]:
    if not os.path.exists(path):
        return None
    try:
        with open(path, "rb") as file:
            # A killed process may leave half a line at the end.
            lines = [parse_description(line.decode("utf-8")) for line in file if line.endswith(b"\n")]
        header, *entries = lines
        names = header.texts(_PLANNED) if header.values.get(_PLANNED) else ()
        shards = _parse_shards(path, entries)
    except (OSError, ValueError, UserError) as error:
        raise UserError("cannot read the journal {}: remove it to start again ({})".format(path, error)) from error
    planned = [_named_path(path, name) for name in names]
    return _Previous(path, dict(header.values), shards, planned or [shard.path for shard in shards])


def _json_line(value: Mapping[str, Any]) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True) + "\n").encode("utf-8", "backslashreplace")


def _shard_entry(shard: ShardResult, folder: str) -> Dict[str, Any]:
    return {
        "file": _relative_path(shard.path, folder),
        "records": shard.counts["examples"],
        "bytes": shard.num_bytes,
        "counts": shard.counts,
    }


def _parse_shards(described_by: str, entries: Sequence[Description]) -> List[ShardResult]:
    shards = []
    for entry in entries:
        counts = entry.section("counts")
        checked = {name: counts.count(name) for name in counts.values}
        # A sidecar lies beside its shards; a journal may name those of held-out documents in another folder.
        name = entry.text("file") if described_by.endswith(JOURNAL_SUFFIX) else entry.file_name("file")
        shards.append(ShardResult(_named_path(described_by, name), entry.count("bytes"), checked))
    return shards


def _relative_path(path: str, folder: str) -> str:
    return os.path.relpath(path, folder or ".")


def _named_path(described_by: str, name: str) -> str:
    """Returns the path of a file that a sidecar or journal names."""
    return os.path.normpath(os.path.join(os.path.dirname(described_by), name))


def total_counts(shards: Iterable[ShardResult]) -> Dict[str, Any]:
    """Returns the counts of all shards together, with the share of unknown tokens and the drops by reason."""
    sums: Counter = Counter()
    for shard in shards:
        sums.update(shard.counts)
    counts: Dict[str, Any] = {name: sums[name] for name in COUNTS}
    counts["unknown_share"] = sums["unknown_tokens"] / sums["tokens"] if sums["tokens"] else 0.0
    counts["dropped"] = {reason: sums[reason] for reason in DROP_REASONS}
    return counts


def write_sidecar(output_file: str, content: str, description: Mapping[str, Any], shards: List[ShardResult]) -> None:
    """Writes the sidecar of a complete data set; `content` is features.TRAINING or HELD_OUT."""
    path = sidecar_path(output_file)
    entries = [_shard_entry(shard, os.path.dirname(path)) for shard in shards]
    remove_unfinished(path)
    write_json(path, {**description, "content": content, "counts": total_counts(shards), "shards": entries})


def finish_output(output_file: str) -> None:
    """Removes the journal, once the sidecars are written."""
    os.remove(journal_path(output_file))


def discard_output(output_file: str) -> None:
    """Removes the journal of a useless data set, and every file that was planned in it."""
    journal = _read_journal(journal_path(output_file))
    if journal is not None:
        _remove(journal)
