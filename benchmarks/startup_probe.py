"""Runs a training command and notes when its parts are over: one measurement of benchmarks/startup.py.

python startup_probe.py <file for the times> <runner> <the runner's flags>
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time

IMPORTS, DATA, GRAPH, SESSION, FIRST_STEP = PARTS = ("imports", "data", "graph", "session", "first step")


def seconds_since_start():
    """How long this process has lived (Linux), in hundredths of a second."""
    with open("/proc/self/stat") as file:
        started = int(file.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


class Probe:
    """When each part was over for the first time, in seconds since the process began."""

    def __init__(self):
        self.ends = {}

    def note(self, part):
        """A part is over."""
        self.ends.setdefault(part, seconds_since_start())


def watch(tf, probe):
    """Notes when the first Estimator is made, and when its session has its graph, its weights and its first step."""

    class Hook(tf.train.SessionRunHook):
        """Comes last, so that what other hooks do counts as well."""

        def begin(self):
            probe.note(GRAPH)

        def after_create_session(self, session, coord):
            probe.note(SESSION)

        def after_run(self, run_context, run_values):
            probe.note(FIRST_STEP)

    def noting(original, before):
        def replaced(self, *args, **kwargs):
            before(kwargs)
            return original(self, *args, **kwargs)

        return replaced

    estimator, session = tf.estimator.Estimator, tf.train.MonitoredSession
    estimator.__init__ = noting(estimator.__init__, lambda kwargs: probe.note(DATA))
    session.__init__ = noting(
        session.__init__, lambda kwargs: kwargs.update(hooks=list(kwargs.get("hooks") or []) + [Hook()])
    )


def main():
    """Runs the command and writes the seconds at which its parts were over."""
    path, runner = sys.argv[1:3]
    arguments = sys.argv[3:]
    module = importlib.import_module(runner)
    import tensorflow.compat.v1 as tf

    from albert.base.flags import run_command

    probe = Probe()
    probe.note(IMPORTS)
    watch(tf, probe)
    run_command(module.__doc__, module.declare_flags(), module.main, arguments)
    with open(path, "w") as file:
        json.dump({"version": tf.__version__, "ends": probe.ends}, file)


if __name__ == "__main__":
    main()
