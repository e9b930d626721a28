"""Pooling: how the vectors of a sequence's tokens become one vector."""

from __future__ import annotations

import tensorflow.compat.v1 as tf

from albert.model.types import Tensor

_FAR_BELOW = -1e30  # stands for padding where the largest value is taken

CLS, MEAN, MAX = "cls", "mean", "max"
# [B, S, H] outputs of a layer and a float [B, S, 1] mask -> [B, H].
_POOLINGS = {
    CLS: lambda x, mask: x[:, 0],
    MEAN: lambda x, mask: tf.reduce_sum(x * mask, axis=1) / tf.reduce_sum(mask, axis=1),
    MAX: lambda x, mask: tf.reduce_max(x + (1.0 - mask) * _FAR_BELOW, axis=1),
}
POOLINGS = tuple(_POOLINGS)


def pool(x: Tensor, input_mask: Tensor, pooling: str) -> Tensor:
    """Pools the tokens of each sequence: [B, S, H] -> [B, H].

    Args:
      x: outputs of a layer.
      input_mask: int [B, S], 0 for padding.
      pooling: "cls" (the first token), "mean" or "max" over all tokens, [CLS] and [SEP] among them.
    """
    return _POOLINGS[pooling](x, tf.expand_dims(tf.cast(input_mask, tf.float32), -1))
