"""The parts of a model_fn that both phases share: warm start, training spec, evaluation spec."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

import tensorflow.compat.v1 as tf

import optimization
from warm_start import warm_start_variables

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
    """

    optimizer: Optional[optimization.OptimizerSettings] = None
    init_checkpoint: Optional[str] = None
    init_from_group_0: bool = False
    use_tpu: bool = False
    make_hooks: Optional[MakeHooks] = None


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


def training_spec(loss: Any, setup: TrainingSetup, watched: Dict[str, Any]) -> Any:
    """The TPUEstimatorSpec of a training step.

    Args:
      loss: scalar.
      setup: see `TrainingSetup`.
      watched: more scalars to show beside loss, learning rate and gradient norm.
    """
    scaffold_fn = warm_start(setup)
    reduce_gradients = optimization.average_over_tpu_shards if setup.use_tpu else None
    step = optimization.create_train_step(loss, setup.optimizer, reduce_gradients)
    hooks: List[Any] = []
    if not setup.use_tpu:
        watched = dict(watched, loss=loss, learning_rate=step.learning_rate, gradient_norm=step.gradient_norm)
        for name, tensor in watched.items():
            if name != "loss":  # TPUEstimator writes that one
                tf.summary.scalar(name, tensor)
        hooks = setup.make_hooks(watched) if setup.make_hooks else []
    return tf.estimator.tpu.TPUEstimatorSpec(
        mode=tf.estimator.ModeKeys.TRAIN,
        loss=loss,
        train_op=step.train_op,
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
