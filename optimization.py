"""Optimization step of all training: schedule, clipping, optimizer, step counter (docs/en/optimizers.md)."""

from __future__ import annotations

from typing import Callable, List, NamedTuple, Optional, Tuple

import tensorflow.compat.v1 as tf

from albert.model.types import Tensor
from albert.optimizers import replicas
from albert.optimizers.adamw import NORMS_AND_BIASES, AdamWeightDecayOptimizer
from albert.optimizers.loss_scale import LossScale
from albert.optimizers.names import OPTIMIZERS
from lamb_optimizer import LAMBOptimizer


class OptimizerSettings(NamedTuple):
    """Settings of the optimizer and of the learning rate's schedule.

    Attributes:
      learning_rate: the learning rate at its peak.
      num_train_steps: updates until the learning rate is 0.
      num_warmup_steps: updates of linear warm-up.
      optimizer: "lamb" or "adamw".
      poly_power: power of the decay.
      start_warmup_step: the update at which the warm-up begins.
      weight_decay_rate: decoupled weight decay.
      clip_norm: the largest global norm of the gradients.
      exclude_from_layer_adaptation: patterns of variables whose LAMB ratio is 1.
      bias_correction: whether the bias of the moments is corrected.
    """

    learning_rate: float
    num_train_steps: int
    num_warmup_steps: int = 0
    optimizer: str = "adamw"
    poly_power: float = 1.0
    start_warmup_step: int = 0
    weight_decay_rate: float = 0.01
    clip_norm: float = 1.0
    exclude_from_layer_adaptation: Tuple[str, ...] = NORMS_AND_BIASES
    bias_correction: bool = False


class TrainStep(NamedTuple):
    """Op of one update, and the scalars to watch it by."""

    train_op: Tensor
    learning_rate: Tensor  # scalar, of this update
    gradient_norm: Tensor  # scalar, before clipping


def learning_rate_at(step: Tensor, settings: OptimizerSettings) -> Tensor:
    """Computes the learning rate (scalar tensor) of the update `step`, counted from 0."""
    step = tf.cast(step, tf.float32)
    progress = tf.minimum(step / settings.num_train_steps, 1.0)
    decayed = settings.learning_rate * tf.pow(1.0 - progress, settings.poly_power)
    if settings.num_warmup_steps <= 0:
        return decayed
    warmup_step = tf.maximum(step - settings.start_warmup_step, 0.0)
    warming = settings.learning_rate * warmup_step / settings.num_warmup_steps
    return tf.where(warmup_step < settings.num_warmup_steps, warming, decayed)


def create_optimizer(
    loss: Tensor,
    init_lr: float,
    num_train_steps: int,
    num_warmup_steps: Optional[int],
    use_tpu: bool,
    optimizer: str = "lamb",
    poly_power: float = 1.0,
    start_warmup_step: int = 0,
    colocate_gradients_with_ops: bool = False,
) -> Tensor:
    """Creates the op of one training step for a loss, by the published name and arguments.

    Args:
      loss: scalar; its gradients are taken for all trainable variables.
      init_lr: the learning rate at its peak.
      num_train_steps, num_warmup_steps, optimizer, poly_power, start_warmup_step: see `OptimizerSettings`.
      use_tpu: whether the graph is built for the shards of a TPU, whose gradients are averaged.
      colocate_gradients_with_ops: whether a gradient is computed on the device of its operation.
    """
    settings = OptimizerSettings(
        learning_rate=init_lr,
        num_train_steps=num_train_steps,
        num_warmup_steps=num_warmup_steps or 0,
        optimizer=optimizer,
        poly_power=poly_power,
        start_warmup_step=start_warmup_step,
    )
    variables, gradients = dense_gradients(loss, colocate_gradients_with_ops)
    if use_tpu:
        num_shards = tf.tpu.cross_replica_sum(tf.constant(1.0))
        gradients = [tf.tpu.cross_replica_sum(gradient) / num_shards for gradient in gradients]
    return apply_gradients(variables, gradients, settings).train_op


def optimizer_of(
    settings: OptimizerSettings, learning_rate: Tensor, step: Tensor, is_applied: Optional[Tensor] = None
) -> tf.train.Optimizer:
    """Builds the optimizer that the settings name.

    Args:
      settings: see `OptimizerSettings`.
      learning_rate: scalar tensor.
      step: the number of the update, from 0.
      is_applied: boolean scalar tensor; False leaves weights and slots as they are.
    """
    arguments = {
        "learning_rate": learning_rate,
        "weight_decay_rate": settings.weight_decay_rate,
        "bias_correction_step": step + 1 if settings.bias_correction else None,
        "is_applied": is_applied,
    }
    if settings.optimizer == "adamw":
        return AdamWeightDecayOptimizer(**arguments)
    if settings.optimizer == "lamb":
        return LAMBOptimizer(exclude_from_layer_adaptation=settings.exclude_from_layer_adaptation, **arguments)
    raise ValueError("optimizer must be one of {}, not {!r}".format(", ".join(OPTIMIZERS), settings.optimizer))


def dense_gradients(
    loss: Tensor, colocate_with_ops: bool = False, is_moved: Callable[[str], bool] = bool
) -> Tuple[List[Tensor], List[Tensor]]:
    """Returns the trainable variables that the loss depends on and its dense gradients, looked-up rows added up.

    Args:
      loss: scalar.
      colocate_with_ops: whether a gradient is computed on the device of its operation.
      is_moved: whether a variable of this name is wanted; by default all are.
    """
    variables = [variable for variable in tf.trainable_variables() if is_moved(variable.op.name)]
    found = tf.gradients(loss, variables, colocate_gradients_with_ops=colocate_with_ops)
    pairs = [(v, g) for v, g in zip(variables, found) if g is not None]
    return [v for v, _ in pairs], [tf.convert_to_tensor(g) for _, g in pairs]


def apply_gradients(
    variables: List[Tensor],
    gradients: List[Tensor],
    settings: OptimizerSettings,
    loss_scale: Optional[LossScale] = None,
) -> TrainStep:
    """Builds the update of the variables, after which the global step moves.

    Args:
      variables: the variables to move.
      gradients: their gradients for the whole batch.
      settings: see `OptimizerSettings`.
      loss_scale: the scale of the loss whose gradients they were; if they overflow, only the scale and the step
        counter move.
    """
    global_step = tf.train.get_or_create_global_step()
    step = tf.identity(global_step)
    learning_rate = learning_rate_at(step, settings)
    # Clipping also makes every update wait for all gradients, so no gradient is computed from a weight that has moved.
    clipped, gradient_norm = tf.clip_by_global_norm(gradients, settings.clip_norm)
    is_finite = tf.is_finite(gradient_norm) if loss_scale else None
    optimizer = optimizer_of(settings, learning_rate, step, is_finite)
    update = replicas.apply_gradients(optimizer, list(zip(clipped, variables)))
    if loss_scale:
        with tf.control_dependencies([update]):
            update = loss_scale.after_update(is_finite)
    # If the counter moved beside the update, this step would sometimes use the next step's learning rate.
    with tf.control_dependencies([update]):
        train_op = global_step.assign_add(1)
    return TrainStep(train_op, learning_rate, gradient_norm)
