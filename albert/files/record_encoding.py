"""Encoding of records: tf.train.Example for many records at once, without TensorFlow.

The wire format is fixed and public: a protocol buffer map from names to packed lists. The numbers of a column are
encoded for all records together; each record is then a few slices of these bytes behind headers that depend on lengths
alone.
"""

from __future__ import annotations

import functools
from typing import Dict, List, Mapping, NamedTuple, Sequence, Tuple, Union

import numpy as np

from albert.files.features import Feature

_FLOAT_LIST_FIELD = 2  # field numbers of tf.train.Feature
_INT64_LIST_FIELD = 3


class Ragged(NamedTuple):
    """Rows of different lengths: their values one after the other, and the length of each row."""

    values: np.ndarray  # [sum of the lengths], integers or floats
    lengths: np.ndarray  # int64 [rows]


Column = Union[np.ndarray, Ragged]  # of a feature: an array [records, length], or rows of different lengths


def encode_rows(features: Sequence[Feature], rows: Sequence[Mapping[str, Sequence[float]]]) -> List[bytes]:
    """Serializes rows, each with a list of numbers for every feature (raises as `encode_records`)."""
    columns: Dict[str, Column] = {}
    names = {feature.name for feature in features}
    for row in rows:
        if set(row) != names:
            raise ValueError("the record has {}, declared are {}".format(sorted(row), sorted(names)))
    for feature in features:
        values = np.array([number for row in rows for number in row[feature.name]])
        columns[feature.name] = Ragged(
            values if values.size else values.astype(feature.dtype),
            np.array([len(row[feature.name]) for row in rows], np.int64),
        )
    return encode_records(features, columns)


def encode_records(features: Sequence[Feature], columns: Mapping[str, Column]) -> List[bytes]:
    """Serializes records as tf.train.Example, fields in name order, so that equal values give equal bytes.

    Args:
      features: the declaration of a record.
      columns: a column for each feature.

    Raises:
      ValueError: a feature without a column, a column without a feature, or a wrong length.
    """
    if set(columns) != {feature.name for feature in features}:
        raise ValueError(
            "the records have {}, declared are {}".format(sorted(columns), sorted(feature.name for feature in features))
        )
    encoded = [_encode_column(feature, _as_ragged(feature, columns[feature.name])) for feature in sorted(features)]
    return [_length_delimited(1, b"".join(entries)) for entries in zip(*encoded)]


def _as_ragged(feature: Feature, column: Column) -> Ragged:
    if not isinstance(column, Ragged):
        num_rows, length = column.shape
        column = Ragged(column.reshape(-1), np.full(num_rows, length, np.int64))
    if feature.length is not None and (column.lengths != feature.length).any():
        wrong = column.lengths[column.lengths != feature.length][0]
        raise ValueError("{} has {} values, declared are {}".format(feature.name, wrong, feature.length))
    dtype = column.values.dtype
    if feature.dtype == "int64" and (dtype.kind not in "iu" or dtype == np.uint64):
        raise ValueError("{} holds {} values, declared are int64".format(feature.name, dtype))
    return column


def _encode_column(feature: Feature, column: Ragged) -> List[bytes]:
    """The map entry of a feature, for each record."""
    if feature.dtype == "float32":
        field, sizes, packed = _FLOAT_LIST_FIELD, 4 * column.lengths, column.values.astype("<f4").tobytes()
    else:
        field, (sizes, packed) = _INT64_LIST_FIELD, _varints(column)
    entries = []
    start = 0
    for size in sizes.tolist():
        entries.append(_entry_header(feature.name, field, size) + packed[start : start + size])
        start += size
    return entries


def _varints(column: Ragged) -> Tuple[np.ndarray, bytes]:
    """The numbers of a column as varints: the bytes that each row takes, and all bytes."""
    values = column.values.astype(np.uint64)  # negative numbers are their 64-bit two's complement
    largest = int(values.max()) if len(values) else 0
    if largest < 1 << 7:
        return column.lengths, values.astype(np.uint8).tobytes()
    width = -(-largest.bit_length() // 7)
    encoded = np.empty((len(values), width), np.uint8)
    is_used = np.ones((len(values), width + 1), dtype=bool)
    for place in range(width):
        encoded[:, place] = (values & np.uint64(0x7F)) | np.uint64(0x80)
        values = values >> np.uint64(7)
        is_used[:, place + 1] = values > 0
    is_used = is_used[:, :width]
    sizes = is_used.sum(axis=1)
    encoded[np.arange(len(values)), sizes - 1] &= 0x7F
    before = np.concatenate([[0], np.cumsum(sizes)])
    ends = np.cumsum(column.lengths)
    return before[ends] - before[ends - column.lengths], encoded[is_used].tobytes()


@functools.lru_cache(maxsize=1 << 16)
def _entry_header(name: str, list_field: int, size: int) -> bytes:
    """All of a map entry before its `size` bytes of numbers."""
    packed = _header(1, size) if size else b""
    numbers = _header(list_field, len(packed) + size) + packed
    value = _header(2, len(numbers) + size) + numbers
    key = _length_delimited(1, name.encode("utf-8"))
    return _header(1, len(key) + len(value) + size) + key + value


def _length_delimited(field: int, payload: bytes) -> bytes:
    return _header(field, len(payload)) + payload


def _header(field: int, size: int) -> bytes:
    encoded = bytearray([field << 3 | 2])
    while size > 0x7F:
        encoded.append(size & 0x7F | 0x80)
        size >>= 7
    encoded.append(size)
    return bytes(encoded)
