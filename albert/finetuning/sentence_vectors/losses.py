"""Losses of sentence vectors: to a teacher's vectors, and by the order of pairs. Tensors in, sums out.

Sentences or pairs that are compared with one another form groups: equal parts of a batch, one after the other. Sums
over groups do not depend on how a batch is divided into slices and replicas, as long as no group is. Letters beside
those of `layers`: Q groups, K rows of a group, D numbers of a vector.
"""

from __future__ import annotations

import tensorflow.compat.v1 as tf

from albert.model.types import Tensor

_FAR_BELOW = -1e9  # added to what must not take part in a softmax
_TEMPERATURE = 20.0  # similarities are multiplied by it (CoSENT's and sentence-transformers' usual value)


def grouped(x: Tensor, group_size: int) -> Tensor:
    """Divides rows into groups: [B, ...] -> [Q, K, ...]."""
    return tf.reshape(x, [-1, group_size, *x.shape.as_list()[1:]])


def structure_difference(vectors: Tensor, targets: Tensor, group_size: int) -> Tensor:
    """Sums the squared differences of the similarities of all pairs of a group; arXiv 1904.05068, section 3.2.

    Args:
      vectors, targets: [B, D] and [B, D'], of length 1.
      group_size: K.

    Returns:
      A scalar, Σ over the Q*K*K pairs.
    """
    ours, theirs = grouped(vectors, group_size), grouped(targets, group_size)
    difference = tf.matmul(ours, ours, transpose_b=True) - tf.matmul(theirs, theirs, transpose_b=True)
    return tf.reduce_sum(tf.square(difference))


def cosent(similarities: Tensor, scores: Tensor, group_size: int) -> Tensor:
    """Sums over groups log(1 + Σ exp(20 (s_i - s_j))) for all pairs i, j of a group of which j has the higher score.

    The loss is named CoSENT (docs/en/sentence_vectors.md, "Losses").

    Args:
      similarities: of the two sentences of each pair, [B].
      scores: [B].
      group_size: K.
    """
    s, score = grouped(similarities, group_size), grouped(scores, group_size)  # [Q, K]
    difference = _TEMPERATURE * (s[:, :, None] - s[:, None, :])  # [Q, K, K]
    is_ordered = score[:, :, None] < score[:, None, :]
    terms = tf.where(is_ordered, difference, tf.fill(tf.shape(difference), _FAR_BELOW))
    flat = tf.reshape(terms, [tf.shape(terms)[0], -1])
    with_one = tf.pad(flat, [[0, 0], [1, 0]])  # exp(0) = 1
    return tf.reduce_sum(tf.reduce_logsumexp(with_one, axis=1))


def in_batch_negatives(
    first: Tensor, second: Tensor, is_positive: Tensor, second_ids: Tensor, group_size: int
) -> Tensor:
    """Sums the cross-entropies with which the second sentence of a positive pair is found among those of its group.

    A sentence that occurs twice in a group is no negative of itself. arXiv 1705.00652, section 4.2.

    Args:
      first, second: vectors of both sentences of each pair, [B, D], of length 1.
      is_positive: float [B], 1 for pairs that mean the same.
      second_ids: int [B, S], the tokens of the second sentences.
      group_size: K.
    """
    a, b, ids = (grouped(x, group_size) for x in (first, second, _marks(second_ids)))
    logits = _TEMPERATURE * tf.matmul(a, b, transpose_b=True)  # [Q, K, K]
    is_same = tf.reduce_all(tf.equal(ids[:, :, None], ids[:, None, :]), axis=-1)
    is_itself = tf.eye(group_size, batch_shape=[tf.shape(ids)[0]]) > 0.0
    is_twin = tf.logical_and(is_same, tf.logical_not(is_itself))
    logits = tf.where(is_twin, tf.fill(tf.shape(logits), _FAR_BELOW), logits)
    own = tf.linalg.diag_part(logits)  # [Q, K]
    return tf.reduce_sum((tf.reduce_logsumexp(logits, axis=-1) - own) * grouped(is_positive, group_size))


def _marks(ids: Tensor) -> Tensor:
    """Marks by which rows of ids are compared: [B, S] -> [B, 2]. Other rows hardly ever have the same."""
    places = tf.range(1, tf.shape(ids)[1] + 1, dtype=tf.int32)
    return tf.stack([tf.reduce_sum(ids, axis=1), tf.reduce_sum(ids * places * places, axis=1)], axis=1)
