"""Values by row that are added to batches: each record's own, from arrays of any type of numbers and from files."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.batches.row_values import ROW_INDEX, with_row_values
from albert.devices.batch_parts import split_among

VALUES = np.random.RandomState(0).standard_normal([5, 3])
ORDER = [[4, 0], [2, 2], [1, 3]]  # of batches


def batches_of(order):
    numbers = np.array(order, np.int32)[:, :, None]
    return tf.data.Dataset.from_tensor_slices({ROW_INDEX: numbers, "input_ids": 10 * numbers})


def read(dataset, count):
    iterator = tf.data.make_initializable_iterator(dataset)
    batch = iterator.get_next()
    with tf.Session() as session:
        session.run(iterator.initializer)
        return [session.run(batch) for _ in range(count)]


def mapped(folder, values):
    np.save(str(folder / "values.npy"), values)
    return np.load(str(folder / "values.npy"), mmap_mode="r")


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.float16, np.int8])
@pytest.mark.parametrize("is_mapped", [False, True])
def test_each_record_gets_the_values_of_its_row(tmp_path, dtype, is_mapped):
    values = (10 * VALUES).astype(dtype)
    with tf.Graph().as_default():
        source = mapped(tmp_path, values) if is_mapped else values
        found = read(with_row_values(batches_of(ORDER), "vectors", source), len(ORDER))
    for batch, order in zip(found, ORDER):
        assert batch["vectors"].dtype == np.float32
        np.testing.assert_array_equal(batch["vectors"], values[order].astype(np.float32))
        np.testing.assert_array_equal(batch["input_ids"].ravel(), 10 * np.array(order))
        np.testing.assert_array_equal(batch[ROW_INDEX].ravel(), order)


@pytest.mark.parametrize("batch_size", [2, None])
def test_the_width_is_known_beforehand_and_the_batch_size_where_the_batches_know_it(batch_size):
    with tf.Graph().as_default():
        rows = batches_of(ORDER)
        if batch_size is None:  # as where the last batch may be smaller
            rows = rows.unbatch().batch(4)
        shape = tf.data.get_output_shapes(with_row_values(rows, "vectors", VALUES))["vectors"]
        assert shape.as_list() == [batch_size, 3]
        if batch_size is None:
            found = read(with_row_values(rows, "vectors", VALUES), 2)
            assert [batch["vectors"].shape for batch in found] == [(4, 3), (2, 3)]


def test_parts_of_a_batch_keep_the_values_of_their_rows():
    with tf.Graph().as_default():
        rows = split_among(lambda params: with_row_values(batches_of(ORDER), "vectors", VALUES), 2, num_taken=2)({})
        found = read(rows, 2 * len(ORDER))
    for part, row in zip(found, np.ravel(ORDER)):
        assert part[ROW_INDEX].tolist() == [[row]]
        np.testing.assert_allclose(part["vectors"], VALUES[[row]], rtol=1e-6)
