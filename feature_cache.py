"""The encoded rows of a split as a TFRecord file that a later run may use again.

A file is named by what made it: rows, vocabulary, settings. It counts only together with its sidecar, which is written
last, so neither a run that was killed nor other data or flags can be mistaken for it.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import logging
import os
import re
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence

from classification_features import EncodedPair, features_of, interleave, join_ids, text_ids
from corpus import describe_files
from errors import UserError
from features import CLASSIFICATION_FEATURES
from record_encoding import encode_rows
from record_files import (
    count_records,
    read_sidecar,
    remove_unfinished,
    sidecar_path,
    write_json,
    write_records,
)
from task_rows import Row
from tasks import Task
from tokenization import FullTokenizer

_logger = logging.getLogger(__name__)

FORMAT_VERSION = 1  # to be raised with any change in tokenization, truncation or the record
_CONTENT = "classification features"
_ROWS_AT_ONCE = 1024
# A short text costs about a kilobyte at most; long ones hardly ever come back.
_MAX_REMEMBERED_TEXTS = 1 << 16
_MAX_REMEMBERED_LENGTH = 64


class CachedFeatures(NamedTuple):
    """A file of encoded rows.

    Attributes:
      path: TFRecord file, one record of features.CLASSIFICATION_FEATURES per row, in the order of the rows.
      num_rows: how many.
      num_truncated: how many rows lost tokens to max_seq_length.
      unknown_share: share of [UNK] among the tokens of the texts, 0 to 1.
      max_length, mean_length: tokens of a row, special ones included; of a row with choices, those of one of them.
    """

    path: str
    num_rows: int
    num_truncated: int
    unknown_share: float
    max_length: int
    mean_length: float


def cached_features(
    rows: Sequence[Row],
    *,
    task: Task,
    split: str,
    source_files: Sequence[str],
    tokenizer: FullTokenizer,
    max_seq_length: int,
    cache_dir: str,
) -> CachedFeatures:
    """Encodes rows into a file in `cache_dir`, or finds the file that an earlier run made of the same.

    Files that other data or settings left there for the same split are removed.

    Args:
      rows: what is encoded, at least one row.
      task: its name and labels.
      split: "train", "dev" or "test".
      source_files: where the rows were read from.
      tokenizer: makes the ids.
      max_seq_length: the most tokens of a row.
      cache_dir: made if absent.

    Raises:
      UserError: a file cannot be read or written, or `max_seq_length` is too short.
    """
    if not rows:
        raise ValueError("there are no rows to encode")
    made_of = _description(rows, task, split, source_files, tokenizer, max_seq_length)
    path = os.path.join(cache_dir, "{}-{}.tfrecord".format(split, _key(made_of)))
    features = _find(path, made_of)
    action = "reused" if features else "made"
    if features is None:
        features = _make(path, rows, task.labels, tokenizer, max_seq_length)
        write_json(sidecar_path(path), {"content": _CONTENT, "made_of": made_of, "counts": _counts_of(features)})
    _remove_others(cache_dir, split, path)
    _log(split, features, action)
    return features


def _description(
    rows: Sequence[Row],
    task: Task,
    split: str,
    source_files: Sequence[str],
    tokenizer: FullTokenizer,
    max_seq_length: int,
) -> Dict[str, Any]:
    return {
        "format_version": FORMAT_VERSION,
        "task": task.name,
        "labels": list(task.labels),
        "split": split,
        "source_files": describe_files(source_files),
        # The rows may be a part of the files, and a file may have changed since it was read.
        "rows_sha256": _hash_rows(rows),
        "vocabulary_sha256": tokenizer.vocab_hash,
        "do_lower_case": tokenizer.basic_tokenizer.do_lower_case,
        "max_seq_length": max_seq_length,
    }


def _hash_rows(rows: Sequence[Row]) -> str:
    digest = hashlib.sha256()
    for row in rows:
        digest.update(json.dumps(row).encode("ascii"))
    return digest.hexdigest()


def _key(made_of: Dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode("ascii")).hexdigest()[:16]


def _find(path: str, made_of: Dict[str, Any]) -> Optional[CachedFeatures]:
    """The complete file of an earlier run, or None."""
    try:
        sidecar = _read_own_sidecar(path)
        if sidecar is None or sidecar.get("made_of") != made_of:
            return None
        features = CachedFeatures(path=path, **sidecar["counts"])
        return features if count_records(path) == features.num_rows else None
    except (UserError, KeyError, TypeError):  # cut off, or not as this version writes it: made again
        return None


def _read_own_sidecar(path: str) -> Optional[Dict[str, Any]]:
    sidecar = read_sidecar(path)
    return sidecar if isinstance(sidecar, dict) and sidecar.get("content") == _CONTENT else None


def _counts_of(features: CachedFeatures) -> Dict[str, Any]:
    counts = features._asdict()
    del counts["path"]
    return dict(counts)


class _Tally:
    """Counts encoded rows as they pass."""

    def __init__(self, unk_id: int) -> None:
        self._unk_id = unk_id
        self.rows = 0
        self.sequences = 0
        self.truncated = 0
        self.tokens = 0
        self.text_tokens = 0
        self.unknown = 0
        self.longest = 0

    def add(self, choices: Sequence[EncodedPair]) -> None:
        """Counts one row: its sequences, one unless it has choices."""
        self.rows += 1
        self.truncated += any(encoded.was_truncated for encoded in choices)
        for encoded in choices:
            length = len(encoded.input_ids)
            num_special = 3 if encoded.segment_ids[-1] else 2
            self.sequences += 1
            self.tokens += length
            self.text_tokens += length - num_special
            self.unknown += encoded.input_ids.count(self._unk_id)
            self.longest = max(self.longest, length)


def _make(
    path: str, rows: Sequence[Row], labels: Sequence[str], tokenizer: FullTokenizer, max_seq_length: int
) -> CachedFeatures:
    tally = _Tally(tokenizer.unk_id)
    remove_unfinished(path)
    write_records(path, _records(rows, labels, tokenizer, max_seq_length, tally))
    return CachedFeatures(
        path=path,
        num_rows=tally.rows,
        num_truncated=tally.truncated,
        unknown_share=tally.unknown / max(1, tally.text_tokens),
        max_length=tally.longest,
        mean_length=tally.tokens / tally.sequences,
    )


def _records(
    rows: Sequence[Row], labels: Sequence[str], tokenizer: FullTokenizer, max_seq_length: int, tally: _Tally
) -> Iterator[bytes]:
    ids_of = _remembering(tokenizer)
    for first in range(0, len(rows), _ROWS_AT_ONCE):
        values = []
        for row in rows[first : first + _ROWS_AT_ONCE]:
            choices = [
                join_ids(tokenizer, ids_of(row.text_a), None if text is None else ids_of(text), max_seq_length)
                for text in row.choices or (row.text_b,)
            ]
            tally.add(choices)
            encoded = interleave(choices, tokenizer.pad_id) if row.choices else choices[0]
            values.append(features_of(row, encoded, labels))
        yield from encode_rows(CLASSIFICATION_FEATURES, values)


def _remembering(tokenizer: FullTokenizer) -> Callable[[str], List[int]]:
    """Text to ids; a short text that was seen not long ago is not cut again."""
    remembered = functools.lru_cache(maxsize=_MAX_REMEMBERED_TEXTS)(functools.partial(text_ids, tokenizer))
    return lambda text: remembered(text) if len(text) <= _MAX_REMEMBERED_LENGTH else text_ids(tokenizer, text)


def _remove_others(cache_dir: str, split: str, path: str) -> None:
    """Removes this module's other files of a split: the name and the sidecar must both say that they are its own."""
    own_name = re.compile(re.escape(split) + r"-[0-9a-f]{16}\.tfrecord\.json")
    for name in os.listdir(cache_dir):
        sidecar = os.path.join(cache_dir, name)
        other = sidecar[: -len(".json")]
        if own_name.fullmatch(name) and other != path and _is_own(other):
            # The sidecar goes last: what is left of an interrupted removal is still known as this module's. A file that
            # cannot be removed does no harm.
            with contextlib.suppress(OSError):
                remove_unfinished(other)
                if os.path.exists(other):
                    os.remove(other)
                os.remove(sidecar)


def _is_own(path: str) -> bool:
    try:
        return _read_own_sidecar(path) is not None
    except UserError:
        return False


def _log(split: str, features: CachedFeatures, action: str) -> None:
    _logger.info(
        "%s: %s rows, %.1f tokens on average, %d at most, %.2f %% of the rows truncated, %.2f %% of the tokens unknown"
        " (%s %s)",
        split,
        format(features.num_rows, ","),
        features.mean_length,
        features.max_length,
        100.0 * features.num_truncated / features.num_rows,
        100.0 * features.unknown_share,
        action,
        features.path,
    )
