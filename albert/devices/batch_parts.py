"""Each replica's part of a batch: whatever divides a batch, all parts together are the batch of one device."""

from __future__ import annotations

from typing import Any, Callable, Dict, List

import tensorflow.compat.v1 as tf

from albert.training.step import Division, Features


def split_among(
    input_fn: Callable[[Dict[str, Any]], Any], num_parts: int, first_part: int = 0, num_taken: int = 1
) -> Callable[[Dict[str, Any]], Any]:
    """An input_fn that reads the batches of another and gives parts of them, one after the other.

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


def divide(features: Features, num_slices: int, use_tpu: bool) -> Division:
    """How the batch is divided, of which `features` are the part of the replica that is being built."""
    if use_tpu:
        # A TPU's graph does not know its number: what it looks at tells replicas apart.
        number = tf.reduce_sum(tf.cast(features["input_ids"], tf.int64))
        return Division(num_slices, replica=number, num_replicas=1 << 31, sum_replicas=_sum_over_tpu)
    if not tf.distribute.has_strategy():
        return Division(num_slices)
    context = tf.distribute.get_replica_context()
    return Division(
        num_slices,
        replica=context.replica_id_in_sync_group,
        num_replicas=context.num_replicas_in_sync,
        sum_replicas=_sums,
    )


def _sums(tensors: List[Any]) -> List[Any]:
    """Adds up tensors over the replicas of a strategy, in one collective op.

    With an op for each, TensorFlow 1.15's graph optimizer would join them, and not in the same way on every worker.
    """
    sizes = [tensor.shape.num_elements() for tensor in tensors]
    packed = tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], axis=0)
    # The replica context's all_reduce would trace its own gradient, for which it looks for variables in vain.
    total = tf.distribute.get_replica_context().merge_call(_reduce, args=(packed,))
    return [
        tf.reshape(part, tensor.shape.as_list()) for part, tensor in zip(tf.split(tf.identity(total), sizes), tensors)
    ]


def _reduce(strategy: Any, packed: Any) -> Any:
    return strategy.extended.batch_reduce_to(tf.distribute.ReduceOp.SUM, [(packed, packed)])[0]


def _sum_over_tpu(tensors: List[Any]) -> List[Any]:
    return [tf.tpu.cross_replica_sum(tensor) for tensor in tensors]
