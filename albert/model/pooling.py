"""Pooling: how the vectors of a sequence's tokens become one vector.

TensorFlow is imported where it is used: command lines need the names alone.
"""

from __future__ import annotations

from albert.model.types import Tensor

_FAR_BELOW = -1e30  # stands for padding where the largest value is taken

CLS, MEAN, MAX = POOLINGS = ("cls", "mean", "max")


def pool(x: Tensor, input_mask: Tensor, pooling: str) -> Tensor:
    """Pools the tokens of each sequence: [B, S, H] -> [B, H].

    Args:
      x: outputs of a layer.
      input_mask: int [B, S], 0 for padding.
      pooling: "cls" (the first token), "mean" or "max" over all tokens, [CLS] and [SEP] among them.
    """
    import tensorflow.compat.v1 as tf

    if pooling == CLS:
        return x[:, 0]
    mask = tf.expand_dims(tf.cast(input_mask, tf.float32), -1)
    if pooling == MEAN:
        return tf.reduce_sum(x * mask, axis=1) / tf.reduce_sum(mask, axis=1)
    return tf.reduce_max(x + (1.0 - mask) * _FAR_BELOW, axis=1)
