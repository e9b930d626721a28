"""The parts of a model_fn that both phases share: warm start, training spec, evaluation spec."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import tensorflow.compat.v1 as tf

import optimization
from albert.checkpoints.warm_start import warm_start_variables
from albert.devices import batch_parts, precision
from albert.model import compute
from albert.optimizers import replicas
from albert.optimizers.loss_scale import create_loss_scale
from albert.training.step import Features, Objective, batch_gradients

MakeHooks = Callable[[Dict[str, Any]], List[Any]]
MetricFn = Callable[..., Dict[str, Tuple[Any, Any]]]


class TrainingSetup(NamedTuple):
    """What a model_fn needs beside the model.

    Attributes:
      optimizer: see `optimization.OptimizerSettings`; None where nothing is trained.
      init_checkpoint: weights to start from, or None.
      init_from_group_0: whether every group of layers starts from the checkpoint's group 0.
      use_tpu: whether the graph is built for TPU.
      make_hooks: makes training hooks that watch the named scalar tensors; not called for TPU.
      seed: of dropout.
      gradient_accumulation_steps: slices of a batch that are worked on one after the other.
      precision: of the products in training, see `precision`.
      recompute: whether layers keep only their input and are computed again for the gradients.
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


def warm_start(setup: TrainingSetup) -> Optional[Callable[[], Any]]:
    """Starts the graph's variables from the checkpoint; returns the scaffold_fn in which a TPU wants it done."""
    if setup.init_checkpoint is None:
        return None
    if not setup.use_tpu:
        warm_start_variables(setup.init_checkpoint, setup.init_from_group_0)
        return None

    def scaffold_fn() -> Any:
        warm_start_variables(setup.init_checkpoint, setup.init_from_group_0)
        return tf.train.Scaffold()

    return scaffold_fn


def training_spec(objective: Objective, features: Features, setup: TrainingSetup) -> Any:
    """The TPUEstimatorSpec of a training step.

    Args:
      objective: what is minimised.
      features: a batch.
      setup: see `TrainingSetup`.
    """
    step = tf.train.get_or_create_global_step()
    division = batch_parts.divide(features, setup.gradient_accumulation_steps, setup.use_tpu)
    loss_scale = create_loss_scale() if setup.precision == precision.FLOAT16 else None
    with compute.scope(matmul_dtype=precision.MATMUL_DTYPES[setup.precision], recompute=setup.recompute):
        scale = loss_scale.scale if loss_scale else None
        batch = batch_gradients(objective, features, division, seed=setup.seed, step=step, loss_scale=scale)
    scaffold_fn = warm_start(setup)
    update = optimization.apply_gradients(batch.variables, batch.gradients, setup.optimizer, loss_scale)
    hooks: List[Any] = []
    if not setup.use_tpu:
        norm = update.gradient_norm
        if loss_scale:  # an overflow is no alarm: it lowers the scale
            norm = tf.where(tf.is_finite(norm), norm, tf.zeros_like(norm))
        watched = dict(batch.watched, loss=batch.loss, learning_rate=update.learning_rate, gradient_norm=norm)
        for name, tensor in watched.items():
            if name != "loss":  # TPUEstimator writes that one
                tf.summary.scalar(name, tensor)
        hooks = setup.make_hooks(watched) if setup.make_hooks else []
    return tf.estimator.tpu.TPUEstimatorSpec(
        mode=tf.estimator.ModeKeys.TRAIN,
        loss=replicas.reported_loss(batch.loss),
        train_op=update.train_op,
        scaffold_fn=scaffold_fn,
        training_hooks=hooks,
    )


def evaluation_spec(loss: Any, setup: TrainingSetup, metric_fn: MetricFn, tensors: List[Any]) -> Any:
    """The TPUEstimatorSpec of an evaluation; `metric_fn` gets the tensors, on TPU gathered from all shards."""
    return tf.estimator.tpu.TPUEstimatorSpec(
        mode=tf.estimator.ModeKeys.EVAL,
        loss=loss,
        eval_metrics=(metric_fn, tensors),
        scaffold_fn=warm_start(setup),
    )
