"""Shuffles, held-out shares, buckets and padding: nothing is lost, nothing leaks."""

import collections
import gzip

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.batches import pipeline as input_pipeline
from albert.batches.pipeline import HeldOut
from albert.files.features import CLASSIFICATION_FEATURES
from albert.files.record_encoding import encode_rows
from albert.files.tfrecords import write_records
from tests.support import tiny_model
from tests.support.marks import slow


def batches_of(input_fn, batch_size, limit=None):
    """The batches that an input_fn gives."""
    with tf.Graph().as_default(), tf.Session() as session:
        batch = tf.data.make_one_shot_iterator(input_fn({"batch_size": batch_size})).get_next()
        batches = []
        while limit is None or len(batches) < limit:
            try:
                batches.append(session.run(batch))
            except tf.errors.OutOfRangeError:
                break
    return batches


def pretraining_input(paths, **options):
    settings = {
        "max_seq_length": tiny_model.SEQ_LENGTH,
        "max_predictions_per_seq": tiny_model.PREDICTIONS,
        "is_training": False,
        "seed": 1,
    }
    return input_pipeline.pretraining_input_fn(paths, **{**settings, **options})


def identities(batches):
    return [tuple(ids) for batch in batches for ids in batch["input_ids"]]


@pytest.fixture
def record_paths(tmp_path):
    return [tiny_model.write_pretraining_records(tmp_path / "{}.tfrecord".format(n), 13, seed=n) for n in range(3)]


def test_evaluation_reads_every_record_once_in_order(record_paths):
    batches = batches_of(pretraining_input(record_paths), 5)
    assert [len(batch["input_ids"]) for batch in batches] == [5] * 7 + [4]
    assert identities(batches) == identities(batches_of(pretraining_input(record_paths), 39))
    assert batches[0]["input_ids"].dtype == np.int32
    assert batches[0]["masked_lm_weights"].dtype == np.float32


def test_training_is_endless_full_and_shuffled_again(record_paths):
    batches = batches_of(pretraining_input(record_paths, is_training=True), 39, limit=3)
    everything = identities(batches_of(pretraining_input(record_paths), 39))
    epochs = [identities([batch]) for batch in batches]
    assert all(sorted(epoch) == sorted(everything) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2] and everything not in epochs


def test_one_seed_gives_one_order(record_paths):
    first, again, other = (
        identities(batches_of(pretraining_input(record_paths, is_training=True, seed=seed), 4, limit=5))
        for seed in (1, 1, 2)
    )
    assert first == again != other


@pytest.fixture
def many_paths(tmp_path):
    """More files than are read at once, of different sizes, one of them empty."""
    return [
        tiny_model.write_pretraining_records(tmp_path / "many-{:02d}.tfrecord".format(n), (5 * n) % 9, seed=n)
        for n in range(19)
    ]


def same_batches(found, expected):
    assert len(found) == len(expected)
    for one, other in zip(found, expected):
        assert sorted(one) == sorted(other)
        assert all((one[name] == other[name]).all() for name in one)


@pytest.mark.parametrize(
    "window,held_out",
    [
        (3, None),
        (16, HeldOut(3)),
        slow(3, HeldOut(3)),
        slow(16, None),
        slow(1 << 14, None),
        slow(1 << 14, HeldOut(3)),
    ],
)
def test_reading_starts_anywhere(many_paths, monkeypatch, window, held_out):
    monkeypatch.setattr(input_pipeline, "_SHUFFLED_AT_ONCE", window)
    records = sum(count - (held_out.count(count) if held_out else 0) for count in ((5 * n) % 9 for n in range(19)))
    steps = 3 * records // 4

    def batches(start_step):
        options = {"is_training": True, "held_out": held_out, "start_step": start_step}
        return batches_of(pretraining_input(many_paths, **options), 4, limit=steps - start_step)

    uninterrupted = batches(0)
    epochs = [identities(uninterrupted)[start : start + records] for start in (0, records)]
    assert len(set(epochs[0])) == records
    assert sorted(epochs[0]) == sorted(epochs[1]) and epochs[0] != epochs[1]
    for start_step in [1, 2, records // 4, records // 4 + 1, 2 * records // 4, steps - 1]:
        same_batches(batches(start_step), uninterrupted[start_step:])


def test_a_window_mixes_files(tmp_path, monkeypatch):
    """Of files in one order each, neighbours in training are of different files and places."""
    monkeypatch.setattr(input_pipeline, "_SHUFFLED_AT_ONCE", 64)
    paths = [tiny_model.write_pretraining_records(tmp_path / "{}.tfrecord".format(n), 40, seed=n) for n in range(4)]
    place = {ids: number for number, ids in enumerate(identities(batches_of(pretraining_input(paths), 160)))}
    order = [place[ids] for ids in identities(batches_of(pretraining_input(paths, is_training=True), 160, limit=1))]
    assert sorted(order) == list(range(160))
    assert all(len({number // 40 for number in order[start : start + 64]}) == 4 for start in (0, 64))
    assert sum(abs(one - other) == 1 for one, other in zip(order, order[1:])) < 16


def test_nothing_to_train_on_is_no_endless_wait(tmp_path):
    path = tiny_model.write_pretraining_records(tmp_path / "one.tfrecord", 0)
    with pytest.raises(ValueError, match="no records to train on"):
        batches_of(pretraining_input([path], is_training=True), 1, limit=1)


def pack(path):
    """Packs a record file in place."""
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        file.write(gzip.compress(content))


@pytest.mark.parametrize("is_training", [False, True])
@pytest.mark.parametrize("packed", [[1], [0, 1, 2]])
def test_packed_files_are_read_like_others(record_paths, is_training, packed):
    def read():
        return identities(batches_of(pretraining_input(record_paths, is_training=is_training), 3, limit=12))

    plain = read()
    for number in packed:
        pack(record_paths[number])
    assert read() == plain


@pytest.mark.parametrize("period", [5, slow(2), slow(13)])
def test_held_out_records_never_reach_training(record_paths, period):
    held_out = HeldOut(period)
    kept = set(identities(batches_of(pretraining_input(record_paths, held_out=held_out), 4)))
    seen = set(identities(batches_of(pretraining_input(record_paths, held_out=held_out, is_training=True), 10, 30)))
    everything = set(identities(batches_of(pretraining_input(record_paths), 39)))
    assert kept | seen == everything and not kept & seen
    assert len(kept) == 3 * held_out.count(13)


@pytest.mark.parametrize("num_records", [0, 1, 2, 3, 4, 5, 11])
def test_held_out_count_is_what_the_pipeline_keeps(tmp_path, num_records):
    path = tiny_model.write_pretraining_records(tmp_path / "n.tfrecord", num_records)
    kept = identities(batches_of(pretraining_input([path], held_out=HeldOut(4)), 3))
    assert len(kept) == HeldOut(4).count(num_records)


def test_a_gz_or_cut_file_does_not_end_silently(tmp_path):
    path = tiny_model.write_pretraining_records(tmp_path / "n.tfrecord", 7)
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        file.write(content[:-5])
    with pytest.raises(tf.errors.DataLossError):
        batches_of(pretraining_input([path]), 2)


LENGTHS = [3, 17, 4, 9, 30, 3, 12, 8, 25, 4, 5, 19, 31, 6, 6, 7, 3, 11, 16, 29, 10, 10, 13]


@pytest.fixture
def rows_path(tmp_path):
    """Rows of many lengths; row n holds n + 1 in every place."""
    path = str(tmp_path / "rows.tfrecord")
    write_records(
        path,
        encode_rows(
            CLASSIFICATION_FEATURES,
            [
                {
                    "row_index": [row],
                    "input_ids": [row + 1] * length,
                    "segment_ids": [0] * (length - 1) + [1],
                    "label_ids": [row % 2],
                }
                for row, length in enumerate(LENGTHS)
            ],
        ),
    )
    return path


def rows_input(path, **options):
    settings = {"num_rows": len(LENGTHS), "max_seq_length": 32, "is_training": False, "seed": 1}
    return input_pipeline.fine_tuning_input_fn(path, CLASSIFICATION_FEATURES, **{**settings, **options})


def check_rows(batch):
    """Every row of a batch has its own values, mask and padding; returns the row numbers."""
    for index, ids, mask, segments, label in zip(
        batch["row_index"][:, 0], batch["input_ids"], batch["input_mask"], batch["segment_ids"], batch["label_ids"]
    ):
        length = LENGTHS[index]
        assert ids.tolist() == [index + 1] * length + [0] * (len(ids) - length)
        assert mask.tolist() == [1] * length + [0] * (len(ids) - length)
        assert segments.tolist() == [0] * (length - 1) + [1] + [0] * (len(ids) - length)
        assert label == [index % 2]
    return batch["row_index"][:, 0].tolist()


@pytest.mark.parametrize("bucket_by_length", [True, False])
def test_every_row_is_given_once(rows_path, bucket_by_length):
    batches = batches_of(rows_input(rows_path, bucket_by_length=bucket_by_length), 4)
    seen = [row for batch in batches for row in check_rows(batch)]
    assert sorted(seen) == list(range(len(LENGTHS)))
    if not bucket_by_length:
        assert seen == sorted(seen)


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("bucket_by_length", [True, False])
def test_a_batch_is_as_long_as_its_longest_row(rows_path, bucket_by_length, is_training):
    options = {"bucket_by_length": bucket_by_length, "is_training": is_training}
    for batch in batches_of(rows_input(rows_path, **options), 4, limit=30):
        assert batch["input_ids"].shape[1] == batch["input_mask"].sum(axis=1).max()


def test_rows_are_evaluated_from_the_longest_to_the_shortest(rows_path):
    lengths = [LENGTHS[row] for batch in batches_of(rows_input(rows_path), 4) for row in check_rows(batch)]
    assert lengths == sorted(LENGTHS, reverse=True)


def test_static_shapes_have_the_full_length_in_training_too(rows_path):
    batches = batches_of(rows_input(rows_path, is_training=True, static_shapes=True), 4, limit=12)
    assert all(batch["input_ids"].shape == (4, 32) for batch in batches)


@pytest.mark.parametrize("bucket_by_length", [True, False])
def test_training_batches_are_full_whatever_the_lengths(rows_path, bucket_by_length):
    batches = batches_of(rows_input(rows_path, is_training=True, bucket_by_length=bucket_by_length), 4, limit=60)
    counts = collections.Counter(row for batch in batches for row in check_rows(batch))
    assert all(len(batch["row_index"]) == 4 for batch in batches)
    assert len(counts) == len(LENGTHS)
    assert max(counts.values()) - min(counts.values()) <= 4  # what waits in a bucket differs, no row is favoured


@pytest.mark.parametrize(
    "options", [{}, {"bucket_by_length": False}, {"static_shapes": True}], ids=["buckets", "no buckets", "static"]
)
def test_training_on_rows_starts_anywhere(rows_path, options):
    def batches(start_step):
        return batches_of(rows_input(rows_path, is_training=True, start_step=start_step, **options), 4, 40 - start_step)

    uninterrupted = batches(0)
    for start_step in (1, 5, 6, 17, 39):
        same_batches(batches(start_step), uninterrupted[start_step:])


def test_training_shuffles_all_rows_again_each_epoch(rows_path):
    batches = batches_of(rows_input(rows_path, is_training=True, bucket_by_length=False), len(LENGTHS), limit=2)
    first, second = (check_rows(batch) for batch in batches)
    assert sorted(first) == sorted(second) == list(range(len(LENGTHS)))
    assert first != second and first != sorted(first)


def test_static_shapes_fill_the_last_batch_with_rows_that_weigh_nothing(rows_path):
    batches = batches_of(rows_input(rows_path, static_shapes=True), 4)
    assert all(batch["input_ids"].shape == (4, 32) for batch in batches)
    indices = [index for batch in batches for index in batch["row_index"][:, 0]]
    assert indices == list(range(len(LENGTHS))) + [-1] * (-len(LENGTHS) % 4)
