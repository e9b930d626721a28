"""The devices that share each batch of a training: those of this machine, and of others where TF_CONFIG names them."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence

import tensorflow.compat.v1 as tf

from batch_parts import split_among
from command_line import Flags
from errors import UserError
from worker_cluster import WorkerCluster, alone, read_cluster
from worker_meeting import meet
from worker_watch import WorkerWatch

CPU, GPU = "CPU", "GPU"


class Devices(NamedTuple):
    """Where a training computes.

    Attributes:
      kind: "CPU" or "GPU".
      num_local: devices of this machine that take part; as many as every other machine has.
      cluster: the machines; None for this one alone.
    """

    kind: str = CPU
    num_local: int = 1
    cluster: Optional[WorkerCluster] = None

    @property
    def num_replicas(self) -> int:
        """Parts that every batch is divided into."""
        return self.num_local * (len(self.cluster.addresses) if self.cluster else 1)

    @property
    def first_part(self) -> int:
        """The first part that this machine works on."""
        return self.num_local * self.cluster.index if self.cluster else 0

    @property
    def is_chief(self) -> bool:
        """Whether this process writes checkpoints and results."""
        return self.cluster is None or self.cluster.is_chief


def declare_flags(flags: Flags) -> None:
    """How many devices share a batch."""
    flags.integer(
        "num_devices",
        1,
        "devices of this machine that share each training batch: GPUs where there are any, else parts of the CPU; "
        "several machines are named by TF_CONFIG",
        minimum=1,
    )


def find_devices(flags: Flags) -> Devices:
    """The devices that the flags and TF_CONFIG ask for.

    Raises:
      UserError: there are fewer, or they cannot train together.
    """
    cluster = read_cluster(os.environ)
    if flags.use_tpu:
        if cluster or flags.num_devices > 1:
            raise UserError("--use_tpu=True takes --num_tpu_cores, not --num_devices or TF_CONFIG")
        return Devices()
    if cluster is None and flags.num_devices == 1:
        return Devices()  # whatever TensorFlow takes by itself
    num_gpus = count_gpus()
    if cluster is None:
        if num_gpus and flags.num_devices > num_gpus:
            raise UserError("--num_devices={}, but {} visible here".format(flags.num_devices, _gpus_text(num_gpus)))
        return Devices(GPU if num_gpus else CPU, flags.num_devices)
    if flags.was_given("num_devices") and flags.num_devices != max(num_gpus, 1):
        raise UserError(
            "--num_devices={} and TF_CONFIG: a worker takes all GPUs that it sees, or one CPU; here {} visible "
            "(CUDA_VISIBLE_DEVICES hides some)".format(flags.num_devices, _gpus_text(num_gpus))
        )
    return Devices(GPU if num_gpus else CPU, max(num_gpus, 1), cluster)


def count_gpus() -> int:
    """The GPUs that TensorFlow sees."""
    return len(tf.config.experimental.list_physical_devices(GPU))


def _gpus_text(number: int) -> str:
    return "1 GPU is" if number == 1 else "{} GPUs are".format(number or "no")


def check_batch(devices: Devices, batch_size: int, num_slices: int) -> None:
    """Raises `UserError` where a batch cannot be divided evenly."""
    if batch_size % (devices.num_replicas * num_slices):
        asked = [
            (devices.num_replicas, "{} devices".format(devices.num_replicas)),
            (num_slices, "--gradient_accumulation_steps={}".format(num_slices)),
        ]
        raise UserError(
            "--train_batch_size={} is the whole batch and must be a multiple of {}: it is divided among {}".format(
                batch_size,
                devices.num_replicas * num_slices,
                " times ".join(text for number, text in asked if number > 1),
            )
        )


class DividedTraining:
    """Trains as an Estimator does, on several devices."""

    def __init__(
        self,
        devices: Devices,
        model_fn: Callable[..., Any],
        *,
        output_dir: str,
        batch_size: int,
        seed: int,
        keep_checkpoint_max: int,
        save_checkpoints_steps: Optional[int],
        plan: Dict[str, Any],
        last_checkpoint: Callable[[], Optional[str]],
    ) -> None:
        """Creates the training.

        Args:
          devices: where it computes.
          model_fn: returns a TPUEstimatorSpec.
          output_dir: for checkpoints.
          batch_size: of the whole batch.
          seed: of initial weights.
          keep_checkpoint_max: checkpoints to keep.
          save_checkpoints_steps: steps between two checkpoints.
          plan: what must be the same on all machines, by the words for it.
          last_checkpoint: the prefix of the last good checkpoint, if there is one.
        """
        self._devices = devices
        self._model_fn = model_fn
        self._output_dir = output_dir
        self._batch_size = batch_size
        self._seed = seed
        self._keep_checkpoint_max = keep_checkpoint_max
        self._save_checkpoints_steps = save_checkpoints_steps
        self._plan = plan
        self._last_checkpoint = last_checkpoint

    def train(self, input_fn: Callable[..., Any], max_steps: int, saving_listeners: Sequence[Any] = ()) -> None:
        """Trains up to a step on the batches of `input_fn`, which every process reads and takes its part of."""
        with tf.Graph().as_default():  # outside of any graph TensorFlow 2's strategies take eager devices and servers
            self._train(input_fn, max_steps, saving_listeners)

    def _train(self, input_fn: Callable[..., Any], max_steps: int, saving_listeners: Sequence[Any]) -> None:
        devices = self._devices
        strategy = _strategy(devices)
        config = tf.ConfigProto(allow_soft_placement=True)
        if devices.kind == CPU:
            config.device_count[CPU] = devices.num_local
        parts = split_among(input_fn, devices.num_replicas, devices.first_part, devices.num_local)
        if devices.cluster is None:
            self._estimator(strategy, config, None).train(parts, max_steps=max_steps, saving_listeners=saving_listeners)
            return
        meet(devices.cluster, dict(self._plan, checkpoint=_name(self._last_checkpoint())))
        config = strategy.update_config_proto(config)
        target = _start_server(devices.cluster, config)
        with WorkerWatch(devices.cluster, self._last_checkpoint) as watch:
            self._estimator(strategy, config, target).train(
                parts, max_steps=max_steps, hooks=[watch], saving_listeners=saving_listeners
            )

    def _estimator(self, strategy: Any, session_config: Any, target: Optional[str]) -> Any:
        is_chief = self._devices.is_chief
        with alone():
            config = tf.estimator.tpu.RunConfig(
                master=target,
                model_dir=self._output_dir,
                tf_random_seed=self._seed,
                save_checkpoints_secs=None,
                save_checkpoints_steps=self._save_checkpoints_steps if is_chief else None,
                save_summary_steps=100 if is_chief else None,
                keep_checkpoint_max=self._keep_checkpoint_max,
                log_step_count_steps=None,
                train_distribute=strategy,
                session_config=session_config,
            )

        # Strategies would rewrite all code of the model for eager loops and branches, of which it has none.
        build = tf.autograph.experimental.do_not_convert(self._model_fn)

        def model_fn(features: Any, labels: Any, mode: str, params: Dict[str, Any]) -> Any:
            return build(features, labels, mode, params).as_estimator_spec()

        return tf.estimator.Estimator(model_fn, config=config, params={"batch_size": self._batch_size})


def _strategy(devices: Devices) -> Any:
    if devices.cluster:
        return tf.distribute.experimental.MultiWorkerMirroredStrategy()  # it reads TF_CONFIG
    names = ["/{}:{}".format(devices.kind.lower(), number) for number in range(devices.num_local)]
    return tf.distribute.MirroredStrategy(names)


def _start_server(cluster: WorkerCluster, config: Any) -> str:
    """Starts TensorFlow's server for the others' collective ops; returns its address."""
    server_config = tf.ConfigProto()
    server_config.CopyFrom(config)
    del server_config.device_filters[:]
    server = tf.train.Server(dict(cluster.jobs), cluster.job, cluster.task, config=server_config)
    return server.target


def _name(prefix: Optional[str]) -> Optional[str]:
    return os.path.basename(prefix) if prefix else None
