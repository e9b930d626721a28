"""Worker processes that make the shards of a data set: progress while they run, and an end that never hangs.

Each worker builds one `ShardBuilder` and then makes shard after shard. What a worker has done so far stands in shared
memory, in a row per shard that only one worker writes, so no lock is needed that a killed worker could keep.
"""

from __future__ import annotations

import concurrent.futures
import multiprocessing
import os
import signal
import threading
import time
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Sequence, Set

from errors import UserError
from pretraining_shards import BuildSettings, ShardBuilder, ShardResult, ShardTask

_PROGRESS_PERIOD_SECONDS = 0.5
_ROW_LENGTH = 4  # state, bytes, documents, examples
_DONE = -1  # state of a task; 0 while it waits, the process id of its worker while it is made


class Totals(NamedTuple):
    """What all workers together have read and made so far."""

    num_bytes: int
    documents: int
    examples: int


class _Stopped(Exception):
    """The run ends; a worker drops its unfinished shard."""


class _Board:
    """The progress of every task, in memory that parent and workers share."""

    def __init__(self, num_tasks: int) -> None:
        self._rows = multiprocessing.RawArray("q", num_tasks * _ROW_LENGTH)
        self._stop = multiprocessing.RawValue("b", 0)

    def stop(self) -> None:
        """Asks all workers to end."""
        self._stop.value = 1

    def set_state(self, task: int, state: int) -> None:
        if self._stop.value:
            raise _Stopped()
        self._rows[task * _ROW_LENGTH] = state

    def add(self, task: int, num_bytes: int, documents: int, examples: int) -> None:
        if self._stop.value:
            raise _Stopped()
        for column, amount in enumerate((num_bytes, documents, examples), start=1):
            self._rows[task * _ROW_LENGTH + column] += amount

    def totals(self) -> Totals:
        return Totals(*(sum(self._rows[column::_ROW_LENGTH]) for column in range(1, _ROW_LENGTH)))

    def running(self) -> Dict[int, int]:
        """The tasks that are being made, with the process id of the worker."""
        return {task: state for task, state in enumerate(self._rows[::_ROW_LENGTH]) if state > 0}


_worker: Dict[str, Any] = {}  # what a worker process keeps from task to task


def _start_worker(settings: BuildSettings, board: _Board) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    _worker.update(builder=ShardBuilder(settings), board=board)


def _end_with_parent(parent: int) -> None:
    """Ends this worker when its parent was killed: an orphan would wait for tasks forever."""
    while os.getppid() == parent:
        time.sleep(1)
    os._exit(1)


def _build_shard(number: int, task: ShardTask) -> ShardResult:
    board = _worker["board"]
    board.set_state(number, os.getpid())

    def report(num_bytes: int, documents: int, examples: int) -> None:
        board.add(number, num_bytes, documents, examples)

    result = _worker["builder"].build(task, report)
    board.set_state(number, _DONE)
    return result


def build_shards(
    tasks: Sequence[ShardTask],
    settings: BuildSettings,
    num_workers: int,
    *,
    on_finished: Callable[[ShardResult], None],
    on_progress: Callable[[Totals], None],
) -> None:
    """Makes all shards with `num_workers` processes.

    Args:
      tasks: the shards.
      settings: what decides the records.
      num_workers: how many processes.
      on_finished: called, in this process, for each shard that is complete.
      on_progress: called every half second.

    Raises:
      UserError: the first error of a worker, or a worker that was killed; no shard is left half-written.
    """
    board = _Board(len(tasks))
    executor = concurrent.futures.ProcessPoolExecutor(
        max_workers=min(num_workers, len(tasks)), initializer=_start_worker, initargs=(settings, board)
    )
    pending: Set[concurrent.futures.Future] = set()
    workers: List[Any] = []
    try:
        pending.update(executor.submit(_build_shard, number, task) for number, task in enumerate(tasks))
        workers = multiprocessing.active_children()
        while pending:
            done, pending = concurrent.futures.wait(
                pending, _PROGRESS_PERIOD_SECONDS, concurrent.futures.FIRST_COMPLETED
            )
            for future in sorted(done, key=_has_failed):  # what is finished is kept, whatever else went wrong
                on_finished(future.result())
            on_progress(board.totals())
    except BrokenProcessPool as error:
        executor.shutdown()
        raise _killed([tasks[number] for number in _lost_tasks(board, workers)]) from error
    finally:
        board.stop()
        for future in pending:
            future.cancel()
        executor.shutdown()


def _has_failed(future: concurrent.futures.Future) -> bool:
    return future.exception() is not None


def _lost_tasks(board: _Board, workers: Iterable[Any]) -> List[int]:
    """The tasks of the workers that were killed, as far as it can be told: the pool ends all others by SIGTERM."""
    running = board.running()
    killed = {worker.pid for worker in workers if worker.exitcode not in (None, 0, -signal.SIGTERM)}
    return [task for task, worker in running.items() if worker in killed] or list(running)


def _killed(tasks: Sequence[ShardTask]) -> UserError:
    return UserError(
        "a worker process ended unexpectedly (killed, or out of memory?) while making {}: give fewer --num_workers if "
        "memory ran out, and run the same command again; finished shards are kept".format(
            " or ".join(task.path for task in tasks) or "its first shard"
        )
    )
