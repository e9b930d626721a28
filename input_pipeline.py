"""tf.data input: parsing, full shuffles, held-out shares, length buckets, padding.

Each function returns an `input_fn(params)` for TPUEstimator, which says in params["batch_size"] how much it wants.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence

import tensorflow.compat.v1 as tf

from dynamic_masking import DynamicMasking, masked_batches
from features import CLASSIFICATION_FEATURES, Feature, pretraining_features
from record_files import GZIP, NO_COMPRESSION, compression_of

InputFn = Callable[[Dict[str, Any]], Any]

_SHUFFLE_RECORDS = 10000  # pre-training: about 25 MB at length 512
_READ_FILES = 8  # files read in turn, so that a shuffle buffer mixes several documents
_BUCKET_STEP = 8  # tokens between bucket boundaries
_PARALLEL_CALLS = 2
_TENSORFLOW_COMPRESSION = {NO_COMPRESSION: "", GZIP: "GZIP"}
_PADDING_ROW = -1  # row_index of rows that only fill a TPU's last batch


class HeldOut(NamedTuple):
    """Which records of a file are kept from training: every `period`-th, the middle of each period."""

    period: int

    @property
    def remainder(self) -> int:
        """The place of the held-out record in its period; in the middle, a file of one record still trains."""
        return self.period // 2

    def count(self, num_records: int) -> int:
        """How many of a file's records are held out."""
        return (num_records + self.period - 1 - self.remainder) // self.period


def _parse(
    features: Sequence[Feature], parse_example: Callable = tf.io.parse_single_example
) -> Callable[[Any], Dict[str, Any]]:
    """A function from a serialized record, or a batch of them, to its tensors, ids as int32 (TPUs have no int64)."""
    spec = {}
    for feature in features:
        dtype = tf.int64 if feature.dtype == "int64" else tf.float32
        spec[feature.name] = (
            tf.io.VarLenFeature(dtype) if feature.length is None else tf.io.FixedLenFeature([feature.length], dtype)
        )

    def parse(record: Any) -> Dict[str, Any]:
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
) -> InputFn:
    """Batches of pre-training records.

    Args:
      paths: TFRecord files, packed with gzip or not.
      max_seq_length, max_predictions_per_seq: what the records were made for.
      is_training: endless and shuffled; otherwise each record once, in order.
      seed: of the shuffle, and of the masks of dynamic records.
      held_out: leave these records out of training, and read only these in evaluation.
      drop_remainder: give full batches only (training, and TPU).
      dynamic: how the records are to be masked; None where they hold their masks.
    """
    parse = _parse(pretraining_features(max_seq_length, max_predictions_per_seq), tf.io.parse_example)
    compressions = [_TENSORFLOW_COMPRESSION[compression_of(path)] for path in paths]

    def read(path: Any, compression: Any) -> Any:
        records = tf.data.TFRecordDataset(path, compression_type=compression)
        if held_out is None:
            return records
        numbered = records.enumerate().filter(
            lambda number, _: tf.equal(tf.equal(number % held_out.period, held_out.remainder), not is_training)
        )
        return numbered.map(lambda _, record: record)

    def input_fn(params: Dict[str, Any]) -> Any:
        files = tf.data.Dataset.from_tensor_slices((list(paths), compressions))
        if is_training:
            files = files.shuffle(len(paths), seed=seed, reshuffle_each_iteration=True)
            records = files.interleave(read, cycle_length=min(_READ_FILES, len(paths)))
            # Repeated after the shuffle, so that every record comes once an epoch.
            records = records.shuffle(_SHUFFLE_RECORDS, seed=seed, reshuffle_each_iteration=True).repeat()
        else:
            records = files.flat_map(read)
        batch_size = params["batch_size"]
        if dynamic:
            batches = masked_batches(records, batch_size, dynamic, seed=seed, is_training=is_training)
        else:
            batches = records.batch(batch_size, drop_remainder=drop_remainder or is_training)
            batches = batches.map(parse, num_parallel_calls=_PARALLEL_CALLS)
        return batches.prefetch(_PARALLEL_CALLS)

    return input_fn


def classification_input_fn(
    path: str,
    *,
    num_rows: int,
    max_seq_length: int,
    is_training: bool,
    seed: int,
    bucket_by_length: bool = True,
    static_shapes: bool = False,
) -> InputFn:
    """Batches of classification records, padded to the longest row of the batch or, with static shapes, to the full.

    Args:
      path: a file made by `feature_cache`.
      num_rows: its records.
      max_seq_length: the longest row; also the length of every row with `static_shapes`.
      is_training: endless, all rows shuffled anew each epoch; otherwise each row once (see row_index for the order).
      seed: of the shuffle.
      bucket_by_length: gather rows of like length into a batch; the batch size stays the same.
      static_shapes: full batches of full-length rows (TPU); rows that only fill the last batch have row_index -1.
    """

    def input_fn(params: Dict[str, Any]) -> Any:
        batch_size = params["batch_size"]
        rows = tf.data.TFRecordDataset(path)
        if is_training:
            rows = rows.shuffle(num_rows, seed=seed, reshuffle_each_iteration=True).repeat()
        examples = rows.map(_parse(CLASSIFICATION_FEATURES), num_parallel_calls=_PARALLEL_CALLS).map(_with_mask)
        if static_shapes:
            if not is_training:
                examples = examples.concatenate(_padding_rows(-num_rows % batch_size))
            batches = examples.padded_batch(batch_size, _padded_shapes(max_seq_length), drop_remainder=True)
        elif bucket_by_length:
            batches = examples.apply(_bucket(batch_size, max_seq_length, is_training))
        else:
            batches = examples.padded_batch(batch_size, _padded_shapes(max_seq_length), drop_remainder=is_training)
        return batches.prefetch(_PARALLEL_CALLS)

    return input_fn


def _with_mask(example: Dict[str, Any]) -> Dict[str, Any]:
    return dict(example, input_mask=tf.ones_like(example["input_ids"]))


def _padded_shapes(length: Optional[int]) -> Dict[str, Any]:
    shapes = {feature.name: [feature.length or length] for feature in CLASSIFICATION_FEATURES}
    return dict(shapes, input_mask=[length])


def _bucket(batch_size: int, max_seq_length: int, is_training: bool) -> Any:
    boundaries = list(range(_BUCKET_STEP + 1, max_seq_length, _BUCKET_STEP))
    return tf.data.experimental.bucket_by_sequence_length(
        lambda example: tf.size(example["input_ids"]),
        boundaries,
        [batch_size] * (len(boundaries) + 1),
        padded_shapes=_padded_shapes(None),
        drop_remainder=is_training,
    )


def _padding_rows(count: int) -> Any:
    """Rows that fill a last batch; one token long, so that attention has something to look at."""
    row = {feature.name: tf.zeros([1], tf.int32) for feature in CLASSIFICATION_FEATURES}
    row["row_index"] = tf.constant([_PADDING_ROW])
    return tf.data.Dataset.from_tensors(_with_mask(row)).repeat(count)
