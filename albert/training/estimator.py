"""Estimator of a training run: on a TPU, a GPU or a CPU, or on several devices."""

from __future__ import annotations

from typing import Any, Callable, Optional

import tensorflow.compat.v1 as tf

from albert.checkpoints.training_folder import latest_checkpoint
from albert.devices.cluster import alone
from albert.devices.divided_training import DividedTraining
from albert.devices.selection import session_config
from albert.devices.tpu import check_tpu, find_tpu
from albert.files.literal_paths import literal_path
from albert.training.settings import TrainingSettings

_TPU_SUMMARY_STEPS = 100  # a TPU has no hooks that could write them


def make_estimator(
    settings: TrainingSettings,
    model_fn: Callable[..., Any],
    *,
    predict_batch_size: Optional[int] = None,
    is_training: bool = False,
) -> Any:
    """Makes the TPUEstimator of the output folder; for training, one that divides batches among several devices.

    Args:
      settings: of the run.
      model_fn: returns a TPUEstimatorSpec.
      predict_batch_size: rows of a prediction step; those of an evaluation step by default.
      is_training: whether it trains, and does nothing else.
    """
    if is_training and settings.devices.num_replicas > 1:
        return DividedTraining(
            settings.devices,
            model_fn,
            output_dir=literal_path(settings.output_dir),
            batch_size=settings.train_batch_size,
            seed=settings.seed,
            keep_checkpoint_max=settings.keep_checkpoint_max,
            save_checkpoints_steps=settings.save_checkpoints_steps,
            last_checkpoint=lambda: latest_checkpoint(settings.output_dir),
            use_xla=settings.use_xla,
        )
    with alone():
        config = _run_config(settings, is_training)
    return tf.estimator.tpu.TPUEstimator(
        use_tpu=settings.use_tpu,
        model_fn=model_fn,
        config=config,
        train_batch_size=settings.train_batch_size,
        eval_batch_size=settings.eval_batch_size,
        predict_batch_size=predict_batch_size or settings.eval_batch_size,
    )


def _run_config(settings: TrainingSettings, is_training: bool) -> Any:
    is_compiled = is_training and settings.use_xla and not settings.use_tpu
    cluster = None
    if settings.use_tpu:
        check_tpu(settings.tpu_name, settings.master)
        if settings.tpu_name:
            cluster = find_tpu(settings.tpu_name, settings.tpu_zone, settings.gcp_project)
    return tf.estimator.tpu.RunConfig(
        cluster=cluster,
        master=settings.master,
        model_dir=literal_path(settings.output_dir),
        tf_random_seed=settings.seed,
        save_checkpoints_steps=settings.save_checkpoints_steps,
        keep_checkpoint_max=settings.keep_checkpoint_max,
        save_summary_steps=_TPU_SUMMARY_STEPS if settings.use_tpu else None,  # albert.monitor.events writes them
        log_step_count_steps=None,
        session_config=session_config(settings.devices, use_xla=True) if is_compiled else None,
        tpu_config=tf.estimator.tpu.TPUConfig(
            iterations_per_loop=settings.iterations_per_loop,
            num_shards=settings.num_tpu_cores,
            per_host_input_for_training=tf.estimator.tpu.InputPipelineConfig.PER_HOST_V2,
        ),
    )
