"""What every runner does around its model_fn: shared flags, the output folder, the Estimator, errors in words."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from typing import Any, Callable, Dict, Iterator, Optional, Sequence

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.base.flags import Flags
from albert.checkpoints.model import find_weights
from albert.checkpoints.training_folder import latest_checkpoint
from albert.devices import precision
from albert.devices.allocator import keep_memory
from albert.devices.cluster import alone
from albert.devices.divided_training import DividedTraining, start_server
from albert.devices.meeting import meet_workers
from albert.devices.selection import (
    Devices,
    check_batch,
    declare_device_flags,
    find_devices,
    prepare_xla,
    session_config,
)
from albert.files.complete import CompleteFile, write_json
from albert.files.reading import describe_files
from albert.monitor.figures import plain
from albert.monitor.guards import NotFiniteError
from albert.monitor.observer import TrainingObserver, declare_observer_flags
from albert.optimizers import replicas
from albert.training.environment import describe_environment
from albert.training.presets import declare_preset_flags
from albert.training.step import TrainingSetup
from optimization import OptimizerSettings

_log = logging.getLogger(__name__)

RUN_CONFIG_FILE = "run_config.json"
_CHIEFS_FLAGS = {"do_eval": False, "do_predict": False, "export_dir": None}


def declare_training_flags(flags: Flags) -> None:
    """The flags that all runners share, beside their own defaults."""
    flags.string("output_dir", None, "the folder for checkpoints, logs and results")
    flags.string("init_checkpoint", None, "weights to start from: a folder or a prefix")
    flags.integer("seed", 12345, "the seed of initial weights, shuffles and dropout")
    declare_observer_flags(flags)
    declare_preset_flags(flags)
    flags.integer("iterations_per_loop", 1000, "steps in one call to a TPU", minimum=1)
    flags.integer(
        "gradient_accumulation_steps", 1, "equal parts of a batch, worked on in turn to save memory", minimum=1
    )
    declare_device_flags(flags)
    flags.choice("precision", precision.FLOAT32, sorted(precision.MATMUL_DTYPES), "of the products in training")
    flags.boolean("recompute", False, "keep only the inputs of layers, and compute these again for the gradients")
    flags.boolean("use_tpu", False, "train on a TPU")
    flags.string("tpu_name", None, "the TPU's name or address (grpc://…:8470)")
    flags.string("tpu_zone", None, "the TPU's zone")
    flags.string("gcp_project", None, "the TPU's project")
    flags.string("master", None, "the address of a TensorFlow master")
    flags.integer("num_tpu_cores", 8, "TPU cores", minimum=1)


def check_max_seq_length(flags: Flags, config: Any) -> None:
    """Raises `UserError` where sequences may be longer than the model's positions."""
    if flags.max_seq_length > config.max_position_embeddings:
        raise UserError(
            "--max_seq_length={} is over the model's {} positions".format(
                flags.max_seq_length, config.max_position_embeddings
            )
        )


def check_training(flags: Flags) -> None:
    """Raises `UserError` where the devices or the batch cannot do what the flags ask for."""
    found = find_devices(flags)
    if flags.use_xla and not flags.use_tpu:
        prepare_xla(found)
    precision.check_precision(flags.precision, flags.use_tpu)
    check_batch(found, flags.train_batch_size, flags.gradient_accumulation_steps)


def is_chief_process(flags: Flags) -> bool:
    """Whether this process writes checkpoints and results: all do but further workers of a cluster."""
    return find_devices(flags).is_chief


def takes_part(flags: Flags) -> bool:
    """Whether this process has anything to do: of the workers of a cluster only the chief does more than train.

    Another worker waits here until the chief is ready to train, and the flags of what is the chief's are taken back.
    """
    if is_chief_process(flags):
        return True
    cluster = find_devices(flags).cluster
    if not flags.do_train:
        _log.info("Nothing to do for %s: %s evaluates and predicts.", cluster.name(cluster.index), cluster.name(0))
        return False
    _meet_workers(flags)
    for name, value in _CHIEFS_FLAGS.items():
        if name in flags.as_dict():
            flags.override(name, value)
    return True


def _meet_workers(flags: Flags) -> None:
    found = find_devices(flags)
    # What was given, and is no path: those may differ from machine to machine, and defaults may follow from the model.
    plan = {
        "--" + name: value
        for name, value in flags.as_dict().items()
        if flags.was_given(name) and isinstance(value, (bool, int, float))
    }
    meet_workers(found.cluster, plan, flags.output_dir)
    start_server(found.cluster, found.kind)


def training_setup(
    flags: Flags, optimizer: OptimizerSettings, observer: TrainingObserver, **more: Any
) -> TrainingSetup:
    """What a training's model_fn needs, from the flags that all runners share; also readies the process for it."""
    keep_memory()
    found = find_devices(flags)
    if found.cluster and found.is_chief:
        _meet_workers(flags)
    return TrainingSetup(
        optimizer=optimizer,
        init_checkpoint=starting_checkpoint(flags),
        use_tpu=flags.use_tpu,
        make_hooks=replicas.once_per_graph(observer.make_hooks),
        seed=flags.seed,
        gradient_accumulation_steps=flags.gradient_accumulation_steps,
        precision=flags.precision,
        recompute=flags.recompute,
        **more,
    )


def prepare_output_dir(flags: Flags) -> None:
    """Makes the output folder.

    Raises:
      UserError: it cannot be made or written.
    """
    flags.require("output_dir")
    try:
        os.makedirs(flags.output_dir, exist_ok=True)
        with tempfile.TemporaryFile(dir=flags.output_dir):
            pass
    except OSError as error:
        raise UserError("cannot write into --output_dir={}: {}".format(flags.output_dir, error.strerror)) from error


def save_run_config(flags: Flags, data_files: Sequence[str] = ()) -> None:
    """Saves in the output folder the resolved configuration of the run, its environment and its data.

    Args:
      flags: of the run.
      data_files: what is small enough of it, to be named with size and SHA-256.
    """
    if not is_chief_process(flags):
        return
    described = {"flags": flags.as_dict(), "environment": describe_environment()}
    if data_files:
        described["data"] = describe_files(data_files)
    write_json(os.path.join(flags.output_dir, RUN_CONFIG_FILE), described)


def starting_checkpoint(flags: Flags) -> Optional[str]:
    """The checkpoint whose weights the run starts from: none where the output folder already holds checkpoints.

    Raises:
      UserError: --init_checkpoint names none.
    """
    latest = latest_checkpoint(flags.output_dir)
    if latest:
        _log.info("Going on from %s (weights, optimizer, step); --init_checkpoint is not read again.", latest)
        return None
    return find_weights(flags.init_checkpoint) if flags.init_checkpoint else None


def make_estimator(
    flags: Flags,
    model_fn: Callable[..., Any],
    *,
    train_batch_size: int,
    eval_batch_size: int,
    predict_batch_size: Optional[int] = None,
    save_checkpoints_steps: Optional[int] = None,
    keep_checkpoint_max: int = 5,
    is_training: bool = False,
) -> Any:
    """The TPUEstimator that works in the output folder, on TPU, GPU or CPU; what trains only, on several devices."""
    found = find_devices(flags)
    if is_training and found.num_replicas > 1:
        return DividedTraining(
            found,
            model_fn,
            output_dir=flags.output_dir,
            batch_size=train_batch_size,
            seed=flags.seed,
            keep_checkpoint_max=keep_checkpoint_max,
            save_checkpoints_steps=save_checkpoints_steps,
            last_checkpoint=lambda: latest_checkpoint(flags.output_dir),
            use_xla=flags.use_xla,
        )
    with alone():
        config = _run_config(flags, found, save_checkpoints_steps, keep_checkpoint_max, is_training)
    return tf.estimator.tpu.TPUEstimator(
        use_tpu=flags.use_tpu,
        model_fn=model_fn,
        config=config,
        train_batch_size=train_batch_size,
        eval_batch_size=eval_batch_size,
        predict_batch_size=predict_batch_size or eval_batch_size,
    )


def _run_config(
    flags: Flags,
    found: Devices,
    save_checkpoints_steps: Optional[int],
    keep_checkpoint_max: int,
    is_training: bool,
) -> Any:
    is_compiled = is_training and flags.use_xla and not flags.use_tpu
    cluster = None
    if flags.use_tpu and flags.tpu_name:
        cluster = tf.distribute.cluster_resolver.TPUClusterResolver(
            flags.tpu_name, zone=flags.tpu_zone, project=flags.gcp_project
        )
    return tf.estimator.tpu.RunConfig(
        cluster=cluster,
        master=flags.master,
        model_dir=flags.output_dir,
        tf_random_seed=flags.seed,
        save_checkpoints_steps=save_checkpoints_steps,
        keep_checkpoint_max=keep_checkpoint_max,
        log_step_count_steps=None,
        session_config=session_config(found, use_xla=True) if is_compiled else None,
        tpu_config=tf.estimator.tpu.TPUConfig(
            iterations_per_loop=flags.iterations_per_loop,
            num_shards=flags.num_tpu_cores,
            per_host_input_for_training=tf.estimator.tpu.InputPipelineConfig.PER_HOST_V2,
        ),
    )


def write_results(output_dir: str, name: str, results: Dict[str, Any]) -> None:
    """Saves figures as <name>.json, and as <name>.txt with a line per figure, as the published runners do."""
    write_figures(os.path.join(output_dir, name + ".json"), results)
    with CompleteFile(os.path.join(output_dir, name + ".txt")) as file:
        file.write("".join("{} = {}\n".format(key, results[key]) for key in sorted(results)).encode("utf-8"))


def write_figures(path: str, results: Dict[str, Any]) -> None:
    """Saves figures, or figures by name, as JSON; NumPy's numbers as Python's."""
    write_json(path, plain(results))


@contextlib.contextmanager
def explained_errors(output_dir: str, advice: str) -> Iterator[None]:
    """Turns what TensorFlow raises for a user's mistake into one sentence.

    Args:
      output_dir: of the run.
      advice: what to do where training diverges.

    Raises:
      UserError: damaged records or checkpoints, a loss or gradient that is no number, no memory, no room on the disk.
    """
    try:
        yield
    except (NotFiniteError, tf.train.NanLossDuringTrainingError) as error:
        is_ours = isinstance(error, NotFiniteError)
        raise UserError(_diverged(str(error) if is_ours else "the loss is nan", output_dir, advice)) from error
    except (tf.errors.DataLossError, tf.errors.OutOfRangeError, tf.errors.NotFoundError) as error:
        raise UserError("a record file or checkpoint is damaged: {}".format(_first_line(error))) from error
    except tf.errors.ResourceExhaustedError as error:
        raise UserError(
            "out of memory or disk space: a smaller batch or shorter sequences need less: {}".format(_first_line(error))
        ) from error


def _diverged(what: str, output_dir: str, advice: str) -> str:
    latest = latest_checkpoint(output_dir)
    rest = "there is no checkpoint yet"
    if latest:
        rest = "so changed, the same command goes on from the last good checkpoint, {}".format(latest)
    return "{}, and that step was not saved: {}; {}".format(what, advice, rest)


def _first_line(error: Any) -> str:
    return str(error.message).splitlines()[0]
