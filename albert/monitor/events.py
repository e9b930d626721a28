"""TensorBoard's events of a run: the numbers of every report, and in the folder `eval` those of every evaluation."""

from __future__ import annotations

import itertools
import logging
import math
import os
import socket
import time
from typing import Any, Dict, Optional

import tensorflow.compat.v1 as tf

from albert.files.literal_paths import literal_path

_log = logging.getLogger(__name__)

EVAL_FOLDER = "eval"
_VERSION = "brain.Event:2"  # which every file of events begins with
_numbers = itertools.count()


class EventLog:
    """Writer of numbers into a folder that TensorBoard shows; each call is on the disk when it returns.

    A file that cannot be written is one warning: a run is worth more than its events, and metrics.jsonl has the same.
    """

    def __init__(self, folder: str) -> None:
        """Takes the folder; the file is made with the first event."""
        self._folder = folder
        self._writer: Optional[Any] = None
        self._is_broken = False

    def begin_after(self, step: int) -> None:
        """Says that training goes on after a step: TensorBoard forgets what an earlier process wrote of later ones."""
        if step:
            self._write(tf.Event(step=step + 1, session_log=tf.SessionLog(status=tf.SessionLog.START)))

    def add(self, step: int, figures: Dict[str, Any]) -> None:
        """Writes the finite numbers of a step, by name."""
        values = [
            tf.Summary.Value(tag=name, simple_value=float(figures[name]))
            for name in sorted(figures)
            if _is_number(figures[name])
        ]
        self._write(tf.Event(step=int(step), summary=tf.Summary(value=values)))

    def _write(self, event: Any) -> None:
        if self._is_broken:
            return
        event.wall_time = time.time()
        try:
            if self._writer is None:
                self._writer = self._open()
            self._writer.write(event.SerializeToString())
            self._writer.flush()
        except (OSError, tf.errors.OpError) as error:
            self._is_broken = True
            _log.warning("No more events for TensorBoard in %s: %s", self._folder, str(error).splitlines()[0])

    def _open(self) -> Any:
        os.makedirs(self._folder, exist_ok=True)
        # Behind the file of the Estimator, which holds the graph: TensorBoard reads the files of a folder by name.
        name = "events.out.tfevents.{:010d}.{}.{}.{}".format(
            int(time.time()), socket.gethostname(), os.getpid(), next(_numbers)
        )
        writer = tf.io.TFRecordWriter(os.path.join(literal_path(self._folder), name))
        writer.write(tf.Event(wall_time=time.time(), file_version=_VERSION).SerializeToString())
        return writer


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
