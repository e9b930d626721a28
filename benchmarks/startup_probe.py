"""Worker of benchmarks.startup: runs a training command and records when each part of its start ends.

python -m benchmarks.startup_probe times.json run_pretraining --do_train=True …
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time

IMPORTS, DATA, GRAPH, SESSION, FIRST_STEP = PARTS = ("imports", "data", "graph", "session", "first step")


def seconds_since_start():
    """Seconds since this process started (Linux), in hundredths."""
    with open("/proc/self/stat") as file:
        started = int(file.read().rpartition(")")[2].split()[19]) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


class Probe:
    """Record of the second at which each part ended for the first time."""

    def __init__(self):
        self.ends = {}

    def note(self, part):
        """Records that a part has ended."""
        self.ends.setdefault(part, seconds_since_start())


def watch(tf, probe):
    """Records the creation of the first Estimator, and its session's graph, weights and first step."""

    class Hook(tf.train.SessionRunHook):
        """Runs after all other hooks, so that their time counts as well."""

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
    """Runs the command; writes the seconds at which its parts ended."""
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
