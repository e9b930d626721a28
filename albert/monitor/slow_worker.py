"""Watch of the workers' own work: names, once a run, the one for which all others wait."""

from __future__ import annotations

import logging
import statistics
import time
from typing import Any, Callable, Optional, Set

import numpy as np
import tensorflow.compat.v1 as tf

from albert.devices.cluster import WorkerCluster

_log = logging.getLogger(__name__)

REPLICA_SECONDS = "replica_seconds"  # what a training step calls the seconds that this hook watches
_LEAST_WINDOW = 10  # steps over which means are taken
_SLOWER = 2.0  # times the others' work
_WAITING_SHARE = 0.25  # of a step that the others wait


class SlowWorkerWatch(tf.train.SessionRunHook):
    """Warns where a worker takes twice the others' time for its part, in two windows of steps in a row.

    A step ends for all when the last worker has done its part, so a step's time does not tell who that was.
    """

    def __init__(
        self,
        seconds: Any,
        cluster: WorkerCluster,
        *,
        every_steps: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Creates the hook.

        Args:
          seconds: of each replica's own work in a step, [replicas], those of the first worker first.
          cluster: the workers, which have equally many replicas.
          every_steps: steps of a window, 10 at least.
          clock: seconds.
        """
        self._seconds = seconds
        self._cluster = cluster
        self._every_steps = max(every_steps, _LEAST_WINDOW)
        self._clock = clock
        self._is_first = True  # step of the process, which builds and warms up
        self._begin_window()
        self._suspect: Optional[int] = None  # in the last window
        self._named: Set[int] = set()

    def _begin_window(self) -> None:
        self._num_steps, self._step_seconds = 0, 0.0
        self._work = np.zeros(len(self._cluster.addresses))

    def before_run(self, run_context: Any) -> Any:
        """Asks for the seconds."""
        del run_context
        self._start = self._clock()
        return tf.train.SessionRunArgs(self._seconds)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Adds them up, and looks at them at the end of a window."""
        del run_context
        if self._is_first:
            self._is_first = False
            return
        self._num_steps += 1
        self._step_seconds += self._clock() - self._start
        self._work += np.reshape(run_values.results, [len(self._work), -1]).max(axis=1)
        if self._num_steps == self._every_steps:
            self._look()
            self._begin_window()

    def _look(self) -> None:
        work = self._work / self._num_steps
        slowest = int(np.argmax(work))
        others = statistics.median(np.delete(work, slowest).tolist())
        waiting = work[slowest] - others
        is_slow = waiting > max((_SLOWER - 1) * others, _WAITING_SHARE * self._step_seconds / self._num_steps)
        if is_slow and slowest == self._suspect and slowest not in self._named:
            self._named.add(slowest)
            _log.warning(
                "Hint: %s is slow: it takes %.2g s for its part of a step, the others %.2g s (means of %d steps), and "
                "they wait for it.",
                self._cluster.name(slowest),
                work[slowest],
                others,
                self._num_steps,
            )
        self._suspect = slowest if is_slow else None
