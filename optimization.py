"""One training step for both phases: schedule, clipping, optimizer, step counter (docs/en/optimizers.md)."""

from __future__ import annotations

from typing import Any, List, NamedTuple, Optional, Tuple

import tensorflow.compat.v1 as tf

from albert.optimizers import replicas
from albert.optimizers.adamw import NORMS_AND_BIASES, AdamWeightDecayOptimizer
from albert.optimizers.loss_scale import LossScale
from lamb_optimizer import LAMBOptimizer

OPTIMIZERS = ("lamb", "adamw")


class OptimizerSettings(NamedTuple):
    """How weights move.

    Attributes:
      learning_rate: at its peak.
      num_train_steps: updates until the learning rate is 0.
      num_warmup_steps: updates of linear warm-up.
      optimizer: "lamb" or "adamw".
      poly_power: power of the decay.
      start_warmup_step: the update at which the warm-up begins.
      weight_decay_rate: decoupled weight decay.
      clip_norm: bound of the gradients' global norm.
      exclude_from_layer_adaptation: patterns of variables whose LAMB ratio is 1.
      bias_correction: whether the moments' bias is corrected.
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
    """The op that makes one update, and what it can be watched by."""

    train_op: Any
    learning_rate: Any  # scalar, of this update
    gradient_norm: Any  # scalar, before clipping


def learning_rate_at(step: Any, settings: OptimizerSettings) -> Any:
    """The learning rate (scalar tensor) of the update `step`, counted from 0."""
    step = tf.cast(step, tf.float32)
    progress = tf.minimum(step / settings.num_train_steps, 1.0)
    decayed = settings.learning_rate * tf.pow(1.0 - progress, settings.poly_power)
    if settings.num_warmup_steps <= 0:
        return decayed
    warmup_step = tf.maximum(step - settings.start_warmup_step, 0.0)
    warming = settings.learning_rate * warmup_step / settings.num_warmup_steps
    return tf.where(warmup_step < settings.num_warmup_steps, warming, decayed)


def create_optimizer(
    loss: Any,
    init_lr: float,
    num_train_steps: int,
    num_warmup_steps: Optional[int],
    use_tpu: bool,
    optimizer: str = "lamb",
    poly_power: float = 1.0,
    start_warmup_step: int = 0,
) -> Any:
    """Creates the op of one training step for a loss, by the published name and arguments.

    Args:
      loss: scalar; its gradients are taken for all trainable variables.
      init_lr: the learning rate at its peak.
      num_train_steps, num_warmup_steps, optimizer, poly_power, start_warmup_step: see `OptimizerSettings`.
      use_tpu: whether the graph is built for the shards of a TPU, whose gradients are averaged.
    """
    settings = OptimizerSettings(
        learning_rate=init_lr,
        num_train_steps=num_train_steps,
        num_warmup_steps=num_warmup_steps or 0,
        optimizer=optimizer,
        poly_power=poly_power,
        start_warmup_step=start_warmup_step,
    )
    variables, gradients = dense_gradients(loss)
    if use_tpu:
        num_shards = tf.tpu.cross_replica_sum(tf.constant(1.0))
        gradients = [tf.tpu.cross_replica_sum(gradient) / num_shards for gradient in gradients]
    return apply_gradients(variables, gradients, settings).train_op


def optimizer_of(
    settings: OptimizerSettings, learning_rate: Any, step: Any, is_applied: Optional[Any] = None
) -> tf.train.Optimizer:
    """The optimizer that `settings` names.

    Args:
      settings: see `OptimizerSettings`.
      learning_rate: scalar tensor.
      step: the update about to be made, counted from 0.
      is_applied: a boolean scalar tensor; where it is false, weights and slots stay as they are.
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


def dense_gradients(loss: Any) -> Tuple[List[Any], List[Any]]:
    """The trainable variables that the loss depends on, and its gradients, looked-up rows added up."""
    variables = tf.trainable_variables()
    pairs = [(v, g) for v, g in zip(variables, tf.gradients(loss, variables)) if g is not None]
    return [v for v, _ in pairs], [tf.convert_to_tensor(g) for _, g in pairs]


def apply_gradients(
    variables: List[Any], gradients: List[Any], settings: OptimizerSettings, loss_scale: Optional[LossScale] = None
) -> TrainStep:
    """Builds the update of the variables, after which the global step moves.

    Args:
      variables: what is to be moved.
      gradients: theirs, of the whole batch.
      settings: see `OptimizerSettings`.
      loss_scale: where the gradients were taken of a scaled loss: they may overflow, and then nothing but the scale
        and the step counter is moved.
    """
    global_step = tf.train.get_or_create_global_step()
    step = tf.identity(global_step)
    learning_rate = learning_rate_at(step, settings)
    # Clipping also makes every update wait for all gradients, so that none is taken from a moved weight.
    clipped, gradient_norm = tf.clip_by_global_norm(gradients, settings.clip_norm)
    is_finite = tf.is_finite(gradient_norm) if loss_scale else None
    optimizer = optimizer_of(settings, learning_rate, step, is_finite)
    update = replicas.apply_gradients(optimizer, list(zip(clipped, variables)))
    if loss_scale:
        with tf.control_dependencies([update]):
            update = loss_scale.after_update(is_finite)
    # Moved beside the update, the counter would sometimes lend the next step's learning rate to this one.
    with tf.control_dependencies([update]):
        train_op = global_step.assign_add(1)
    return TrainStep(train_op, learning_rate, gradient_norm)
