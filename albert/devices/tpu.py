"""Address of a TPU: whether anything answers there, before TensorFlow asks it again and again for a day."""

from __future__ import annotations

import re
import socket
from typing import Any, Optional

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError

_ADDRESS = re.compile(r"^(?:grpc://)?(?P<host>[^/]+):(?P<port>\d{1,5})$")
# HTTP/2 (RFC 9113, section 3.4): each side begins with a frame of settings, of 9 bytes where it is empty.
_FRAME_HEADER, _FRAME_TYPE, _SETTINGS = 9, 3, 4
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, _SETTINGS, 0, 0, 0, 0, 0])

_ADVICE = "is the TPU started, and is it reached from this machine? Without one, leave out --use_tpu"


def check_tpu(tpu_name: Optional[str], master: Optional[str], patience_seconds: float = 30.0) -> None:
    """Checks that a TPU is named and, where that is an address, that a gRPC server answers there.

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
        _greet(address.group("host"), int(address.group("port")), patience_seconds)
    except (OSError, OverflowError) as error:
        raise UserError("the TPU {} does not answer ({}): {}".format(named, _reason(error), _ADVICE)) from error


def _greet(host: str, port: int, patience_seconds: float) -> None:
    """Raises `OSError` unless a gRPC server answers; a proxy may take connections to addresses at which nothing is."""
    with socket.create_connection((host, port), patience_seconds) as connection:
        connection.sendall(_GREETING)
        header = b""
        while len(header) < _FRAME_HEADER:
            received = connection.recv(_FRAME_HEADER - len(header))
            if not received:
                raise OSError("the connection was closed")
            header += received
        if header[_FRAME_TYPE] != _SETTINGS:
            raise OSError("what answers is no gRPC server")


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
