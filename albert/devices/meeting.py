"""Meeting of a cluster's workers before they train: all are there, and all do the same.

Without it a missing worker, or one with other flags or another folder, is a program that waits for ever, or weights
that drift apart in silence. The chief waits at its own address, which TensorFlow's server takes over afterwards.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import time
import uuid
from typing import Any, Callable, Dict, List, Optional, Tuple

from albert.base.errors import UserError
from albert.devices.cluster import TF_CONFIG, WorkerCluster
from albert.files.complete import write_json
from albert.files.json_reading import parse, parse_description, read_text

_log = logging.getLogger(__name__)

WORKERS_FILE = "workers.json"  # in the output folder: the mark of the last meeting

_POLL_SECONDS = 0.2
_PATIENCE_SECONDS = 5.0  # until it is said who is waited for
_REPLY_SECONDS = 30.0
_SHARED_DISK_SECONDS = 20.0  # until what one machine wrote is seen by another
_GREETING = "albert-training"
_LONGEST_LINE = 1 << 16

Plan = Dict[str, Any]  # what must be the same for all, by the words for it: JSON values


def meet_workers(cluster: WorkerCluster, plan: Plan, folder: str) -> None:
    """Waits until all workers are there, and makes sure that they will train as one.

    Args:
      cluster: the workers.
      plan: what this one is about to do.
      folder: where it finds and keeps checkpoints; it must be one folder for all.

    Raises:
      UserError: the workers do not agree, or this one's port is taken.
    """
    difference = _gather(cluster, plan, folder) if cluster.is_chief else _join(cluster, plan, folder)
    if difference:
        raise UserError(difference)


def _gather(cluster: WorkerCluster, plan: Plan, folder: str) -> Optional[str]:
    """The chief's part: waits for all plans; sends to all, and returns, the first difference from its own."""
    with contextlib.ExitStack() as stack:
        present = _wait_for_all(cluster, stack)
        found = (_difference(cluster, plan, index, theirs) for index, (_, theirs) in sorted(present.items()))
        difference = next(filter(None, found), None)
        mark = uuid.uuid4().hex
        write_json(os.path.join(folder, WORKERS_FILE), {"meeting": mark, "workers": cluster.addresses})
        for connection, _ in present.values():
            _send(connection, {"difference": difference, "meeting": mark})
        answers = {index: _receive(connection) for index, (connection, _) in sorted(present.items())}
    for index, answer in answers.items():
        said = answer["difference"] if answer else "{} has gone".format(cluster.name(index))
        difference = difference or said
    return difference


def _wait_for_all(cluster: WorkerCluster, stack: contextlib.ExitStack) -> Dict[int, Tuple[socket.socket, Plan]]:
    """Connections with all others, which are closed with the stack, and their plans."""
    present: Dict[int, Tuple[socket.socket, Plan]] = {}
    others = range(1, len(cluster.addresses))
    notice = _MissingNotice(lambda: [cluster.name(index) for index in others if index not in present])
    with _listening(cluster) as listener:
        while len(present) < len(others):
            notice.wait()
            try:
                connection = stack.enter_context(listener.accept()[0])
            except socket.timeout:
                continue
            connection.settimeout(_REPLY_SECONDS)
            message = _receive(connection)
            if message and message.get("index") in others:
                present[message["index"]] = (connection, message["plan"])
    return present


def _listening(cluster: WorkerCluster) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("", cluster.endpoint(0)[1]))
    except OSError as error:
        listener.close()
        raise UserError(
            "the port of {} cannot be used ({}): end what uses it, or name another in TF_CONFIG".format(
                cluster.name(0), error.strerror
            )
        ) from error
    listener.listen(len(cluster.addresses))
    listener.settimeout(_POLL_SECONDS)
    return listener


def _join(cluster: WorkerCluster, plan: Plan, folder: str) -> Optional[str]:
    """Another worker's part: sends the chief its plan; returns the difference between them."""
    notice = _MissingNotice(lambda: [cluster.name(0)])
    while True:
        notice.wait()
        try:
            with socket.create_connection(cluster.endpoint(0), timeout=_REPLY_SECONDS) as connection:
                _send(connection, {"index": cluster.index, "plan": plan})
                connection.settimeout(None)  # the others may come much later
                _notice_silence(connection)
                reply = _receive(connection)
                if reply and "meeting" in reply:
                    difference = reply["difference"] or _other_folder(cluster, folder, reply["meeting"])
                    _send(connection, {"difference": difference})
                    return difference
        except OSError:
            pass  # the chief is not there yet
        time.sleep(_POLL_SECONDS)


def _difference(cluster: WorkerCluster, plan: Plan, index: int, theirs: Plan) -> Optional[str]:
    for name in sorted(set(plan) | set(theirs)):
        if plan.get(name) != theirs.get(name):
            return "{} is {} for {} and {} for {}: all workers must have the same".format(
                name, json.dumps(plan.get(name)), cluster.name(0), json.dumps(theirs.get(name)), cluster.name(index)
            )
    return None


def _other_folder(cluster: WorkerCluster, folder: str, mark: str) -> Optional[str]:
    """A sentence where the folder is not the chief's, who has just left a mark in it."""
    end = time.monotonic() + _SHARED_DISK_SECONDS
    while time.monotonic() < end:
        try:
            if parse_description(read_text(os.path.join(folder, WORKERS_FILE))).values.get("meeting") == mark:
                return None
        except (OSError, UserError):
            pass  # not there yet, or half of it
        time.sleep(_POLL_SECONDS)
    return "--output_dir={} of {} is not that of {}: give a folder on a disk that all workers share".format(
        folder, cluster.name(cluster.index), cluster.name(0)
    )


def _notice_silence(connection: socket.socket) -> None:
    """Has the system end a connection whose other machine was cut off: it would be waited for without end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 10), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 4)):
        if hasattr(socket, name):  # seconds, seconds, and probes without an answer
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


class _MissingNotice:
    """Notice of the workers that are missing, logged once when waiting takes a while."""

    def __init__(self, missing: Callable[[], List[str]]) -> None:
        self._missing = missing
        self._end = time.monotonic() + _PATIENCE_SECONDS
        self._is_said = False

    def wait(self) -> None:
        """Logs the notice when it is due."""
        if not self._is_said and time.monotonic() > self._end:
            self._is_said = True
            _log.info(
                "Waiting for %s: start the same command there, with its own %s.", ", ".join(self._missing()), TF_CONFIG
            )


def _send(connection: socket.socket, message: Dict[str, Any]) -> None:
    with contextlib.suppress(OSError):  # who has gone is missed where its answer is read
        connection.sendall(json.dumps(dict(message, greeting=_GREETING)).encode("utf-8") + b"\n")


def _receive(connection: socket.socket) -> Optional[Dict[str, Any]]:
    """The next message of a connection; None where there is none of ours."""
    try:
        with connection.makefile("rb") as file:
            message = parse(file.readline(_LONGEST_LINE).decode("utf-8"))
    except (OSError, ValueError, UserError):
        return None
    return message if isinstance(message, dict) and message.get("greeting") == _GREETING else None
