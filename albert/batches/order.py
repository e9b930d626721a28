"""The order of training records: endless, a pure function of files, seed and place, so that it can begin anywhere.

An epoch goes through the files in a new order, several at once, in turn; the stream of their records is cut into
windows, and each window is put into an order of its own. Every record comes once an epoch. Nothing depends on what came
before: what lies before the first record wanted is passed over by whole epochs and groups of files, then unparsed.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Sequence

import numpy as np
import tensorflow.compat.v1 as tf

_FILES_AT_ONCE = 8  # read in turn, so that a window mixes several documents
_FILE_ORDER = 0  # the draws of an epoch: first the order of its files, then a window's each


class RecordFiles(NamedTuple):
    """What is read.

    Attributes:
      paths: the files.
      compressions: of each, as TFRecordDataset names it.
      counts: how many records `read` gives of each.
      read: path, compression -> dataset of records, always in one order.
    """

    paths: Sequence[str]
    compressions: Sequence[str]
    counts: Sequence[int]
    read: Callable[[Any, Any], Any]


def shuffled_records(files: RecordFiles, *, seed: int, window: int, first_record: int = 0) -> Any:
    """An endless dataset of serialized records.

    Args:
      files: what is read; at least one record.
      seed: of all orders.
      window: records that are put into a new order at once, and held in memory.
      first_record: how many records of the same stream came before, through all epochs.
    """
    per_epoch = sum(files.counts)
    if per_epoch == 0:
        raise ValueError("there are no records to train on")
    first_epoch, passed = divmod(first_record, per_epoch)

    def epoch_records(epoch: Any) -> Any:
        return _epoch(files, seed, window, epoch, tf.where(tf.equal(epoch, first_epoch), _int64(passed), _int64(0)))

    return tf.data.experimental.Counter(first_epoch).flat_map(epoch_records)


def _epoch(files: RecordFiles, seed: int, window: int, epoch: Any, passed: Any) -> Any:
    first_window = passed // window
    windows = _in_file_order(files, seed, epoch, first_window * window).batch(window)

    def in_new_order(number: Any, records: Any) -> Any:
        draw = first_window + number + 1
        return tf.gather(records, _permutation(tf.size(records), seed, epoch, draw))

    return windows.enumerate().map(in_new_order).unbatch().skip(passed % window)


def _in_file_order(files: RecordFiles, seed: int, epoch: Any, passed: Any) -> Any:
    """The records of an epoch from a place on: file after file of one order, some at once."""
    order = _permutation(len(files.paths), seed, epoch, _FILE_ORDER)
    paths, compressions = tf.gather(list(files.paths), order), tf.gather(list(files.compressions), order)
    first_files = list(range(0, len(files.paths), _FILES_AT_ONCE)) + [len(files.paths)]
    records_before = tf.concat([[0], tf.cumsum(tf.gather(_int64(files.counts), order))], axis=0)
    group_starts = tf.gather(records_before, first_files)
    # The group that holds the record; groups without a record share their start with the next one.
    group = tf.reduce_sum(tf.cast(group_starts <= passed, tf.int64)) - 1

    def group_records(number: Any) -> Any:
        members = slice(number * _FILES_AT_ONCE, (number + 1) * _FILES_AT_ONCE)
        of_group = tf.data.Dataset.from_tensor_slices((paths[members], compressions[members]))
        return of_group.interleave(files.read, cycle_length=min(_FILES_AT_ONCE, len(files.paths)))

    groups = tf.data.Dataset.range(group, len(first_files) - 1)
    return groups.flat_map(group_records).skip(passed - group_starts[group])


def _permutation(size: Any, seed: int, epoch: Any, draw: Any) -> Any:
    """The order that belongs to a draw of an epoch: [size] of the numbers under `size`."""
    place = tf.bitwise.left_shift(tf.cast(epoch, tf.int64), _int64(32)) + tf.cast(draw, tf.int64)
    key = tf.stack([_int64(seed), place])
    with tf.xla.experimental.jit_scope(compile_ops=False):  # XLA has random numbers of its own
        places = tf.random.stateless_uniform([size], seed=key, dtype=tf.float64)
    return tf.argsort(places)


def _int64(value: Any) -> Any:
    return tf.constant(np.asarray(value, np.int64))
