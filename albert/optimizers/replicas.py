"""Replicas of a training step: each makes the same update of its own copy of the weights.

For the replica context of `tf.distribute` strategies that mirror variables; outside of one there is a single replica
and nothing special to do.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence, Tuple

import tensorflow.compat.v1 as tf

from albert.model.types import Tensor

MakeHooks = Callable[[Dict[str, Tensor]], List[Any]]


def reported_loss(loss: Tensor) -> Tensor:
    """Returns the loss for the Estimator, which adds up all replicas: a share of the loss of the whole batch."""
    if not tf.distribute.has_strategy():
        return loss
    return loss / tf.distribute.get_replica_context().num_replicas_in_sync


def apply_gradients(optimizer: Any, gradients_and_variables: Sequence[Tuple[Tensor, Tensor]]) -> Tensor:
    """Builds the update on every replica by gradients of the whole batch, which all replicas have.

    `tf.train.Optimizer.apply_gradients` would add the gradients up over the replicas once more.

    Args:
      optimizer: a tf.train.Optimizer; every replica has its own.
      gradients_and_variables: dense gradients.
    """
    if not tf.distribute.has_strategy():
        return optimizer.apply_gradients(gradients_and_variables)
    gradients, variables = (list(column) for column in zip(*gradients_and_variables))

    def update_all(strategy: Any, gradients: List[Tensor], variables: List[Tensor]) -> Tensor:
        optimizer._create_slots(variables)
        updates = []
        for gradient, variable in zip(gradients, variables):
            pairs = zip(strategy.experimental_local_results(gradient), strategy.experimental_local_results(variable))
            for copys_gradient, copy in pairs:
                with tf.device(copy.device), tf.name_scope("update"):
                    updates.append(optimizer._resource_apply_dense(copys_gradient, copy))
        return tf.group(*updates)

    # The replicas meet here: every update waits for the gradients of all replicas.
    return tf.distribute.get_replica_context().merge_call(update_all, args=(gradients, variables))


def once_per_graph(make_hooks: MakeHooks) -> MakeHooks:
    """Returns a function that makes hooks for the first replica of a graph and returns the same ones for the others."""
    made: Dict[str, Any] = {}

    def make_once(tensors: Dict[str, Tensor]) -> List[Any]:
        graph = tf.get_default_graph()
        if made.get("graph") is not graph:
            made.update(graph=graph, hooks=make_hooks(tensors))
        return made["hooks"]

    return make_once
