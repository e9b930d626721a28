"""The gradients of one update: over a batch of any size, in slices that fit the memory, on one replica or several.

What is trained is an `Objective` of sums. Sums over the slices of a batch and over replicas add up to those of the
whole batch, so one device with all the memory, one that works slice by slice and many that share the work agree.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import tensorflow.compat.v1 as tf

import optimization
from albert.model import compute

Features = Dict[str, Any]  # tensors whose first axis is the batch
Scalars = Dict[str, Any]


class Objective(NamedTuple):
    """What an update minimises.

    Attributes:
      totals: from features, the sums by name that losses and accuracies will be divided by, of these examples alone.
      terms: from features and the totals of the whole batch, these examples' share of the loss and of the other
        scalars to show; the shares of all examples add up to the batch's.
    """

    totals: Callable[[Features], Scalars]
    terms: Callable[[Features, Scalars], Tuple[Any, Scalars]]


class Division(NamedTuple):
    """How a batch is divided.

    Attributes:
      num_slices: a replica's examples are worked on in so many equal parts, one after the other.
      replica: this replica's number, a scalar tensor or int.
      num_replicas: replicas.
      sum_replicas: adds up a list of tensors over all replicas, each of which gets the sums.
    """

    num_slices: int = 1
    replica: Any = 0
    num_replicas: int = 1
    sum_replicas: Callable[[List[Any]], List[Any]] = list


class BatchGradients(NamedTuple):
    """What the whole batch says."""

    loss: Any
    watched: Scalars
    variables: List[Any]
    gradients: List[Any]  # as the variables


def batch_gradients(
    objective: Objective,
    features: Features,
    division: Division,
    *,
    seed: int,
    step: Any,
    loss_scale: Optional[Any] = None,
) -> BatchGradients:
    """Builds the loss, the watched scalars and the gradients of the whole batch.

    Args:
      objective: what is minimised.
      features: this replica's examples; their number is a multiple of `division.num_slices`.
      division: how the batch is divided.
      seed: of dropout.
      step: the update about to be made, a scalar tensor: dropout draws anew for each.
      loss_scale: the gradients are taken of the loss times this, and divided by it once they are added up.
    """
    names_and_totals = sorted(objective.totals(features).items())
    sums = division.sum_replicas([total for _, total in names_and_totals])
    totals = {name: total for (name, _), total in zip(names_and_totals, sums)}
    structure: Dict[str, Any] = {}

    def slice_values(index: Any) -> List[Any]:
        turn = tf.cast(step, tf.int64) * division.num_replicas + tf.cast(division.replica, tf.int64)
        turn = turn * division.num_slices + tf.cast(index, tf.int64)
        with compute.scope(is_training=True, dropout_keys=compute.DropoutKeys(seed, turn)):
            loss, watched = objective.terms(_slice(features, index, division.num_slices), totals)
        structure["watched"] = sorted(watched)
        scaled_loss = loss if loss_scale is None else loss * loss_scale
        structure["variables"], gradients = optimization.dense_gradients(scaled_loss)
        return [loss, *(watched[name] for name in structure["watched"]), *gradients]

    values = division.sum_replicas(_sum_over_slices(slice_values, division.num_slices))
    num_scalars = 1 + len(structure["watched"])
    return BatchGradients(
        loss=values[0],
        watched=dict(zip(structure["watched"], values[1:num_scalars])),
        variables=structure["variables"],
        gradients=values[num_scalars:] if loss_scale is None else [g / loss_scale for g in values[num_scalars:]],
    )


def _slice(features: Features, index: Any, num_slices: int) -> Features:
    """The examples of one of the equal parts."""
    if num_slices == 1:
        return features
    parts = {}
    for name, value in features.items():
        batch, *rest = value.shape.as_list()
        size = batch // num_slices if batch else tf.shape(value)[0] // num_slices
        # Not value[a:b]: with a length known beforehand, TPUs cut anywhere.
        part = tf.slice(value, [index * size] + [0] * len(rest), [size] + [length or -1 for length in rest])
        part.set_shape([batch // num_slices if batch else None, *rest])
        parts[name] = part
    return parts


def _sum_over_slices(values: Callable[[Any], List[Any]], num_slices: int) -> List[Any]:
    """Adds up what `values` builds for each slice, with the memory of one slice."""
    # The first slice stands outside of the loop: it makes the variables, which a loop must find there.
    sums = values(tf.constant(0))
    if num_slices == 1:
        return sums

    def add(index: Any, *sums: Any) -> List[Any]:
        with tf.variable_scope(tf.get_variable_scope(), reuse=True):
            return [index + 1, *(total + value for total, value in zip(sums, values(index)))]

    with tf.control_dependencies(sums):  # or the second slice would be worked on beside the first
        second = tf.constant(1)
    results = tf.while_loop(
        lambda index, *_: index < num_slices, add, [second, *sums], parallel_iterations=1, back_prop=False
    )
    return results[1:]
