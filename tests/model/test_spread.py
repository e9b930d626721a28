"""Spread of token vectors: against NumPy, over the tokens of the text alone."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.model import spread
from albert.model.spread import TOKEN_SPREAD, spread_sums, with_spread

MASK = np.array([[1, 1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0, 0]], np.int32)
TYPES = np.array([[0, 0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0]], np.int32)
WORDS = [(0, 1), (0, 2), (0, 4), (0, 5), (1, 1), (1, 2)]  # without [CLS], the [SEP] of each segment, and padding


class Encoder:
    """What the sums need of an encoder."""

    def __init__(self, vectors, mask=MASK, types=TYPES):
        self.input_mask, self.token_type_ids = tf.constant(mask), tf.constant(types)
        self._vectors = vectors

    def get_token_vectors(self):
        return self._vectors


def vectors_of(seed=3):
    return np.random.RandomState(seed).randn(2, 7, 5).astype(np.float32)


def test_the_spread_is_the_deviation_over_the_words():
    vectors = vectors_of()
    expected = np.array([vectors[place] for place in WORDS], np.float64).std(axis=0).mean()
    with tf.Graph().as_default(), tf.Session() as session:
        shown = with_spread(dict(spread_sums(Encoder(tf.constant(vectors))), loss=tf.constant(1.0)))
        assert set(shown) == {TOKEN_SPREAD, "loss"}
        assert session.run(shown[TOKEN_SPREAD]) == pytest.approx(expected, rel=1e-5)


def test_the_sums_of_slices_add_up():
    vectors = vectors_of()
    with tf.Graph().as_default(), tf.Session() as session:
        whole = session.run(spread_sums(Encoder(tf.constant(vectors))))
        rows = [
            session.run(
                spread_sums(Encoder(tf.constant(vectors[row : row + 1]), MASK[row : row + 1], TYPES[row : row + 1]))
            )
            for row in range(2)
        ]
    for name, value in whole.items():
        np.testing.assert_allclose(rows[0][name] + rows[1][name], value, rtol=1e-5)


@pytest.mark.parametrize("constant", [0.0, 2.5])
def test_tokens_that_are_all_alike_have_none(constant):
    with tf.Graph().as_default(), tf.Session() as session:
        sums = spread_sums(Encoder(tf.fill([2, 7, 5], constant)))
        assert session.run(with_spread(sums)[TOKEN_SPREAD]) == pytest.approx(0.0, abs=2e-3)


def test_no_words_are_no_division_by_zero():
    mask = np.array([[1, 1, 0]], np.int32)  # [CLS] [SEP]
    with tf.Graph().as_default(), tf.Session() as session:
        sums = spread_sums(Encoder(tf.ones([1, 3, 2]), mask, 0 * mask))
        assert session.run([sums[spread._COUNT], with_spread(sums)[TOKEN_SPREAD]]) == [0.0, 0.0]


def test_an_encoder_without_all_tokens_has_none():
    with tf.Graph().as_default():
        assert spread_sums(Encoder(None)) == {}
        assert with_spread({"loss": 1.0}) == {"loss": 1.0}
