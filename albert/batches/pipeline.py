"""tf.data input pipelines: parsing, full shuffles, held-out records, length buckets, padding.

Each function returns an `input_fn(params)` for TPUEstimator, which passes the batch size as params["batch_size"].
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

import numpy as np
import tensorflow.compat.v1 as tf

from albert.batches.dynamic_masking import DynamicMasking, masked_batches
from albert.batches.length_buckets import BucketedOrder
from albert.batches.order import RecordFiles, Tensor, shuffled_records
from albert.files.features import Feature, pretraining_features
from albert.files.literal_paths import literal_path
from albert.files.record_sets import record_counts
from albert.files.tfrecords import GZIP, NO_COMPRESSION, compression_of

InputFn = Callable[[Dict[str, Any]], tf.data.Dataset]
# From the lengths of all rows to the numbers of rows in the order in which batches take them.
RowOrder = Callable[[Tensor], tf.data.Dataset]

_SHUFFLED_AT_ONCE = 1 << 14  # pre-training records; about 40 MB at length 512
_PARALLEL_CALLS = 2
_TENSORFLOW_COMPRESSION = {NO_COMPRESSION: "", GZIP: "GZIP"}
_PADDING_ROW = -1  # row_index of rows that only fill the last batch on a TPU


class HeldOut(NamedTuple):
    """Held-out records of a file: every `period`-th, the middle one of each period."""

    period: int

    @property
    def remainder(self) -> int:
        """Place of the held-out record in its period; the middle, so that a file of one record is still trained on."""
        return self.period // 2

    def count(self, num_records: int) -> int:
        """Number of held-out records in a file of `num_records`."""
        return (num_records + self.period - 1 - self.remainder) // self.period


def _parse(
    features: Sequence[Feature], parse_example: Callable = tf.io.parse_single_example
) -> Callable[[Tensor], Dict[str, Tensor]]:
    """Function from a serialized record, or a batch of them, to its tensors; ids as int32 (TPUs have no int64)."""
    spec = {}
    for feature in features:
        dtype = tf.int64 if feature.dtype == "int64" else tf.float32
        spec[feature.name] = (
            tf.io.VarLenFeature(dtype) if feature.length is None else tf.io.FixedLenFeature([feature.length], dtype)
        )

    def parse(record: Tensor) -> Dict[str, Tensor]:
        example = parse_example(record, spec)
        for name, value in example.items():
            value = tf.sparse.to_dense(value) if isinstance(value, tf.SparseTensor) else value
            example[name] = tf.cast(value, tf.int32) if value.dtype == tf.int64 else value
        return example

    return parse


def pretraining_input_fn(
    paths: Sequence[str],
    *,
    max_seq_length: int,
    max_predictions_per_seq: int,
    is_training: bool,
    seed: int,
    held_out: Optional[HeldOut] = None,
    drop_remainder: bool = False,
    dynamic: Optional[DynamicMasking] = None,
    start_step: int = 0,
) -> InputFn:
    """Builds the input function for batches of pre-training records.

    Args:
      paths: TFRecord files, plain or gzip-compressed.
      max_seq_length, max_predictions_per_seq: the sizes that the records were made for.
      is_training: endless, every record once per epoch, shuffled; otherwise each record once, in order.
      seed: seed of the shuffle, and of the masks of dynamic records.
      held_out: records that training leaves out, and that evaluation alone reads.
      drop_remainder: give full batches only (training, and TPU).
      dynamic: how the records are masked; None if they hold their masks.
      start_step: number of training batches that came before; the next one comes first.
    """
    parse = _parse(pretraining_features(max_seq_length, max_predictions_per_seq), tf.io.parse_example)
    compressions = [_TENSORFLOW_COMPRESSION[compression_of(path)] for path in paths]
    read = _reader(held_out, is_training)
    readable = [literal_path(path) for path in paths]

    def records_from(first_record: int) -> tf.data.Dataset:
        if is_training:
            counts = [count - (held_out.count(count) if held_out else 0) for count in record_counts(paths)]
            files = RecordFiles(readable, compressions, counts, read)
            return shuffled_records(files, seed=seed, window=_SHUFFLED_AT_ONCE, first_record=first_record)
        return tf.data.Dataset.from_tensor_slices((readable, compressions)).flat_map(read)

    def input_fn(params: Dict[str, Any]) -> tf.data.Dataset:
        batch_size = params["batch_size"]
        if dynamic:
            batches = masked_batches(
                records_from, batch_size, dynamic, seed=seed, is_training=is_training, start_step=start_step
            )
        else:
            records = records_from(start_step * batch_size)
            batches = records.batch(batch_size, drop_remainder=drop_remainder or is_training)
            batches = batches.map(parse, num_parallel_calls=_PARALLEL_CALLS)
        return batches.prefetch(_PARALLEL_CALLS)

    return input_fn


def _reader(held_out: Optional[HeldOut], is_training: bool) -> Callable[[Tensor, Tensor], tf.data.Dataset]:
    """Function from a path and its compression to the records that training or evaluation may see, in file order."""

    def read(path: Tensor, compression: Tensor) -> tf.data.Dataset:
        records = tf.data.TFRecordDataset(path, compression_type=compression)
        if held_out is None:
            return records
        if not is_training:
            return records.shard(held_out.period, held_out.remainder)
        place = held_out.remainder
        # Whole periods at once: one call per record would be the slowest part of the pipeline.
        periods = records.batch(held_out.period)
        return periods.map(lambda period: tf.concat([period[:place], period[place + 1 :]], axis=0)).unbatch()

    return read


def fine_tuning_input_fn(
    path: str,
    features: Sequence[Feature],
    *,
    num_rows: int,
    max_seq_length: int,
    is_training: bool,
    seed: int,
    bucket_by_length: bool = True,
    static_shapes: bool = False,
    start_step: int = 0,
) -> InputFn:
    """Builds the input function for batches of fine-tuning records.

    Rows are padded with zeros to the longest row of their batch; with static shapes, to `max_seq_length`.

    Args:
      path: a file made by `feature_cache`.
      features: the declaration of its records, with row_index and input_ids.
      num_rows: number of its records.
      max_seq_length: the length of every row with `static_shapes`.
      is_training: endless, all rows shuffled again each epoch; otherwise each row once (row_index gives the order).
      seed: seed of the shuffle.
      bucket_by_length: put rows of similar length into a batch; the batch size stays the same.
      static_shapes: full batches of full-length rows (TPU, XLA); rows that only fill the last batch have row_index -1.
      start_step: number of training batches that came before; the next one comes first.
    """
    is_bucketed = bucket_by_length and not static_shapes
    path = literal_path(path)

    def input_fn(params: Dict[str, Any]) -> tf.data.Dataset:
        batch_size = params["batch_size"]
        if is_bucketed:
            order = _bucketed_order(batch_size, seed, start_step) if is_training else _longest_first
            batches = _batches_in_order(path, features, num_rows, batch_size, order)
        else:
            if is_training:
                files = RecordFiles([path], [""], [num_rows], _reader(None, is_training))
                rows = shuffled_records(files, seed=seed, window=num_rows, first_record=start_step * batch_size)
            else:
                rows = tf.data.TFRecordDataset(path)
            examples = rows.map(_parse(features), num_parallel_calls=_PARALLEL_CALLS).map(_with_mask)
            if static_shapes and not is_training:
                examples = examples.concatenate(_padding_rows(features, -num_rows % batch_size))
            shapes = _padded_shapes(features, max_seq_length if static_shapes else None)
            batches = examples.padded_batch(batch_size, shapes, drop_remainder=is_training or static_shapes)
        return batches.prefetch(_PARALLEL_CALLS)

    return input_fn


def _bucketed_order(batch_size: int, seed: int, start_step: int) -> RowOrder:
    """Endless order of length buckets, from the batch `start_step` on."""

    def row_numbers(epoch: np.int64, lengths: np.ndarray) -> np.ndarray:
        return BucketedOrder(lengths, batch_size, seed).batches(int(epoch), start_step).ravel()

    def first_epoch(lengths: np.ndarray) -> np.int64:
        return np.int64(BucketedOrder(lengths, batch_size, seed).epoch_of(start_step))

    def order(lengths: Tensor) -> tf.data.Dataset:
        epochs = tf.data.experimental.Counter(tf.reshape(tf.numpy_function(first_epoch, [lengths], tf.int64), []))
        return epochs.flat_map(lambda epoch: _numbers(tf.numpy_function(row_numbers, [epoch, lengths], tf.int64)))

    return order


def _longest_first(lengths: Tensor) -> tf.data.Dataset:
    """Order of evaluation, the longest rows first: where memory is too small, the first batch fails."""
    return _numbers(tf.argsort(lengths, direction="DESCENDING"))


def _numbers(numbers: Tensor) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices(tf.reshape(numbers, [-1]))


def _batches_in_order(
    path: str, features: Sequence[Feature], num_rows: int, batch_size: int, order: RowOrder
) -> tf.data.Dataset:
    """Batches of the rows in an order computed from their lengths; all rows are held in memory, serialized."""
    parse = _parse(features, tf.io.parse_example)

    def batches_of(rows: Tensor) -> tf.data.Dataset:
        parsed = tf.io.parse_example(rows, {"input_ids": tf.io.VarLenFeature(tf.int64)})["input_ids"]
        lengths = tf.math.bincount(tf.cast(parsed.indices[:, 0], tf.int32), minlength=num_rows)

        def padded(numbers: Tensor) -> Dict[str, Tensor]:
            batch = parse(tf.gather(rows, numbers))
            return dict(batch, input_mask=tf.sequence_mask(tf.gather(lengths, numbers), dtype=tf.int32))

        return order(lengths).batch(batch_size).map(padded, num_parallel_calls=_PARALLEL_CALLS)

    return tf.data.TFRecordDataset(path).batch(num_rows).flat_map(batches_of)


def _with_mask(example: Dict[str, Tensor]) -> Dict[str, Tensor]:
    return dict(example, input_mask=tf.ones_like(example["input_ids"]))


def _padded_shapes(features: Sequence[Feature], length: Optional[int]) -> Dict[str, List[Optional[int]]]:
    shapes: Dict[str, List[Optional[int]]] = {feature.name: [feature.length or length] for feature in features}
    return dict(shapes, input_mask=[length])


def _padding_rows(features: Sequence[Feature], count: int) -> tf.data.Dataset:
    """Rows that fill the last batch; one token long, so that attention has a token to look at."""
    row = {feature.name: tf.zeros([1], tf.int32) for feature in features}
    row["row_index"] = tf.constant([_PADDING_ROW])
    return tf.data.Dataset.from_tensors(_with_mask(row)).repeat(count)
