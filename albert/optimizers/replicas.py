"""One training step on several replicas: the same update of each one's copy of the weights.

Written for the replica context of the strategies of `tf.distribute` that mirror variables; outside of one there is a
single replica and nothing special to do.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Sequence, Tuple

import tensorflow.compat.v1 as tf

MakeHooks = Callable[[Dict[str, Any]], List[Any]]


def reported_loss(loss: Any) -> Any:
    """The loss for the Estimator, which adds up those of all replicas: a share of the whole batch's."""
    if not tf.distribute.has_strategy():
        return loss
    return loss / tf.distribute.get_replica_context().num_replicas_in_sync


def apply_gradients(optimizer: Any, gradients_and_variables: Sequence[Tuple[Any, Any]]) -> Any:
    """The op that makes an optimizer's update, on every replica, for gradients that are the whole batch's on each.

    `tf.train.Optimizer.apply_gradients` would add them up over the replicas once more.

    Args:
      optimizer: a tf.train.Optimizer, every replica its own.
      gradients_and_variables: dense gradients.
    """
    if not tf.distribute.has_strategy():
        return optimizer.apply_gradients(gradients_and_variables)
    gradients, variables = (list(column) for column in zip(*gradients_and_variables))

    def update_all(strategy: Any, gradients: List[Any], variables: List[Any]) -> Any:
        optimizer._create_slots(variables)
        updates = []
        for gradient, variable in zip(gradients, variables):
            pairs = zip(strategy.experimental_local_results(gradient), strategy.experimental_local_results(variable))
            for copys_gradient, copy in pairs:
                with tf.device(copy.device), tf.name_scope("update"):
                    updates.append(optimizer._resource_apply_dense(copys_gradient, copy))
        return tf.group(*updates)

    # The replicas meet here: every update waits for the gradients of all.
    return tf.distribute.get_replica_context().merge_call(update_all, args=(gradients, variables))


def once_per_graph(make_hooks: MakeHooks) -> MakeHooks:
    """The same hooks for all replicas of a graph: those that the first one makes, which is built before the others."""
    made: Dict[str, Any] = {}

    def make_once(tensors: Dict[str, Any]) -> List[Any]:
        graph = tf.get_default_graph()
        if made.get("graph") is not graph:
            made.update(graph=graph, hooks=make_hooks(tensors))
        return made["hooks"]

    return make_once
