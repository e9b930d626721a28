"""Length buckets: training batches of rows of similar length, as a pure function of the seed and the batch's number.

Each bucket has an endless stream of its rows, in a new order each epoch. The stream is cut into full batches across the
ends of epochs: no row is lost there, and any batch can be computed without those before it.
"""

from __future__ import annotations

from typing import List

import numpy as np

ORDER_VERSION = 2  # raise it with any change of the batches that the same rows are cut into
_BATCHES_OF_A_BUCKET = 4  # at least; with fewer, the same rows would share a batch in every epoch
_BATCH_ORDER = 0  # the random draws of an epoch: first the order of its batches, then that of each bucket


def buckets_of(lengths: np.ndarray, batch_size: int) -> np.ndarray:
    """Bucket of each row, int64 [rows], counted from 0 for the shortest rows.

    Each length has a bucket of its own, so that a batch holds no padding. Lengths with few rows share a bucket, so that
    each bucket holds enough rows for several batches.
    """
    least = _BATCHES_OF_A_BUCKET * batch_size
    starts, in_bucket = [0], 0
    for length, count in enumerate(np.bincount(lengths)):
        if in_bucket >= least:
            starts, in_bucket = starts + [length], 0
        in_bucket += count
    if in_bucket < least and len(starts) > 1:  # the longest rows join the bucket before theirs
        starts.pop()
    return np.searchsorted(starts, lengths, side="right") - 1


def share_told_by_length(lengths: np.ndarray, labels: np.ndarray, batch_size: int) -> float:
    """Share of the labels' variance that lies between buckets, 0 to 1 (eta squared of the one-hot labels).

    Args:
      lengths, labels: those of each row.
      batch_size: rows of the batches that the buckets are for.
    """
    buckets = buckets_of(lengths, batch_size)
    names, label_ids = np.unique(labels, return_inverse=True)
    counts = np.bincount(buckets * len(names) + label_ids, minlength=(buckets.max() + 1) * len(names))
    counts = counts.reshape(-1, len(names))  # [buckets, labels]
    rows = counts.sum(axis=1, keepdims=True)
    shares, share = counts / rows, counts.sum(axis=0) / len(labels)
    total = len(labels) * np.sum(share * (1 - share))
    return float(np.sum(rows * np.square(shares - share)) / total) if total else 0.0


class BucketedOrder:
    """Order of training batches: which rows stand in which batch of which epoch."""

    def __init__(self, lengths: np.ndarray, batch_size: int, seed: int) -> None:
        """Sorts rows into buckets.

        Args:
          lengths: [rows] tokens of each row, at least 1.
          batch_size: rows per batch.
          seed: seed of all orders.
        """
        buckets = buckets_of(lengths, batch_size)
        self._rows = [np.flatnonzero(buckets == bucket) for bucket in np.unique(buckets)]
        self._num_rows = len(lengths)
        self._batch_size = batch_size
        self._seed = seed & 0xFFFFFFFF

    def num_batches_before(self, epoch: int) -> int:
        """Number of batches in all epochs before this one; a batch belongs to the epoch whose rows fill it up."""
        return sum(epoch * len(rows) // self._batch_size for rows in self._rows)

    def epoch_of(self, batch: int) -> int:
        """Epoch to which a batch belongs; epochs and batches are counted from 0."""
        epoch = batch * self._batch_size // self._num_rows
        while self.num_batches_before(epoch + 1) <= batch:
            epoch += 1
        return epoch

    def batches(self, epoch: int, first_batch: int = 0) -> np.ndarray:
        """Rows of the batches of an epoch, [batches, batch_size], without the batches before `first_batch`."""
        found = [self._bucket_batches(bucket, epoch) for bucket in range(len(self._rows))]
        batches: np.ndarray = np.concatenate(found)
        order = self._permutation(len(batches), epoch, _BATCH_ORDER)
        return batches[order][max(0, first_batch - self.num_batches_before(epoch)) :]

    def _bucket_batches(self, bucket: int, epoch: int) -> np.ndarray:
        """Batches that a bucket's stream fills up in an epoch; the first rows may belong to earlier epochs."""
        rows, size = self._rows[bucket], self._batch_size
        first, end = (number * len(rows) // size * size for number in (epoch, epoch + 1))
        if first == end:
            return np.zeros([0, size], np.int64)
        earliest, last = first // len(rows), (end - 1) // len(rows)
        stream: List[np.ndarray] = [
            rows[self._permutation(len(rows), number, 1 + bucket)] for number in range(earliest, last + 1)
        ]
        begin = earliest * len(rows)
        return np.concatenate(stream)[first - begin : end - begin].reshape(-1, size)

    def _permutation(self, size: int, epoch: int, draw: int) -> np.ndarray:
        return np.random.RandomState([self._seed, epoch, draw]).permutation(size)
