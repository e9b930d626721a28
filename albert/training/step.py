"""One step of training, for any objective: slices, replicas, gradients, update, and the specs of an Estimator.

What is trained is an `Objective` of sums. Sums over the slices of a batch and over replicas add up to those of the
whole batch, so one device with all the memory, one that works slice by slice and many that share the work agree.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import tensorflow.compat.v1 as tf

import optimization
from albert.checkpoints.parts import is_frozen
from albert.checkpoints.warm_start import warm_start_variables
from albert.devices import precision
from albert.model import compute
from albert.model.spread import with_spread
from albert.model.types import Tensor
from albert.monitor.slow_worker import REPLICA_SECONDS
from albert.optimizers import replicas
from albert.optimizers.loss_scale import create_loss_scale

Features = Dict[str, Tensor]  # tensors whose first axis is the batch
Scalars = Dict[str, Tensor]
MakeHooks = Callable[[Scalars], List[Any]]
MetricFn = Callable[..., Dict[str, Tuple[Tensor, Tensor]]]


class Objective(NamedTuple):
    """Objective of an update.

    Attributes:
      totals: from features, the sums by name that losses and accuracies will be divided by, of these examples alone.
      terms: from features and the totals of the whole batch, these examples' share of the loss and of the other
        scalars to show; the shares of all examples add up to the batch's. The sums of `spread.spread_sums` may be
        among them: shown is the spread.
    """

    totals: Callable[[Features], Scalars]
    terms: Callable[[Features, Scalars], Tuple[Tensor, Scalars]]


class Division(NamedTuple):
    """Division of a batch into slices and replicas.

    Attributes:
      num_slices: equal parts of a replica's examples, computed one after the other.
      replica: this replica's number, a scalar tensor or int.
      num_replicas: replicas.
      sum_replicas: adds up a list of tensors over all replicas, each of which gets the sums.
    """

    num_slices: int = 1
    replica: Tensor = 0
    num_replicas: int = 1
    sum_replicas: Callable[[List[Tensor]], List[Tensor]] = list


class BatchGradients(NamedTuple):
    """Loss, watched scalars and gradients of the whole batch."""

    loss: Tensor
    watched: Scalars
    variables: List[Any]
    gradients: List[Tensor]  # as the variables


def batch_gradients(
    objective: Objective,
    features: Features,
    division: Division,
    *,
    seed: int,
    step: Tensor,
    loss_scale: Optional[Tensor] = None,
    is_moved: Callable[[str], bool] = bool,
) -> BatchGradients:
    """Builds the loss, the watched scalars and the gradients of the whole batch.

    Args:
      objective: what is minimised.
      features: this replica's examples; their number is a multiple of `division.num_slices`.
      division: how the batch is divided.
      seed: of dropout.
      step: the update about to be made, a scalar tensor: dropout draws other numbers in each.
      loss_scale: the gradients are taken of the loss times this, and divided by it once they are added up.
      is_moved: whether the variable of a name is trained.
    """
    names_and_totals = sorted(objective.totals(features).items())
    sums = division.sum_replicas([total for _, total in names_and_totals])
    totals = {name: total for (name, _), total in zip(names_and_totals, sums)}
    structure: Dict[str, Any] = {}

    def slice_values(index: Tensor) -> List[Tensor]:
        turn = tf.cast(step, tf.int64) * division.num_replicas + tf.cast(division.replica, tf.int64)
        turn = turn * division.num_slices + tf.cast(index, tf.int64)
        with compute.scope(is_training=True, dropout_keys=compute.DropoutKeys(seed, turn)):
            loss, watched = objective.terms(_slice(features, index, division.num_slices), totals)
        structure["watched"] = sorted(watched)
        scaled_loss = loss if loss_scale is None else loss * loss_scale
        structure["variables"], gradients = optimization.dense_gradients(scaled_loss, is_moved=is_moved)
        return [loss, *(watched[name] for name in structure["watched"]), *gradients]

    values = division.sum_replicas(_sum_over_slices(slice_values, division.num_slices))
    num_scalars = 1 + len(structure["watched"])
    return BatchGradients(
        loss=values[0],
        watched=dict(zip(structure["watched"], values[1:num_scalars])),
        variables=structure["variables"],
        gradients=values[num_scalars:] if loss_scale is None else [g / loss_scale for g in values[num_scalars:]],
    )


def _slice(features: Features, index: Tensor, num_slices: int) -> Features:
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


def _sum_over_slices(values: Callable[[Tensor], List[Tensor]], num_slices: int) -> List[Tensor]:
    """Adds up what `values` builds for each slice, with the memory of one slice."""
    # The first slice stands outside of the loop: it makes the variables, which a loop must find there.
    sums = values(tf.constant(0))
    if num_slices == 1:
        return sums

    def add(index: Tensor, *sums: Tensor) -> List[Tensor]:
        with tf.variable_scope(tf.get_variable_scope(), reuse=True):
            return [index + 1, *(total + value for total, value in zip(sums, values(index)))]

    with tf.control_dependencies(sums):  # or the second slice would be computed beside the first
        second = tf.constant(1)
    results = tf.while_loop(
        lambda index, *_: index < num_slices, add, [second, *sums], parallel_iterations=1, back_prop=False
    )
    return results[1:]


def divide(features: Features, num_slices: int, use_tpu: bool) -> Division:
    """Finds how the batch is divided; `features` are the part of the replica that is being built."""
    if use_tpu:
        # A TPU's graph does not know its number: its input identifies the replica.
        number = tf.reduce_sum(tf.cast(features["input_ids"], tf.int64))
        return Division(num_slices, replica=number, num_replicas=1 << 31, sum_replicas=_sum_over_tpu)
    if not tf.distribute.has_strategy():
        return Division(num_slices)
    context = tf.distribute.get_replica_context()
    return Division(
        num_slices,
        replica=context.replica_id_in_sync_group,
        num_replicas=context.num_replicas_in_sync,
        sum_replicas=TimedSums(),
    )


class TimedSums:
    """Sums over the replicas of a strategy, which bring along how long each replica worked before it had to wait.

    Attributes:
      seconds: [replicas], from the start of the step to the last sums that were built, without waiting for others. By
        the time of day of each machine: a clock that is set distorts one step.
    """

    def __init__(self) -> None:
        """Creates the function; the time of the step begins here."""
        context = tf.distribute.get_replica_context()
        self._own = tf.one_hot(context.replica_id_in_sync_group, context.num_replicas_in_sync)
        self._since = tf.timestamp()
        self._worked = tf.constant(0.0)
        self.seconds = tf.zeros([context.num_replicas_in_sync])

    def __call__(self, tensors: List[Tensor]) -> List[Tensor]:
        """Adds up tensors over the replicas."""
        with tf.control_dependencies(tensors):
            self._worked += tf.cast(tf.timestamp() - self._since, tf.float32)
        *sums, self.seconds = _sums([*tensors, self._own * self._worked])
        with tf.control_dependencies(sums):
            self._since = tf.timestamp()
        return sums


def _sums(tensors: List[Tensor]) -> List[Tensor]:
    """Adds up tensors over the replicas of a strategy, in one collective op.

    With an op for each, TensorFlow 1.15's graph optimizer would join them, and not in the same way on every worker.
    """
    sizes = [tensor.shape.num_elements() for tensor in tensors]
    packed = tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], axis=0)
    # The replica context's all_reduce would trace its own gradient, and there are no variables for that.
    total = tf.distribute.get_replica_context().merge_call(_reduce, args=(packed,))
    return [
        tf.reshape(part, tensor.shape.as_list()) for part, tensor in zip(tf.split(tf.identity(total), sizes), tensors)
    ]


def _reduce(strategy: Any, packed: Tensor) -> Tensor:
    return strategy.extended.batch_reduce_to(tf.distribute.ReduceOp.SUM, [(packed, packed)])[0]


def _sum_over_tpu(tensors: List[Tensor]) -> List[Tensor]:
    return [tf.tpu.cross_replica_sum(tensor) for tensor in tensors]


class TrainingSetup(NamedTuple):
    """Set-up of a model_fn: all that it needs beside the model.

    Attributes:
      optimizer: see `optimization.OptimizerSettings`; None where nothing is trained.
      init_checkpoint: weights to start from, or None.
      init_from_group_0: whether every group of layers starts from the checkpoint's group 0.
      use_tpu: whether the graph is built for TPU.
      make_hooks: makes training hooks that watch the named scalar tensors (and, where replicas share the batch, the
        seconds of each one's own work in a step, [replicas]); not called for TPU.
      seed: of dropout.
      gradient_accumulation_steps: slices of a batch that are computed one after the other.
      precision: of the products in training, see `precision`.
      recompute: whether layers keep only their input and are computed again for the gradients.
      freeze_encoder: whether the head alone is trained, with the pooler that it reads.
    """

    optimizer: Optional[optimization.OptimizerSettings] = None
    init_checkpoint: Optional[str] = None
    init_from_group_0: bool = False
    use_tpu: bool = False
    make_hooks: Optional[MakeHooks] = None
    seed: int = 0
    gradient_accumulation_steps: int = 1
    precision: str = precision.FLOAT32
    recompute: bool = False
    freeze_encoder: bool = False

    def is_moved(self, name: str) -> bool:
        """Whether training moves the variable of a name."""
        return not self.freeze_encoder or not is_frozen(name)


def warm_start(setup: TrainingSetup) -> Optional[Callable[[], Any]]:
    """Starts the graph's variables from the checkpoint; returns the scaffold_fn in which a TPU wants it done."""
    checkpoint = setup.init_checkpoint
    if checkpoint is None:
        return None
    if not setup.use_tpu:
        warm_start_variables(checkpoint, setup.init_from_group_0)
        return None

    def scaffold_fn() -> Any:
        warm_start_variables(checkpoint, setup.init_from_group_0)
        return tf.train.Scaffold()

    return scaffold_fn


def training_spec(objective: Objective, features: Features, setup: TrainingSetup) -> Any:
    """Builds the TPUEstimatorSpec of a training step.

    Args:
      objective: what is minimised.
      features: a batch.
      setup: see `TrainingSetup`.
    """
    assert setup.optimizer is not None, "a set-up without an optimizer trains nothing"
    step = tf.train.get_or_create_global_step()
    division = divide(features, setup.gradient_accumulation_steps, setup.use_tpu)
    loss_scale = create_loss_scale() if setup.precision == precision.FLOAT16 else None
    with compute.scope(matmul_dtype=precision.matmul_dtype(setup.precision), recompute=setup.recompute):
        scale = loss_scale.scale if loss_scale else None
        batch = batch_gradients(
            objective,
            features,
            division,
            seed=setup.seed,
            step=step,
            loss_scale=scale,
            is_moved=setup.is_moved,
        )
    scaffold_fn = warm_start(setup)
    update = optimization.apply_gradients(batch.variables, batch.gradients, setup.optimizer, loss_scale)
    hooks: List[Any] = []
    if not setup.use_tpu:
        norm = update.gradient_norm
        if loss_scale:  # an overflow is no alarm: it lowers the scale
            norm = tf.where(tf.is_finite(norm), norm, tf.zeros_like(norm))
        watched = dict(
            with_spread(batch.watched), loss=batch.loss, learning_rate=update.learning_rate, gradient_norm=norm
        )
        if isinstance(division.sum_replicas, TimedSums):
            watched[REPLICA_SECONDS] = division.sum_replicas.seconds
        hooks = setup.make_hooks(watched) if setup.make_hooks else []
    return tf.estimator.tpu.TPUEstimatorSpec(
        mode=tf.estimator.ModeKeys.TRAIN,
        loss=replicas.reported_loss(batch.loss),
        train_op=update.train_op,
        scaffold_fn=scaffold_fn,
        training_hooks=hooks,
    )


def evaluation_spec(loss: Tensor, setup: TrainingSetup, metric_fn: MetricFn, tensors: List[Tensor]) -> Any:
    """Builds the TPUEstimatorSpec of an evaluation; `metric_fn` gets the tensors, on TPU gathered from all shards."""
    return tf.estimator.tpu.TPUEstimatorSpec(
        mode=tf.estimator.ModeKeys.EVAL,
        loss=loss,
        eval_metrics=(metric_fn, tensors),
        scaffold_fn=warm_start(setup),
    )
