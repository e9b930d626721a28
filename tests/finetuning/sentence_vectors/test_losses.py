"""Losses of sentence vectors against NumPy in float64, and their independence of how a batch is divided."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.finetuning.sentence_vectors import losses

RANDOM = np.random.RandomState(11)
ROWS, WIDTH = 6, 4


def unit(shape):
    x = RANDOM.randn(*shape)
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def value(build, *arrays):
    with tf.Graph().as_default(), tf.Session() as session:
        return session.run(
            build(*[tf.constant(np.asarray(a, np.float32 if a.dtype.kind == "f" else a.dtype)) for a in arrays])
        )


def groups_of(array, size):
    return np.split(array, len(array) // size)


@pytest.mark.parametrize("size", [2, 3, 6])
def test_structure_is_compared_within_groups(size):
    ours, theirs = unit((ROWS, WIDTH)), unit((ROWS, 7))
    expected = sum(np.sum((a @ a.T - b @ b.T) ** 2) for a, b in zip(groups_of(ours, size), groups_of(theirs, size)))
    found = value(lambda a, b: losses.structure_difference(a, b, size), ours, theirs)
    assert found == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("size", [2, 3, 6])
@pytest.mark.parametrize("scores", [[0, 1, 1, 0, 0, 1], [0.5, 2, 2, 4, 1, 3], [1, 1, 1, 1, 1, 1]])
def test_cosent_ranks_pairs_within_groups(size, scores):
    similarities, scores = RANDOM.uniform(-1, 1, ROWS), np.array(scores, float)
    expected = 0.0
    for s, y in zip(groups_of(similarities, size), groups_of(scores, size)):
        terms = [np.exp(20 * (s[i] - s[j])) for i in range(size) for j in range(size) if y[i] < y[j]]
        expected += np.log(1 + sum(terms))
    assert value(lambda s, y: losses.cosent(s, y, size), similarities, scores) == pytest.approx(
        expected, rel=1e-5, abs=1e-5
    )


@pytest.mark.parametrize("size", [2, 3, 6])
def test_negatives_are_the_other_sentences_of_a_group_but_for_twins(size):
    first, second = unit((ROWS, WIDTH)), unit((ROWS, WIDTH))
    ids = np.array([[2, 5, 3], [2, 6, 3], [2, 5, 3], [2, 7, 3], [2, 3, 7], [2, 6, 3]], np.int32)
    positive = np.array([1, 0, 1, 1, 0, 1], float)
    expected = 0.0
    for a, b, i, p in zip(*(groups_of(x, size) for x in (first, second, ids, positive))):
        logits = 20 * a @ b.T
        for row in range(size):
            taken = [k for k in range(size) if k == row or not np.array_equal(i[k], i[row])]
            expected += p[row] * (np.log(np.sum(np.exp(logits[row, taken]))) - logits[row, row])
    found = value(lambda *x: losses.in_batch_negatives(*x, size), first, second, positive, ids)
    assert found == pytest.approx(expected, rel=1e-5)


def test_a_rising_similarity_of_the_better_pair_lowers_the_loss():
    with tf.Graph().as_default(), tf.Session() as session:
        similarities = tf.constant([0.2, 0.3])
        loss = losses.cosent(similarities, tf.constant([0.0, 1.0]), 2)
        gradient = session.run(tf.gradients(loss, similarities)[0])
    assert gradient[0] > 0 > gradient[1]
    assert gradient.sum() == pytest.approx(0.0, abs=1e-5)
