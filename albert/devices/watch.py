"""Watch over the other workers of a cluster: a step whose partner has gone would wait for ever.

TensorFlow's collective ops do not notice that a peer has died, and what waits for them cannot be interrupted. So a
thread asks at the ports of all others, and ends the process when one of them stays closed, or stays silent: the system
of a process that stands still opens connections in its name, but TensorFlow's server speaks first.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.devices.cluster import WorkerCluster

_PERIOD_SECONDS = 1.0
_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 5.0
_FIRST_CONTACT_SECONDS = 60.0  # a worker that was met has its server up soon
_GONE_SECONDS = 10.0  # a worker may end while another still writes the weights of the last step
_SILENT_SECONDS = 60.0  # a machine may stand still for a while and go on
_GONE, _UNREACHABLE, _SILENT = "has gone", "cannot be reached any more", "does not answer any more"


class WorkerWatch(tf.train.SessionRunHook):
    """Watch that ends the process with one sentence when another worker has gone during a step.

    Use it as a context manager around the training, and as a hook of it.
    """

    def __init__(
        self,
        cluster: WorkerCluster,
        last_checkpoint: Callable[[], Optional[str]],
        *,
        end_process: Optional[Callable[[str], None]] = None,
        gone_seconds: float = _GONE_SECONDS,
        silent_seconds: float = _SILENT_SECONDS,
        first_contact_seconds: float = _FIRST_CONTACT_SECONDS,
    ) -> None:
        """Creates the watch.

        Args:
          cluster: the workers.
          last_checkpoint: the prefix of the last good checkpoint, if there is one.
          end_process: gets the sentence; by default it is written to standard error, and the process exits.
          gone_seconds: how long a port must be closed, or its machine not be there.
          silent_seconds: how long a port must be silent.
          first_contact_seconds: the same before it was open for the first time.
        """
        self._cluster = cluster
        self._last_checkpoint = last_checkpoint
        self._end_process = end_process or _exit
        self._patience = dict.fromkeys(self._others(), first_contact_seconds)
        self._gone_seconds = gone_seconds
        self._silent_seconds = silent_seconds
        self._is_waiting = True  # for the others: while the session is made, and in every step
        self._has_session = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> WorkerWatch:
        self._thread.start()
        return self

    def __exit__(self, *error: Any) -> None:
        self._stop.set()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Refuses a second session, which TensorFlow makes after a broken connection: its weights would be older.

        Raises:
          UserError: there was a session before.
        """
        del session, coord
        if self._has_session:
            raise UserError(self._sentence(self._who_broke()))
        self._has_session = True
        self._is_waiting = False

    def before_run(self, run_context: Any) -> None:
        """Notes that a step begins."""
        del run_context
        self._is_waiting = True

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Notes that a step is done."""
        del run_context, run_values
        self._is_waiting = False

    def _others(self) -> List[int]:
        return [index for index in range(len(self._cluster.addresses)) if index != self._cluster.index]

    def _who_broke(self) -> str:
        """Whose port is closed now, after a connection broke."""
        for index in self._others():
            trouble = _trouble_at(self._cluster.endpoint(index))
            if trouble:
                return "{} {}".format(self._cluster.name(index), trouble)
        return "the connection to another worker broke"

    def _watch(self) -> None:
        since: Dict[int, float] = {}  # when a port was first found closed or silent
        while not self._stop.wait(_PERIOD_SECONDS):
            for index in self._others():
                trouble = _trouble_at(self._cluster.endpoint(index))
                if not trouble:
                    since.pop(index, None)
                    self._patience[index] = self._gone_seconds
                    continue
                lasts = time.monotonic() - since.setdefault(index, time.monotonic())
                patience = max(self._patience[index], self._silent_seconds if trouble == _SILENT else 0.0)
                if lasts >= patience and self._is_waiting and not self._stop.is_set():
                    self._end_process(self._sentence("{} {}".format(self._cluster.name(index), trouble)))
                    return

    def _sentence(self, what: str) -> str:
        latest = self._last_checkpoint()
        return "{}, so training has stopped: start all workers again with the same commands; {}".format(
            what,
            "they go on from the last good checkpoint, {}".format(latest) if latest else "there is no checkpoint yet",
        )


def _trouble_at(endpoint: Tuple[str, int]) -> str:
    """What is wrong with a worker, in words; an empty text where its server answers."""
    try:
        connection = socket.create_connection(endpoint, timeout=_CONNECT_SECONDS)
    except ConnectionRefusedError:
        return _GONE
    except OSError:
        return _UNREACHABLE
    with connection:
        connection.settimeout(_ANSWER_SECONDS)
        try:
            return "" if connection.recv(1) else _GONE
        except socket.timeout:
            return _SILENT
        except OSError:
            return _GONE


def _exit(sentence: str) -> None:
    sys.stderr.write("error: {}\n".format(sentence))
    sys.stderr.flush()
    # The main thread waits inside TensorFlow, where no exception reaches it.
    os._exit(1)
