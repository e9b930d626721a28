"""Worker processes that make the shards of a data set: progress while they run, and an end that never hangs.

Each worker builds one `ShardBuilder` and then makes one shard after another. Its progress is in shared memory, in a row
per shard that only one worker writes, so there is no lock that a killed worker could keep.
"""

from __future__ import annotations

import concurrent.futures
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import Counter
from concurrent.futures.process import BrokenProcessPool
from typing import Any, Callable, Dict, Iterable, List, NamedTuple, Sequence, Set

from albert.base.errors import UserError
from albert.files.complete import remove_unfinished
from albert.pretraining_data.shards import BuildSettings, ShardBuilder, ShardResult, ShardTask

_log = logging.getLogger(__name__)
_PROGRESS_PERIOD_SECONDS = 0.5
_PARENT_PERIOD_SECONDS = 0.5  # between checks that the parent is still there
_MAX_LOSSES = 2  # a shard whose worker was killed is made once more, but not twice
_UNKNOWN_TASK = -1  # of a worker that was killed before it began its first shard
_ROW_LENGTH = 4  # state, bytes, documents, examples
_DONE = -1  # state of a task; 0 while it waits, the process id of its worker while it is made


class Totals(NamedTuple):
    """Progress of all workers together."""

    num_bytes: int
    documents: int
    examples: int


OnFinished = Callable[[ShardResult], None]
OnProgress = Callable[[Totals], None]


class _Stopped(Exception):
    """End of the run: a worker drops its unfinished shard."""


class _Board:
    """Progress of every task, in memory that parent and workers share."""

    def __init__(self, num_tasks: int) -> None:
        self._rows = multiprocessing.RawArray("q", num_tasks * _ROW_LENGTH)
        self._stop = multiprocessing.RawValue("b", 0)

    def stop(self) -> None:
        """Asks all workers to end."""
        self._stop.value = 1

    def set_running(self, task: int) -> None:
        self._check_stop()
        self._rows[task * _ROW_LENGTH] = os.getpid()

    def set_done(self, task: int) -> None:
        self._rows[task * _ROW_LENGTH] = _DONE

    def clear(self, tasks: Iterable[int]) -> None:
        """Resets the progress of tasks that are made again."""
        for task in tasks:
            self._rows[task * _ROW_LENGTH : (task + 1) * _ROW_LENGTH] = [0] * _ROW_LENGTH

    def add(self, task: int, num_bytes: int, documents: int, examples: int) -> None:
        self._check_stop()
        for column, amount in enumerate((num_bytes, documents, examples), start=1):
            self._rows[task * _ROW_LENGTH + column] += amount

    def _check_stop(self) -> None:
        if self._stop.value:
            raise _Stopped()

    def totals(self) -> Totals:
        return Totals(*(sum(self._rows[column::_ROW_LENGTH]) for column in range(1, _ROW_LENGTH)))

    def running(self) -> Dict[int, int]:
        """Returns the tasks that are being made, with the process id of the worker."""
        return {task: state for task, state in enumerate(self._rows[::_ROW_LENGTH]) if state > 0}


_worker: Dict[str, Any] = {}  # what a worker process keeps from task to task


def _start_worker(settings: BuildSettings, board: _Board) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent decides
    threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
    _worker.update(builder=ShardBuilder(settings), board=board)


def _end_with_parent(parent: int) -> None:
    """Ends this worker if its parent is killed: an orphan would wait for tasks forever."""
    while os.getppid() == parent:
        time.sleep(_PARENT_PERIOD_SECONDS)
    os._exit(1)


def _build_shard(number: int, task: ShardTask) -> ShardResult:
    board = _worker["board"]
    board.set_running(number)

    def report(num_bytes: int, documents: int, examples: int) -> None:
        board.add(number, num_bytes, documents, examples)

    result = _worker["builder"].build(task, report)
    board.set_done(number)
    return result


def build_shards(
    tasks: Sequence[ShardTask],
    settings: BuildSettings,
    num_workers: int,
    *,
    on_finished: OnFinished,
    on_progress: OnProgress,
) -> None:
    """Makes all shards with `num_workers` processes; one whose worker was killed is made once more, by new workers.

    Args:
      tasks: the shards.
      settings: what decides the records.
      num_workers: how many processes.
      on_finished: called, in this process, for each shard that is complete.
      on_progress: called every half second.

    Raises:
      UserError: the first error of a worker, or a shard whose worker was killed twice; finished shards are kept and
        none is left half-written.
    """
    board = _Board(len(tasks))
    waiting = set(range(len(tasks)))
    losses: Counter = Counter()
    while waiting:
        pool = _Pool(tasks, settings, min(num_workers, len(waiting)), board)
        lost = pool.work_through(waiting, on_finished, on_progress)
        losses.update(lost if lost or not waiting else [_UNKNOWN_TASK])
        hopeless = [tasks[number] for number in lost if losses[number] >= _MAX_LOSSES]
        if hopeless or losses[_UNKNOWN_TASK] >= _MAX_LOSSES:
            for number in waiting:
                remove_unfinished(tasks[number].path)
            raise _killed(hopeless)
        if waiting:
            _log.warning("a worker was killed while making %s: it is made again", _names(tasks[n] for n in lost))
            board.clear(waiting)


class _Pool:
    """Pool of workers that make shards until all are made or one of the workers is killed."""

    def __init__(self, tasks: Sequence[ShardTask], settings: BuildSettings, num_workers: int, board: _Board) -> None:
        self._tasks = tasks
        self._board = board
        self._futures: Dict[concurrent.futures.Future, int] = {}
        self._workers: List[multiprocessing.process.BaseProcess] = []
        self._executor = concurrent.futures.ProcessPoolExecutor(
            max_workers=num_workers, initializer=_start_worker, initargs=(settings, board)
        )

    def work_through(self, waiting: Set[int], on_finished: OnFinished, on_progress: OnProgress) -> List[int]:
        """Makes the shards in `waiting`, removes each when it is finished, and returns those that were lost.

        A shard that is still waiting at the end was not made, because a worker was killed.
        """
        try:
            for number in sorted(waiting):
                self._futures[self._executor.submit(_build_shard, number, self._tasks[number])] = number
            self._workers = multiprocessing.active_children()
            pending = set(self._futures)
            while pending:
                done, pending = concurrent.futures.wait(
                    pending, _PROGRESS_PERIOD_SECONDS, concurrent.futures.FIRST_COMPLETED
                )
                self._keep_finished(done, waiting, on_finished)  # even if another one failed
                for future in done:
                    future.result()
                on_progress(self._board.totals())
            return []
        except BrokenProcessPool:
            return self._lost_tasks()
        except BaseException:
            self._end_workers()
            self._keep_finished(self._futures, waiting, on_finished)
            raise
        finally:
            self._executor.shutdown()

    def _keep_finished(
        self, futures: Iterable[concurrent.futures.Future], waiting: Set[int], on_finished: OnFinished
    ) -> None:
        for future in futures:
            number = self._futures[future]
            if number in waiting and future.done() and not future.cancelled() and future.exception() is None:
                waiting.remove(number)
                on_finished(future.result())

    def _end_workers(self) -> None:
        self._board.stop()
        for future in self._futures:
            future.cancel()
        self._executor.shutdown()

    def _lost_tasks(self) -> List[int]:
        """Returns the tasks of the killed workers, if they can be known: the pool ends all others by SIGTERM."""
        self._executor.shutdown()
        running = self._board.running()
        killed = {worker.pid for worker in self._workers if worker.exitcode not in (None, 0, -signal.SIGTERM)}
        return [task for task, worker in running.items() if worker in killed] or list(running)


def _killed(tasks: Sequence[ShardTask]) -> UserError:
    return UserError(
        "a worker process was killed twice (out of memory?) while making {}: give fewer --num_workers if memory ran "
        "out, and run the same command again; finished shards are kept".format(_names(tasks))
    )


def _names(tasks: Iterable[ShardTask]) -> str:
    return " or ".join(task.path for task in tasks) or "its first shard"
