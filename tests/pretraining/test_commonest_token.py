"""Share of the commonest masked token: every masked token of the evaluated records counts once."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.pretraining.commonest_token import commonest_token_baseline

IDS = np.array([[5, 5, 7], [5, 6, 0], [9, 9, 9]], np.int32)
WEIGHTS = np.array([[1.0, 1.0, 1.0], [1.0, 1.0, 0.0], [1.0, 1.0, 1.0]], np.float32)


def input_fn(params):
    features = {"masked_lm_ids": IDS, "masked_lm_weights": WEIGHTS}
    return tf.data.Dataset.from_tensor_slices(features).batch(min(2, params["batch_size"]))


@pytest.mark.parametrize("num_records, share", [(1, 2 / 3), (2, 3 / 5), (3, 3 / 8), (100, 3 / 8)])
def test_the_commonest_token_of_some_records(num_records, share):
    baseline = commonest_token_baseline(input_fn, num_records)
    assert baseline.name == "the commonest token" and baseline.value == pytest.approx(share)


def test_nothing_masked_has_no_commonest_token():
    assert commonest_token_baseline(input_fn, 0) is None
