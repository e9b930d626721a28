"""Devices that share each batch of a training: those of this machine, and of others where TF_CONFIG names them.

TensorFlow is imported where it is used: settings need the records alone.
"""

from __future__ import annotations

import logging
import os
from typing import Any, NamedTuple, Optional

from albert.base.errors import UserError
from albert.devices.cluster import WorkerCluster, read_cluster

_log = logging.getLogger(__name__)

CPU, GPU = "CPU", "GPU"
_XLA_FLAGS = "TF_XLA_FLAGS"


class Devices(NamedTuple):
    """Devices of a training.

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
        """Number of parts into which every batch is divided."""
        return self.num_local * (len(self.cluster.addresses) if self.cluster else 1)

    @property
    def first_part(self) -> int:
        """The first part that this machine works on."""
        return self.num_local * self.cluster.index if self.cluster else 0

    @property
    def is_chief(self) -> bool:
        """Whether this process writes checkpoints and results."""
        return self.cluster is None or self.cluster.is_chief


def find_devices(*, num_devices: int = 1, is_number_given: bool = True, use_tpu: bool = False) -> Devices:
    """Finds the devices of a training, those of this machine and of the machines that TF_CONFIG names.

    Args:
      num_devices: devices of this machine.
      is_number_given: whether the user gave that number.
      use_tpu: whether a TPU trains.

    Raises:
      UserError: there are fewer, or they cannot train together.
    """
    cluster = read_cluster(os.environ)
    if use_tpu:
        if cluster or num_devices > 1:
            raise UserError("--use_tpu=True takes --num_tpu_cores, not --num_devices or TF_CONFIG")
        return Devices()
    if cluster is None and num_devices == 1:
        return Devices()  # whatever TensorFlow takes by itself
    num_gpus = count_gpus()
    if cluster is None:
        if num_gpus and num_devices > num_gpus:
            raise UserError("--num_devices={}, but {} visible here".format(num_devices, _gpus_text(num_gpus)))
        return Devices(GPU if num_gpus else CPU, num_devices)
    if is_number_given and num_devices != max(num_gpus, 1):
        raise UserError(
            "--num_devices={} and TF_CONFIG: a worker takes all GPUs that it sees, or one CPU; here {} visible "
            "(CUDA_VISIBLE_DEVICES hides some)".format(num_devices, _gpus_text(num_gpus))
        )
    return Devices(GPU if num_gpus else CPU, max(num_gpus, 1), cluster)


def count_gpus() -> int:
    """Counts the GPUs that TensorFlow sees."""
    from albert.base import quiet_tensorflow  # noqa: F401

    # isort: split
    import tensorflow.compat.v1 as tf

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


def session_config(devices: Devices, use_xla: bool = False) -> Any:
    """Makes a ConfigProto whose sessions have these devices."""
    import tensorflow.compat.v1 as tf

    config = tf.ConfigProto(allow_soft_placement=True)
    if devices.kind == CPU:
        config.device_count[CPU] = devices.num_local
    if use_xla:
        config.graph_options.optimizer_options.global_jit_level = tf.OptimizerOptions.ON_1
    return config


def prepare_xla(devices: Devices) -> None:
    """Prepares the process for compiled steps; to be called before TensorFlow's first session.

    Raises:
      UserError: these devices do not do it.
    """
    if devices.kind == CPU and devices.num_replicas > 1:
        raise UserError("--use_xla=True compiles for GPUs, or for one CPU: leave it out, or train on one device")
    # TensorFlow reads it when it first looks at devices. It lets XLA compile what runs on a CPU.
    os.environ[_XLA_FLAGS] = (os.environ.get(_XLA_FLAGS, "") + " --tf_xla_cpu_global_jit").strip()
    if not count_gpus():
        _log.warning(
            "--use_xla=True: on a CPU compiled steps were slower than others wherever they were measured, and each "
            "length of sequences is compiled again."
        )
