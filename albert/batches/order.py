"""Shuffled order of training records: endless, a pure function of files, seed and place; it can begin anywhere.

An epoch reads the files in a new order, several in parallel. The stream of their records is cut into windows, and each
window is shuffled. Every record comes once per epoch. Nothing depends on what came before: the records before the first
wanted one are skipped by whole epochs, then by groups of files, then one by one without parsing.
"""

from __future__ import annotations

from typing import Any, Callable, NamedTuple, Sequence, Union

import numpy as np
import tensorflow.compat.v1 as tf

Tensor = Any  # a tensor of the graph

_FILES_AT_ONCE = 8  # read in turns, so that a window mixes several documents
_FILE_ORDER = 0  # the random draws of an epoch: first the order of its files, then that of each window


class RecordFiles(NamedTuple):
    """Record files to read.

    Attributes:
      paths: the files.
      compressions: the compression of each file, as TFRecordDataset names it.
      counts: the number of records that `read` gives for each file.
      read: path, compression -> dataset of records, always in the same order.
    """

    paths: Sequence[str]
    compressions: Sequence[str]
    counts: Sequence[int]
    read: Callable[[Tensor, Tensor], tf.data.Dataset]


def shuffled_records(files: RecordFiles, *, seed: int, window: int, first_record: int = 0) -> tf.data.Dataset:
    """Endless dataset of serialized records.

    Args:
      files: what is read; at least one record.
      seed: seed of all orders.
      window: records that are shuffled together, and held in memory.
      first_record: number of records of the same stream that came before, over all epochs.

    Raises:
      ValueError: the files hold no record.
    """
    per_epoch = sum(files.counts)
    if per_epoch == 0:
        raise ValueError("there are no records to train on")
    first_epoch, skipped = divmod(first_record, per_epoch)

    def epoch_records(epoch: Tensor) -> tf.data.Dataset:
        return _epoch(files, seed, window, epoch, tf.where(tf.equal(epoch, first_epoch), _int64(skipped), _int64(0)))

    return tf.data.experimental.Counter(first_epoch).flat_map(epoch_records)


def _epoch(files: RecordFiles, seed: int, window: int, epoch: Tensor, skipped: Tensor) -> tf.data.Dataset:
    first_window = skipped // window
    windows = _in_file_order(files, seed, epoch, first_window * window).batch(window)

    def in_new_order(number: Tensor, records: Tensor) -> Tensor:
        draw = first_window + number + 1
        return tf.gather(records, _permutation(tf.size(records), seed, epoch, draw))

    return windows.enumerate().map(in_new_order).unbatch().skip(skipped % window)


def _in_file_order(files: RecordFiles, seed: int, epoch: Tensor, skipped: Tensor) -> tf.data.Dataset:
    """Records of an epoch after the skipped ones: groups of files in shuffled order, the files of a group in turns."""
    order = _permutation(len(files.paths), seed, epoch, _FILE_ORDER)
    paths, compressions = tf.gather(list(files.paths), order), tf.gather(list(files.compressions), order)
    first_files = list(range(0, len(files.paths), _FILES_AT_ONCE)) + [len(files.paths)]
    records_before = tf.concat([[0], tf.cumsum(tf.gather(_int64(files.counts), order))], axis=0)
    group_starts = tf.gather(records_before, first_files)
    # The group that holds the first record; groups without a record share their start with the next one.
    group = tf.reduce_sum(tf.cast(group_starts <= skipped, tf.int64)) - 1

    def group_records(number: Tensor) -> tf.data.Dataset:
        members = slice(number * _FILES_AT_ONCE, (number + 1) * _FILES_AT_ONCE)
        of_group = tf.data.Dataset.from_tensor_slices((paths[members], compressions[members]))
        return of_group.interleave(files.read, cycle_length=min(_FILES_AT_ONCE, len(files.paths)))

    groups = tf.data.Dataset.range(group, len(first_files) - 1)
    return groups.flat_map(group_records).skip(skipped - group_starts[group])


def _permutation(size: Tensor, seed: int, epoch: Tensor, draw: Tensor) -> Tensor:
    """Permutation that belongs to a random draw of an epoch: [size] of the numbers below `size`."""
    place = tf.bitwise.left_shift(tf.cast(epoch, tf.int64), _int64(32)) + tf.cast(draw, tf.int64)
    key = tf.stack([_int64(seed), place])
    with tf.xla.experimental.jit_scope(compile_ops=False):  # XLA draws other random numbers
        places = tf.random.stateless_uniform([size], seed=key, dtype=tf.float64)
    return tf.argsort(places)


def _int64(value: Union[int, Sequence[int]]) -> Tensor:
    return tf.constant(np.asarray(value, np.int64))
