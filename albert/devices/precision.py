"""Precision of matrix products in training, and whether this machine supports it.

TensorFlow is imported where it is used: command lines need the names alone.
"""

from __future__ import annotations

from typing import Any, Optional

from albert.base.errors import UserError

FLOAT32 = "float32"
BFLOAT16 = "bfloat16"
FLOAT16 = "float16"
PRECISIONS = (BFLOAT16, FLOAT16, FLOAT32)
_CPU_INSTRUCTIONS = ("avx512_bf16", "amx_bf16")


def matmul_dtype(precision: str) -> Optional[Any]:
    """Returns the type into which matrix products convert their factors; None for float32, which stays as it is."""
    import tensorflow.compat.v1 as tf

    return {FLOAT32: None, BFLOAT16: tf.bfloat16, FLOAT16: tf.float16}[precision]


def check_precision(precision: str, use_tpu: bool = False) -> None:
    """Raises `UserError` where the devices would do this precision slowly or not at all."""
    has_gpu = not use_tpu and bool(gpus())
    if precision == FLOAT16 and not has_gpu:
        raise UserError("--precision=float16 is for GPUs, and none is visible here: leave it out")
    if precision == BFLOAT16 and not (use_tpu or has_gpu):
        version = _tensorflow_version()
        if int(version.split(".")[0]) < 2:
            raise UserError(
                "--precision=bfloat16 on a CPU needs TensorFlow 2's kernels, this is {}: leave it out".format(version)
            )
        if not _cpu_multiplies_bfloat16():
            raise UserError(
                "--precision=bfloat16 needs a CPU with {}, which this one lacks: leave it out".format(
                    " or ".join(_CPU_INSTRUCTIONS)
                )
            )


def gpus() -> list:
    """Finds the GPUs that TensorFlow sees; each has, among others, a `memory_limit`."""
    from tensorflow.python.client import device_lib  # here: it looks for devices, which takes a moment

    return [device for device in device_lib.list_local_devices() if device.device_type == "GPU"]


def _tensorflow_version() -> str:
    import tensorflow.compat.v1 as tf

    return str(tf.__version__)


def _cpu_multiplies_bfloat16() -> bool:
    try:
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            flags = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return False
    return any(name in flags.split() for name in _CPU_INSTRUCTIONS)
