"""Watch of the workers' own work: the sentence that names the slow one."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.devices.cluster import WorkerCluster
from albert.monitor.slow_worker import SlowWorkerWatch

CLUSTER = WorkerCluster((), ("h0:2222", "h1:2222", "h2:2222"), 0)
EVEN = [0.1, 0.11, 0.12]


def watched(steps, step_seconds=1.2):
    """Runs steps, each of which is the seconds of all replicas."""
    now = [0.0]
    hook = SlowWorkerWatch(None, CLUSTER, every_steps=1, clock=lambda: now[0])
    for seconds in steps:
        hook.before_run(None)
        now[0] += step_seconds
        hook.after_run(None, tf.train.SessionRunValues(np.array(seconds, np.float32), None, None))


@pytest.mark.parametrize(
    ("steps", "step_seconds", "named"),
    [
        ([EVEN] * 21, 0.2, []),
        ([EVEN] + [[0.1, 1.0, 0.2]] * 100, 1.2, ["worker 1 (h1:2222) is slow: it takes 1 s"]),  # once
        ([EVEN] + [[0.1, 1.0, 0.2]] * 19, 1.2, []),  # not for two windows yet
        ([EVEN] + [[0.1, 1.0, 0.2]] * 10 + [EVEN] * 10 + [[0.1, 1.0, 0.2]] * 10, 1.2, []),
        ([[0.1, 900.0, 0.1]] + [EVEN] * 40, 0.2, []),  # the first step builds
        ([EVEN] + [[0.01, 0.03, 0.01]] * 40, 1.2, []),  # waiting for it is a small share of a step
        ([EVEN] + [[0.1, 0.15, 0.1]] * 40, 0.2, []),
        ([[0.1] * 6] + [[0.1, 0.1, 0.1, 0.1, 0.1, 1.0]] * 20, 1.2, ["worker 2 (h2:2222) is slow"]),  # two GPUs each
        (
            [EVEN] + [[0.1, 1.0, 0.2]] * 20 + [[1.0, 0.1, 0.1]] * 20,
            1.2,
            ["worker 1 (h1:2222) is slow", "worker 0 (h0:2222) is slow"],
        ),
    ],
)
def test_the_worker_for_which_the_others_wait_is_named(steps, step_seconds, named, caplog):
    watched(steps, step_seconds)
    said = [record.getMessage() for record in caplog.records]
    assert len(said) == len(named)
    assert all(expected in found for expected, found in zip(named, said)), said
