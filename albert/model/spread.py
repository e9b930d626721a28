"""Spread of token vectors: how far apart a batch's tokens are in the encoder; near 0 it tells none from another.

A spread that falls to 0 is the extreme case of anisotropy (arXiv 1909.00512, section 4.1). The sums below add up over
the slices and replicas of a batch, as all that training shows.
"""

from __future__ import annotations

from typing import Dict

import tensorflow.compat.v1 as tf

from albert.model.encoder import TransformerModel
from albert.model.types import Tensor

TOKEN_SPREAD = "token_spread"
_COUNT, _SUM, _SQUARES = _SUMS = ("spread_count", "spread_sum", "spread_squares")


def spread_sums(model: TransformerModel) -> Dict[str, Tensor]:
    """Builds the sums of which `with_spread` makes the spread: a scalar, and two of [H]; none for a model whose only
    layer does not hold every token.
    """
    vectors = model.get_token_vectors()
    if vectors is None:
        return {}
    vectors = tf.stop_gradient(tf.cast(vectors, tf.float32))
    weights = tf.expand_dims(_is_word(model.input_mask, model.token_type_ids), -1)  # [B, S, 1]
    return {
        _COUNT: tf.reduce_sum(weights),
        _SUM: tf.reduce_sum(weights * vectors, axis=[0, 1]),
        _SQUARES: tf.reduce_sum(weights * tf.square(vectors), axis=[0, 1]),
    }


def _is_word(input_mask: Tensor, token_type_ids: Tensor) -> Tensor:
    """[B, S]: 1 for tokens of the text, 0 for padding, [CLS] (the first) and [SEP] (the last of each segment)."""
    # Padding counts as a segment of its own, and so does what follows the last position.
    segments = tf.where(tf.cast(input_mask, tf.bool), token_type_ids, tf.fill(tf.shape(input_mask), -1))
    after = tf.pad(segments[:, 1:], [[0, 0], [0, 1]], constant_values=-1)
    is_word = tf.cast(tf.equal(segments, after), tf.float32) * tf.cast(input_mask, tf.float32)
    return tf.pad(is_word[:, 1:], [[0, 0], [1, 0]])


def with_spread(watched: Dict[str, Tensor]) -> Dict[str, Tensor]:
    """Replaces the sums of a whole batch by the spread: the standard deviation over its tokens, mean of dimensions."""
    if _COUNT not in watched:
        return watched
    count = tf.maximum(watched[_COUNT], 1.0)
    mean = watched[_SUM] / count
    variance = tf.maximum(watched[_SQUARES] / count - tf.square(mean), 0.0)
    shown = {name: value for name, value in watched.items() if name not in _SUMS}
    return dict(shown, **{TOKEN_SPREAD: tf.reduce_mean(tf.sqrt(variance))})
