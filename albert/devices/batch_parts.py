"""Parts of a batch for replicas: together they are the batch of one device."""

from __future__ import annotations

from typing import Any, Callable, Dict

import tensorflow.compat.v1 as tf


def split_among(
    input_fn: Callable[[Dict[str, Any]], Any], num_parts: int, first_part: int = 0, num_taken: int = 1
) -> Callable[[Dict[str, Any]], Any]:
    """Makes an input_fn that reads the batches of another and gives parts of them, one after the other.

    Args:
      input_fn: gives a dataset of batches (a dict of tensors) whose size `num_parts` divides.
      num_parts: equal parts of every batch.
      first_part: the first part that is given.
      num_taken: the number of parts that are given, in order.
    """

    def divided(params: Dict[str, Any]) -> Any:
        batches = input_fn(params)
        options = tf.data.Options()
        distribute = options.experimental_distribute
        if hasattr(distribute, "auto_shard_policy"):
            distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
        else:  # TensorFlow 1.15
            distribute.auto_shard = False
        return batches.flat_map(parts).with_options(options)

    def parts(batch: Dict[str, Any]) -> Any:
        taken = {name: _parts(value, num_parts)[first_part : first_part + num_taken] for name, value in batch.items()}
        return tf.data.Dataset.from_tensor_slices(taken)

    return divided


def _parts(value: Any, num_parts: int) -> Any:
    """A batch of any rank, [B, …], as [num_parts, B / num_parts, …]."""
    static = value.shape.as_list()
    shape = tf.shape(value)
    divided = tf.reshape(value, tf.concat([[num_parts, shape[0] // num_parts], shape[1:]], axis=0))
    divided.set_shape([num_parts, static[0] // num_parts if static[0] else None] + static[1:])
    return divided
