"""Training run around any model_fn: checks, workers, the output folder, errors in words."""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import tempfile
from typing import Any, Dict, Iterator, Optional, Sequence, TypeVar

import tensorflow.compat.v1 as tf

from albert.base.bad_alloc import explain_bad_alloc
from albert.base.errors import UserError
from albert.base.paths import STARTER, STARTER_MODEL
from albert.checkpoints.card import RUN_CONFIG_FILE
from albert.checkpoints.model import find_weights
from albert.checkpoints.training_folder import latest_checkpoint
from albert.checkpoints.values import read_contents
from albert.devices.allocator import keep_memory
from albert.devices.cluster import WorkerCluster
from albert.devices.divided_training import start_server
from albert.devices.meeting import meet_workers
from albert.devices.precision import check_precision
from albert.devices.selection import check_batch, prepare_xla
from albert.devices.tpu import check_tpu
from albert.files.complete import write_json
from albert.files.literal_paths import with_real_paths
from albert.files.reading import describe_files
from albert.model.config import ModelConfig
from albert.monitor.evaluation import Evaluator
from albert.monitor.guards import NotFiniteError
from albert.monitor.observer import ObserverSettings, TrainingObserver
from albert.monitor.spread import collapse_cause
from albert.optimizers import replicas
from albert.training import plausible
from albert.training.environment import describe_environment
from albert.training.presets import PUBLISHED
from albert.training.settings import TrainingSettings
from albert.training.step import TrainingSetup
from optimization import OptimizerSettings

S = TypeVar("S", bound=TrainingSettings)

_log = logging.getLogger(__name__)

_NO_MEMORY = (
    "the memory of this machine does not suffice: a smaller --train_batch_size, --gradient_accumulation_steps, "
    "--recompute=True or a shorter --max_seq_length need less"
)
_GOES_ON = "the same command goes on from the last checkpoint, if there is one"
_OF_THE_CHIEF = {"do_eval": False, "do_predict": False, "export_dir": None}


def check_max_seq_length(settings: TrainingSettings, config: ModelConfig) -> None:
    """Raises `UserError` where sequences may be longer than the model's positions."""
    if settings.max_seq_length > config.max_position_embeddings:
        raise UserError(
            "--max_seq_length={} is over the model's {} positions".format(
                settings.max_seq_length, config.max_position_embeddings
            )
        )


def check_training(settings: TrainingSettings) -> None:
    """Raises `UserError` where the devices or the batch cannot do what the settings ask for."""
    if settings.use_xla and not settings.use_tpu:
        prepare_xla(settings.devices)
    if settings.use_tpu:
        check_tpu(settings.tpu_name, settings.master)
    check_precision(settings.precision, settings.use_tpu)
    check_batch(settings.devices, settings.train_batch_size, settings.gradient_accumulation_steps)


def settings_of_worker(settings: S) -> Optional[S]:
    """Settings of this process: of the workers of a cluster only the chief does more than train.

    Another worker waits here until the chief is ready to train.

    Returns:
      None where nothing is left for this process.
    """
    cluster = settings.devices.cluster
    if cluster is None or cluster.is_chief:
        return settings
    if not settings.do_train:
        _log.info("Nothing to do for %s: %s evaluates and predicts.", cluster.name(cluster.index), cluster.name(0))
        return None
    _meet_workers(settings, cluster)
    names = {field.name for field in dataclasses.fields(settings)}
    less: Dict[str, Any] = {name: _OF_THE_CHIEF[name] for name in names & set(_OF_THE_CHIEF)}
    return dataclasses.replace(settings, **less)


def _meet_workers(settings: TrainingSettings, cluster: WorkerCluster) -> None:
    # What was given, and is no path: those may differ from machine to machine, and defaults may follow from the model.
    plan = {
        "--" + name: value
        for name, value in settings.command_line.items()
        if name in settings.given and isinstance(value, (bool, int, float))
    }
    meet_workers(cluster, plan, settings.output_dir)
    start_server(cluster, settings.devices.kind)


def make_observer(
    settings: TrainingSettings, *, total_steps: int, warmup_steps: int, advice: str, evaluator: Optional[Evaluator]
) -> TrainingObserver:
    """Makes the observer of a training: log, guards, evaluations, curves.

    Args:
      settings: of the run.
      total_steps: the step at which training ends.
      warmup_steps: of its schedule.
      advice: what to do where training diverges.
      evaluator: evaluates checkpoints while training; None where nothing does.
    """
    watched = ObserverSettings(
        output_dir=settings.output_dir,
        total_steps=total_steps,
        warmup_steps=warmup_steps,
        batch_size=settings.train_batch_size,
        save_checkpoints_steps=settings.save_checkpoints_steps,
        log_every_steps=settings.log_every_steps,
        eval_every_steps=settings.eval_every_steps,
        early_stopping_evals=settings.early_stopping_evals,
        profile=settings.profile,
        use_tpu=settings.use_tpu,
        cluster=settings.devices.cluster,
    )
    cause = _collapse_cause(settings, warmup_steps)
    return TrainingObserver(watched, advice=advice, collapse_cause=cause, evaluator=evaluator)


def _collapse_cause(settings: TrainingSettings, warmup_steps: int) -> str:
    return collapse_cause(
        optimizer=settings.optimizer,
        has_bias_correction=settings.bias_correction,
        learning_rate=settings.learning_rate,
        warmup_steps=warmup_steps,
        is_from_published_start=getattr(settings, "initial_weights", None) == PUBLISHED
        and not settings.init_checkpoint,
    )


def training_setup(
    settings: TrainingSettings, optimizer: OptimizerSettings, observer: TrainingObserver, **more: Any
) -> TrainingSetup:
    """Makes the set-up of a model_fn for training; also prepares the process, and the cluster if there is one."""
    plausible.warn_of_settings(settings, optimizer)
    keep_memory()
    cluster = settings.devices.cluster
    if cluster and cluster.is_chief:
        _meet_workers(settings, cluster)
    start = starting_checkpoint(settings)
    if start is None and latest_checkpoint(settings.output_dir) is None and os.path.isdir(STARTER_MODEL):
        _log.info("Starting from random weights (--init_checkpoint=%s starts from the shipped tiny model).", STARTER)
    return TrainingSetup(
        optimizer=optimizer,
        init_checkpoint=start,
        use_tpu=settings.use_tpu,
        make_hooks=replicas.once_per_graph(observer.make_hooks),
        seed=settings.seed,
        gradient_accumulation_steps=settings.gradient_accumulation_steps,
        precision=settings.precision,
        recompute=settings.recompute,
        freeze_encoder=settings.freeze_encoder,
        **more,
    )


def prepare_output_dir(output_dir: str) -> None:
    """Makes the output folder.

    Raises:
      UserError: it cannot be made or written.
    """
    try:
        os.makedirs(output_dir, exist_ok=True)
        with tempfile.TemporaryFile(dir=output_dir):
            pass
    except OSError as error:
        raise UserError("cannot write into --output_dir={}: {}".format(output_dir, error.strerror)) from error


def save_run_config(settings: TrainingSettings, data_files: Sequence[str] = ()) -> None:
    """Saves in the output folder the resolved settings of the run, its environment and its data.

    Args:
      settings: of the run.
      data_files: those of its data that are small enough to be named with size and SHA-256.
    """
    if not settings.is_chief:
        return
    described: Dict[str, Any] = {"flags": settings.resolved(), "environment": describe_environment()}
    if data_files:
        described["data"] = describe_files(data_files)
    write_json(os.path.join(settings.output_dir, RUN_CONFIG_FILE), described)


def starting_checkpoint(settings: TrainingSettings) -> Optional[str]:
    """Finds the checkpoint to start from: none where the output folder already holds checkpoints.

    Raises:
      UserError: --init_checkpoint names none.
    """
    latest = latest_checkpoint(settings.output_dir)
    if latest:
        _check_trained_part(settings, latest)
        _log.info("Going on from %s (weights, optimizer, step); --init_checkpoint is not read again.", latest)
        return None
    return find_weights(settings.init_checkpoint) if settings.init_checkpoint else None


def _check_trained_part(settings: TrainingSettings, latest: str) -> None:
    """Raises `UserError` where the checkpoint to go on from trained another part of the model: its slots do not fit."""
    contents = read_contents(latest)
    if settings.do_train and contents.slots and contents.has_encoder_slots == settings.freeze_encoder:
        raise UserError(
            "the checkpoints in {} were trained with --freeze_encoder={}: give another --output_dir, and start from "
            "them with --init_checkpoint".format(settings.output_dir, not contents.has_encoder_slots)
        )


@contextlib.contextmanager
def explained_errors(output_dir: str, advice: str) -> Iterator[None]:
    """Turns TensorFlow's errors for a user's mistake into one sentence.

    Args:
      output_dir: of the run.
      advice: what to do where training diverges.

    Raises:
      UserError: damaged or missing records or checkpoints, a loss or gradient that is no number, no memory, no room on
        the disk, a TPU or machine that is gone.
    """
    explain_bad_alloc("{}; {}".format(_NO_MEMORY, _GOES_ON))
    try:
        yield
    except (NotFiniteError, tf.train.NanLossDuringTrainingError) as error:
        is_ours = isinstance(error, NotFiniteError)
        raise UserError(_diverged(str(error) if is_ours else "the loss is nan", output_dir, advice)) from error
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError) as error:
        raise UserError("a record file or checkpoint is damaged: {}".format(_first_line(error))) from error
    except tf.errors.NotFoundError as error:
        raise UserError("a file, or a weight of a checkpoint, is missing: {}".format(_first_line(error))) from error
    except tf.errors.ResourceExhaustedError as error:
        raise UserError(
            "out of memory or disk space: a smaller batch or shorter sequences need less: {}".format(_first_line(error))
        ) from error
    except MemoryError as error:
        raise UserError("{}; {}".format(_NO_MEMORY, _GOES_ON)) from error
    except (tf.errors.UnavailableError, tf.errors.DeadlineExceededError) as error:
        raise UserError(
            "a TPU or another machine does not answer any more ({}); {}".format(_first_line(error), _GOES_ON)
        ) from error


def _diverged(what: str, output_dir: str, advice: str) -> str:
    latest = latest_checkpoint(output_dir)
    rest = "there is no checkpoint yet"
    if latest:
        rest = "so changed, the same command goes on from the last good checkpoint, {}".format(latest)
    return "{}, and that step was not saved: {}; {}".format(what, advice, rest)


def _first_line(error: Any) -> str:
    return with_real_paths(str(error.message).splitlines()[0])
