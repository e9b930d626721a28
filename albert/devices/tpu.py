"""Address of a TPU: whether anything answers there, before TensorFlow asks it again and again for a day."""

from __future__ import annotations

import re
import socket
from typing import Any, Optional

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError

_ADDRESS = re.compile(r"^(?:grpc://)?(?P<host>[^/]+):(?P<port>\d{1,5})$")
_ADVICE = "is the TPU started, and is it reached from this machine? Without one, leave out --use_tpu"


def check_tpu(tpu_name: Optional[str], master: Optional[str], patience_seconds: float = 30.0) -> None:
    """Checks that a TPU is named and, where that is an address, that something listens there.

    Args:
      tpu_name, master: as the flags say; the name of a TPU in Google Cloud is left to TensorFlow.
      patience_seconds: the longest time until it answers.

    Raises:
      UserError: no TPU is named, or it does not answer.
    """
    named = tpu_name or master
    if not named:
        raise UserError("--use_tpu=True needs the TPU: --tpu_name=grpc://ADDRESS:8470, or its name in Google Cloud")
    address = _ADDRESS.match(named)
    if address is None:
        return
    try:
        socket.create_connection((address.group("host"), int(address.group("port"))), patience_seconds).close()
    except (OSError, OverflowError) as error:
        raise UserError("the TPU {} does not answer ({}): {}".format(named, _reason(error), _ADVICE)) from error


def find_tpu(tpu_name: str, zone: Optional[str], project: Optional[str]) -> Any:
    """Finds a TPU by its address or its name in Google Cloud, as a cluster resolver.

    Raises:
      UserError: there is none, or it is not ready.
    """
    try:
        resolver = tf.distribute.cluster_resolver.TPUClusterResolver(tpu_name, zone=zone, project=project)
        resolver.master()
    except Exception as error:  # of the libraries of Google Cloud, each of which has errors of its own
        raise UserError("the TPU {} is not found ({}): {}".format(tpu_name, _reason(error), _ADVICE)) from error
    return resolver


def _reason(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return "{}: {}".format(type(error).__name__, lines[0]) if lines else type(error).__name__
