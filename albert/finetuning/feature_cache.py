"""Cache of encoded rows: a TFRecord file of each split, which a later run may use again.

A file is named by what made it: rows, vocabulary, settings. It counts only together with its sidecar, which is written
last, so neither a run that was killed nor other data or flags can be mistaken for it.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import logging
import os
import re
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence

from albert.base.errors import UserError
from albert.files.complete import remove_unfinished, write_json
from albert.files.features import Feature
from albert.files.reading import describe_files
from albert.files.record_encoding import encode_rows
from albert.files.record_sets import read_sidecar, sidecar_path
from albert.files.tfrecords import count_records, write_records
from albert.text.sequences import EncodedPair
from tokenization import FullTokenizer

_log = logging.getLogger(__name__)

FORMAT_VERSION = 1  # to be raised with any change in tokenization, truncation or the record
_CONTENT = "fine-tuning features"
_RECORDS_AT_ONCE = 1024


class EncodedRecord(NamedTuple):
    """Record of a row, or of a part of it where rows are longer than the model's sequences.

    Attributes:
      values: of the record, by the names of its features.
      sequences: what it holds for the model to read: one sequence, or one for each choice.
    """

    values: Dict[str, List[int]]
    sequences: Sequence[EncodedPair]


class RecordEncoder(NamedTuple):
    """Encoder of rows as records.

    Attributes:
      features: the declaration of a record.
      records: rows -> their records in order, a row's one after the other.
      settings: all that the records depend on beside rows and tokenizer, as JSON.
      tokenizer: makes the ids.
      noun: what a record is called, in the plural.
    """

    features: Sequence[Feature]
    records: Callable[[Sequence[Any]], Iterable[EncodedRecord]]
    settings: Dict[str, Any]
    tokenizer: FullTokenizer
    noun: str = "rows"


class CachedFeatures(NamedTuple):
    """File of encoded rows.

    Attributes:
      path: TFRecord file, one record per row, or per part of a row, in the order of the rows.
      num_rows: how many records.
      num_truncated: how many of them lost tokens to max_seq_length.
      unknown_share: share of [UNK] among the tokens of the texts, 0 to 1.
      max_length, mean_length: tokens of a record, special ones included; with choices, those of one of them.
    """

    path: str
    num_rows: int
    num_truncated: int
    unknown_share: float
    max_length: int
    mean_length: float


def cached_features(
    rows: Sequence[Any],
    *,
    encoder: RecordEncoder,
    split: str,
    source_files: Sequence[str],
    cache_dir: str,
) -> CachedFeatures:
    """Encodes rows into a file in `cache_dir`, or finds the file that an earlier run made of the same.

    Files that other data or settings left there for the same split are removed.

    Args:
      rows: what is encoded, at least one row: tuples of what JSON can hold.
      encoder: how.
      split: "train", "dev" or "test".
      source_files: where the rows were read from.
      cache_dir: made if absent.

    Raises:
      UserError: a file cannot be read or written, or sequences are to be too short.
    """
    if not rows:
        raise ValueError("there are no rows to encode")
    made_of = _description(rows, encoder, split, source_files)
    path = os.path.join(cache_dir, "{}-{}.tfrecord".format(split, _key(made_of)))
    features = _find(path, made_of)
    action = "reused" if features else "made"
    if features is None:
        features = _make(path, rows, encoder)
        write_json(sidecar_path(path), {"content": _CONTENT, "made_of": made_of, "counts": _counts_of(features)})
    _remove_others(cache_dir, split, path)
    _report(split, encoder.noun, features, action)
    return features


def _description(
    rows: Sequence[Any], encoder: RecordEncoder, split: str, source_files: Sequence[str]
) -> Dict[str, Any]:
    return {
        **encoder.settings,
        "format_version": FORMAT_VERSION,
        "split": split,
        "source_files": describe_files(source_files),
        # The rows may be a part of the files, and a file may have changed since it was read.
        "rows_sha256": _hash_rows(rows),
        "vocabulary_sha256": encoder.tokenizer.vocab_hash,
        "do_lower_case": encoder.tokenizer.basic_tokenizer.do_lower_case,
    }


def _hash_rows(rows: Sequence[Any]) -> str:
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
    """Statistics of encoded records, counted as they pass."""

    def __init__(self, unk_id: int) -> None:
        self._unk_id = unk_id
        self.rows = 0
        self.sequences = 0
        self.truncated = 0
        self.tokens = 0
        self.text_tokens = 0
        self.unknown = 0
        self.longest = 0

    def add(self, sequences: Sequence[EncodedPair]) -> None:
        """Counts one record."""
        self.rows += 1
        self.truncated += any(encoded.was_truncated for encoded in sequences)
        for encoded in sequences:
            length = len(encoded.input_ids)
            num_special = 3 if encoded.segment_ids[-1] else 2
            self.sequences += 1
            self.tokens += length
            self.text_tokens += length - num_special
            self.unknown += encoded.input_ids.count(self._unk_id)
            self.longest = max(self.longest, length)


def _make(path: str, rows: Sequence[Any], encoder: RecordEncoder) -> CachedFeatures:
    tally = _Tally(encoder.tokenizer.unk_id)
    remove_unfinished(path)
    write_records(path, _serialized(encoder, rows, tally))
    return CachedFeatures(
        path=path,
        num_rows=tally.rows,
        num_truncated=tally.truncated,
        unknown_share=tally.unknown / max(1, tally.text_tokens),
        max_length=tally.longest,
        mean_length=tally.tokens / tally.sequences,
    )


def _serialized(encoder: RecordEncoder, rows: Sequence[Any], tally: _Tally) -> Iterator[bytes]:
    records = iter(encoder.records(rows))
    while True:
        some = list(itertools.islice(records, _RECORDS_AT_ONCE))
        if not some:
            return
        for record in some:
            tally.add(record.sequences)
        yield from encode_rows(encoder.features, [record.values for record in some])


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


def _report(split: str, noun: str, features: CachedFeatures, action: str) -> None:
    _log.info(
        "%s: %s %s, %.1f tokens on average, %d at most, %.2f %% of the %s truncated, %.2f %% of the tokens unknown"
        " (%s %s)",
        split,
        format(features.num_rows, ","),
        noun,
        features.mean_length,
        features.max_length,
        100.0 * features.num_truncated / features.num_rows,
        noun,
        100.0 * features.unknown_share,
        action,
        features.path,
    )
