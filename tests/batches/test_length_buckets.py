"""Length buckets: full batches, every row once an epoch, any batch without those before it."""

import collections

import numpy as np
import pytest

from albert.batches.length_buckets import BucketedOrder, buckets_of, share_told_by_length

LENGTHS = np.array([3, 17, 4, 9, 30, 3, 12, 8, 25, 4, 5, 19, 31, 6, 6, 7, 3, 11, 16, 29, 10, 10, 13])


def joined(order, epochs):
    return np.concatenate([order.batches(epoch) for epoch in range(epochs)])


@pytest.mark.parametrize("batch_size", [1, 2, 5, 8, 40])
def test_every_row_comes_once_an_epoch_and_waits_at_most_for_one_batch(batch_size):
    epochs = 50
    batches = joined(BucketedOrder(LENGTHS, batch_size, seed=3), epochs)
    counts = collections.Counter(batches.ravel().tolist())
    buckets = buckets_of(LENGTHS, batch_size)
    assert batches.shape[1] == batch_size
    for bucket in set(buckets.tolist()):
        rows = np.flatnonzero(buckets == bucket).tolist()
        total = sum(counts[row] for row in rows)
        assert epochs * len(rows) - batch_size < total <= epochs * len(rows)
        assert max(counts[row] for row in rows) <= epochs
        assert total // len(rows) <= min(counts[row] for row in rows) + 1
    assert all(len(set(buckets[batch].tolist())) == 1 for batch in batches)


@pytest.mark.parametrize(
    "lengths,batch_size,buckets",
    [
        ([3] * 4 + [8] * 3 + [9] * 5 + [33] * 4, 1, [0] * 4 + [1] * 8 + [2] * 4),
        ([3] * 4 + [8] * 4 + [9] * 4, 1, [0] * 4 + [1] * 4 + [2] * 4),
        ([33] * 3 + [3] * 4 + [9] * 4, 1, [1] * 3 + [0] * 4 + [1] * 4),  # three of 33 are too few
        ([3] * 4 + [8] * 4, 2, [0] * 8),
        ([7, 8, 1], 9, [0, 0, 0]),
    ],
)
def test_a_bucket_is_a_length_or_as_many_as_hold_four_batches(lengths, batch_size, buckets):
    assert buckets_of(np.array(lengths), batch_size).tolist() == buckets


@pytest.mark.parametrize("batch_size", [1, 2])
def test_no_row_comes_twice_in_a_batch_but_where_an_epoch_ends(batch_size):
    rows = np.bincount(buckets_of(LENGTHS, batch_size))
    assert len(rows) > 1 and rows.min() >= 4 * batch_size
    for epoch in range(3):
        for batch in BucketedOrder(LENGTHS, batch_size, seed=1).batches(epoch):
            assert max(collections.Counter(batch.tolist()).values()) <= 2


def test_each_epoch_and_seed_has_an_order_of_its_own():
    rows = np.full([100], 5)
    orders = [BucketedOrder(rows, 10, seed=seed).batches(epoch).ravel() for seed in (1, 2) for epoch in (0, 1)]
    assert all(sorted(order.tolist()) == list(range(100)) for order in orders)
    assert len({tuple(order.tolist()) for order in orders}) == 4
    assert not np.array_equal(orders[0], np.arange(100))


def test_lengths_are_mixed_within_an_epoch():
    lengths = np.repeat([5, 25], 500)
    first_rows = BucketedOrder(lengths, 10, seed=1).batches(0)[:, 0]
    assert 10 < np.sum(np.diff(lengths[first_rows]) != 0) < 90


@pytest.mark.parametrize("batch_size", [2, 5, 40])
def test_any_batch_is_told_without_those_before_it(batch_size):
    uninterrupted = joined(BucketedOrder(LENGTHS, batch_size, seed=3), 30)
    for start in range(0, len(uninterrupted), 3):
        order = BucketedOrder(LENGTHS, batch_size, seed=3)
        epoch = order.epoch_of(start)
        assert order.num_batches_before(epoch) <= start < order.num_batches_before(epoch + 1)
        assert (order.batches(epoch, start)[0] == uninterrupted[start]).all()


@pytest.mark.parametrize(
    "labels,share",
    [
        (["0", "0", "1", "1", "0", "0", "1", "1"], 0.0),
        (["a"] * 4 + ["b"] * 4, 1.0),
        (["0", "0", "0", "1", "0", "1", "1", "1"], 0.25),  # shares of 1/4 and 3/4 about 1/2: (1/4)² of (1/2)²
        (["a"] * 8, 0.0),
        (["a", "a", "b", "b", "a", "a", "c", "c"], 1 / 5),
    ],
)
def test_share_of_the_labels_that_length_tells(labels, share):
    lengths = np.array([3] * 4 + [9] * 4)
    assert share_told_by_length(lengths, np.array(labels), 1) == pytest.approx(share)
