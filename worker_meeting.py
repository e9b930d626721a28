"""The workers of a cluster meet before they train: all are there, and they agree on what they are about to do.

Without it a missing worker, or one with other flags or another folder, is a program that waits for ever, or weights
that drift apart in silence. The chief waits at its own address, which TensorFlow's server takes over afterwards.
"""

from __future__ import annotations

import json
import logging
import socket
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

from errors import UserError
from worker_cluster import WorkerCluster

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 5.0  # until it is said who is waited for
_REPLY_SECONDS = 10.0  # for a line from whoever connects
_GREETING = "albert-training"
_LONGEST_LINE = 1 << 16

Plan = Dict[str, Any]  # what must be the same for all, by the words for it: JSON values


def meet(cluster: WorkerCluster, plan: Plan) -> None:
    """Waits until all workers are there.

    Args:
      cluster: the workers.
      plan: what this one is about to do.

    Raises:
      UserError: a worker is about to do something else, or this one's port is taken.
    """
    difference = _receive_all(cluster, plan) if cluster.is_chief else _report(cluster, plan)
    if difference:
        raise UserError(difference)


def _receive_all(cluster: WorkerCluster, plan: Plan) -> Optional[str]:
    """Waits for everybody's plan; says to all, and returns, where one differs from the chief's."""
    present: Dict[int, Tuple[socket.socket, Plan]] = {}
    say = _Patience(lambda: [i for i in range(1, len(cluster.addresses)) if i not in present], cluster)
    with _listening(cluster) as listener:
        while len(present) < len(cluster.addresses) - 1:
            say.once()
            try:
                connection, _ = listener.accept()
            except socket.timeout:
                continue
            message = _read_line(connection)
            if message and message.get("greeting") == _GREETING and message.get("index") in range(1, 1 << 16):
                present[message["index"]] = (connection, message["plan"])
            else:
                connection.close()
    differences = [_difference(cluster, plan, index, theirs) for index, (_, theirs) in sorted(present.items())]
    difference = next(filter(None, differences), None)
    for connection, _ in present.values():
        _send_line(connection, {"greeting": _GREETING, "difference": difference})
        connection.close()
    return difference


def _listening(cluster: WorkerCluster) -> socket.socket:
    port = int(cluster.addresses[0].rpartition(":")[2])
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("", port))
    except OSError as error:
        listener.close()
        raise UserError(
            "port {} of {} cannot be used ({}): end what uses it or name another in TF_CONFIG".format(
                port, cluster.name(0), error.strerror
            )
        ) from error
    listener.listen(len(cluster.addresses))
    listener.settimeout(_POLL_SECONDS)
    return listener


def _report(cluster: WorkerCluster, plan: Plan) -> Optional[str]:
    """Tells the chief the plan, once it is there; returns what it says of it when all have come."""
    host, _, port = cluster.addresses[0].rpartition(":")
    say = _Patience(lambda: [0], cluster)
    while True:
        say.once()
        try:
            with socket.create_connection((host, int(port)), timeout=_REPLY_SECONDS) as connection:
                _send_line(connection, {"greeting": _GREETING, "index": cluster.index, "plan": plan})
                connection.settimeout(None)  # the others may come much later
                reply = _read_line(connection)
        except OSError:
            reply = None
        if reply and reply.get("greeting") == _GREETING:
            return reply["difference"]
        time.sleep(_POLL_SECONDS)


def _difference(cluster: WorkerCluster, plan: Plan, index: int, theirs: Plan) -> Optional[str]:
    for name in sorted(set(plan) | set(theirs)):
        if plan.get(name) != theirs.get(name):
            return "{} is {} for {} and {} for {}: all workers must have the same".format(
                name, json.dumps(plan.get(name)), cluster.name(0), json.dumps(theirs.get(name)), cluster.name(index)
            )
    return None


class _Patience:
    """Says who is missing, once, when waiting takes a while."""

    def __init__(self, missing: Callable[[], List[int]], cluster: WorkerCluster) -> None:
        self._missing = missing
        self._cluster = cluster
        self._end = time.time() + _PATIENCE_SECONDS
        self._is_said = False

    def once(self) -> None:
        if not self._is_said and time.time() > self._end:
            self._is_said = True
            names = ", ".join(self._cluster.name(index) for index in self._missing())
            _log.info("Waiting for %s; start the same command there, with its own TF_CONFIG.", names)


def _send_line(connection: socket.socket, message: Dict[str, Any]) -> None:
    try:
        connection.sendall(json.dumps(message).encode("utf-8") + b"\n")
    except OSError:
        pass  # who has gone is missed by the watch


def _read_line(connection: socket.socket) -> Optional[Dict[str, Any]]:
    """The message of a connection; None where it is no message of ours."""
    if connection.gettimeout() is not None:
        connection.settimeout(_REPLY_SECONDS)
    try:
        with connection.makefile("rb") as file:
            message = json.loads(file.readline(_LONGEST_LINE).decode("utf-8"))
    except (OSError, ValueError):
        return None
    return message if isinstance(message, dict) else None
