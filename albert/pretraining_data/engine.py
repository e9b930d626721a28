"""Engine that makes the shards of a data set: processes of this machine, or those of a cluster."""

from __future__ import annotations

import functools
from typing import Callable, NamedTuple

from albert.pretraining_data.workers import build_shards


class Engine(NamedTuple):
    """Engine: here are tasks, make them. Which one does so changes no byte of the files.

    Attributes:
      build: makes shards, called as build(tasks, settings, on_finished=…, on_progress=…). It calls on_finished, in this
        process, with the `ShardResult` of each complete shard, also where it fails, and on_progress with the `Totals`
        now and then. It raises `UserError` where a shard cannot be made.
      workers: says who makes a number of shards ("2 workers").
    """

    build: Callable[..., None]
    workers: Callable[[int], str]


def worker_processes(num_workers: int) -> Engine:
    """Makes the engine of this machine: `num_workers` processes, fewer where there are fewer shards."""

    def workers(num_tasks: int) -> str:
        number = min(num_workers, num_tasks)
        return "1 worker" if number == 1 else "{} workers".format(number)

    return Engine(functools.partial(build_shards, num_workers=num_workers), workers)
