import random

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.files.features import NO_SENTENCE_ORDER, Feature, pretraining_features
from albert.files.record_encoding import Ragged, encode_records, encode_rows

FEATURES = (
    Feature("zebra", "int64", None),
    Feature("apple", "float32", 2),
    Feature("mango", "int64", 3),
)
ROW = {"zebra": [], "apple": [0.0, 0.0], "mango": [1, 2, 3]}
ODD_NUMBERS = [
    0,
    1,
    -1,
    127,
    128,
    16383,
    16384,
    21127,
    32767,
    32768,
    2**31,
    2**53 + 1,
    2**63 - 1,
    -(2**63),
    NO_SENTENCE_ORDER,
]


def example_of(features, values):
    feature = {}
    for name, dtype, _ in features:
        if dtype == "float32":
            feature[name] = tf.train.Feature(float_list=tf.train.FloatList(value=values[name]))
        else:
            feature[name] = tf.train.Feature(int64_list=tf.train.Int64List(value=values[name]))
    return tf.train.Example(features=tf.train.Features(feature=feature))


def assert_equals_tensorflow(features, rows, encoded=None):
    encoded = encode_rows(features, rows) if encoded is None else encoded
    assert len(encoded) == len(rows)
    for record, values in zip(encoded, rows):
        expected = example_of(features, values)
        assert record == expected.SerializeToString(deterministic=True)
        assert tf.train.Example.FromString(record) == expected


def ragged(rows, dtype=np.int64):
    return Ragged(
        np.array([number for row in rows for number in row], dtype), np.array([len(row) for row in rows], np.int64)
    )


@pytest.mark.parametrize(
    "numbers", [[], [0], [-1], ODD_NUMBERS, [127] * 200, [128] * 200, np.array([3, 40000], np.int32)]
)
def test_one_record_equals_tensorflow(numbers):
    assert_equals_tensorflow(FEATURES, [{"zebra": numbers, "apple": [0.1, -1e30], "mango": [1, 2, 3]}])


def test_no_record():
    assert encode_rows(FEATURES, []) == []
    columns = {"zebra": ragged([]), "apple": np.zeros((0, 2), np.float32), "mango": np.zeros((0, 3), np.int32)}
    assert encode_records(FEATURES, columns) == []


def test_many_records_equal_tensorflow():
    rng = random.Random(1)
    rows = []
    for _ in range(500):
        numbers = [rng.choice(ODD_NUMBERS + [rng.randrange(300)] * 20) for _ in range(rng.choice((0, 1, 5, 40, 300)))]
        apple = [rng.choice((0.0, 1.0, -0.5, 3.4e38, 1e-45)), rng.random()]
        rows.append({"zebra": numbers, "apple": apple, "mango": [rng.randrange(2**20) for _ in range(3)]})
    assert_equals_tensorflow(FEATURES, rows)


@pytest.mark.parametrize("largest", [0, 1, 127, 128, 300, 2**14, 2**32, 2**62])
def test_ragged_rows_equal_tensorflow(largest):
    rng = random.Random(2)
    rows = [[rng.randint(0, largest) for _ in range(rng.choice((0, 0, 1, 2, 150)))] for _ in range(40)]
    for lists in (rows, [[]] + rows + [[]], [[], [], []], [[largest]]):
        columns = {
            "zebra": ragged(lists),
            "apple": np.ones((len(lists), 2), np.float32),
            "mango": np.full((len(lists), 3), largest, np.int64),
        }
        values = [{"zebra": row, "apple": [1.0, 1.0], "mango": [largest] * 3} for row in lists]
        assert_equals_tensorflow(FEATURES, values, encode_records(FEATURES, columns))


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64])
def test_whole_numbers_of_any_kind(dtype):
    limits = np.iinfo(dtype)
    numbers = np.array([[limits.min, 0, limits.max]], dtype)
    columns = {"zebra": ragged([[5]], dtype), "apple": np.zeros((1, 2)), "mango": numbers}
    row = {"zebra": [5], "apple": [0.0, 0.0], "mango": numbers[0].tolist()}
    assert_equals_tensorflow(FEATURES, [row], encode_records(FEATURES, columns))


def test_columns_need_not_be_contiguous():
    wide = np.arange(60, dtype=np.int32).reshape(6, 10)
    columns = {"zebra": wide[::2, ::3], "apple": np.zeros((6, 4), np.float32)[::2, ::2], "mango": wide.T[:3, :3]}
    rows = [
        {"zebra": wide[2 * row, ::3].tolist(), "apple": [0.0, 0.0], "mango": wide[:3, row].tolist()} for row in range(3)
    ]
    assert_equals_tensorflow(FEATURES, rows, encode_records(FEATURES, columns))


def test_pretraining_records_equal_tensorflow():
    features = pretraining_features(512, 51)
    rng = random.Random(0)
    rows = []
    for _ in range(20):
        values = {f.name: [rng.randrange(21128) for _ in range(f.length)] for f in features}
        values["masked_lm_weights"] = [1.0] * 40 + [0.0] * 11
        rows.append(dict(values, next_sentence_labels=[rng.choice((0, 1, NO_SENTENCE_ORDER))]))
    assert_equals_tensorflow(features, rows)
    columns = {f.name: np.array([row[f.name] for row in rows]) for f in features}
    assert encode_records(features, columns) == encode_rows(features, rows)


def test_tensorflow_parses_the_records():
    rows = [{"zebra": [7] * count, "apple": [count, 0.5], "mango": [count, -1, 2**40]} for count in range(4)]
    with tf.Graph().as_default(), tf.Session() as session:
        spec = {
            "zebra": tf.VarLenFeature(tf.int64),
            "apple": tf.FixedLenFeature([2], tf.float32),
            "mango": tf.FixedLenFeature([3], tf.int64),
        }
        parsed = session.run(tf.parse_example(encode_rows(FEATURES, rows), spec))
    assert parsed["apple"].tolist() == [row["apple"] for row in rows]
    assert parsed["mango"].tolist() == [row["mango"] for row in rows]
    assert parsed["zebra"].indices[:, 0].tolist() == [1, 2, 2, 3, 3, 3]


def test_records_that_do_not_fit_their_declaration():
    with pytest.raises(ValueError, match="mango has 2 values, declared are 3"):
        encode_rows(FEATURES, [ROW, dict(ROW, mango=[1, 2])])
    with pytest.raises(ValueError, match="zebra"):
        encode_rows(FEATURES, [{"apple": [0.0, 0.0], "mango": [1, 2, 3]}])
    with pytest.raises(ValueError, match="kiwi"):
        encode_rows(FEATURES, [ROW, dict(ROW, kiwi=[1])])


def test_columns_that_do_not_fit_their_declaration():
    columns = {"zebra": ragged([[1], [2]]), "apple": np.zeros((2, 2)), "mango": np.zeros((2, 3), np.int64)}
    assert len(encode_records(FEATURES, columns)) == 2
    with pytest.raises(ValueError, match="mango has 4 values, declared are 3"):
        encode_records(FEATURES, dict(columns, mango=np.zeros((2, 4), np.int64)))
    with pytest.raises(ValueError, match="apple has 1 values, declared are 2"):
        encode_records(FEATURES, dict(columns, apple=ragged([[0.5, 1.0], [2.0]], np.float32)))
    with pytest.raises(ValueError, match="kiwi"):
        encode_records(FEATURES, dict(columns, kiwi=ragged([[1], [2]])))
    del columns["apple"]
    with pytest.raises(ValueError, match="apple"):
        encode_records(FEATURES, columns)


@pytest.mark.parametrize("numbers", [[0.5], [1.0, 2.0], [1, 0.5], [True], ["1"], [2**63], [2**63, -1]])
def test_only_whole_numbers_stand_in_a_whole_number_field(numbers):
    with pytest.raises(ValueError, match="zebra holds .* values, declared are int64"):
        encode_rows(FEATURES, [dict(ROW, zebra=numbers)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, bool])
def test_only_whole_number_columns_for_a_whole_number_field(dtype):
    columns = {"zebra": ragged([[1]], dtype), "apple": np.zeros((1, 2)), "mango": np.zeros((1, 3), np.int64)}
    with pytest.raises(ValueError, match="zebra holds"):
        encode_records(FEATURES, columns)
