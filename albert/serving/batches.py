"""Dynamic batching: requests that wait at the same time are answered in one pass of the model.

Coroutines put their rows into a queue; a thread takes what waits, up to a bound of rows and tokens, and answers it. A
model that answers several batches faster side by side than one by one has as many threads. A request of many rows goes
through in parts, between which the others have their turn.
"""

from __future__ import annotations

import asyncio
import collections
import logging
import math
import threading
import time
from typing import Any, Callable, Deque, Hashable, List, NamedTuple, Sequence, Tuple

from albert.base.errors import UserError

_log = logging.getLogger(__name__)

_SECONDS_PER_ROW = 0.01  # what a row is taken to cost before any was answered
_MEMORY = 0.9  # the share that earlier batches keep in the mean of seconds per row

# Rows and the options that all of them share -> an answer for each, in order.
Answer = Callable[[Sequence[Any], Any], Sequence[Any]]


class QueueFull(Exception):
    """No room for the rows of a request.

    Attributes:
      retry_after: whole seconds after which there will likely be room.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__("the queue is full")
        self.retry_after = retry_after


class Stopped(Exception):
    """The batcher takes nothing more."""


class Bounds(NamedTuple):
    """How much is taken at a time, and how much may wait.

    Attributes:
      max_rows: of a batch.
      max_tokens: of a batch; a single row may have more.
      max_wait: seconds that a batch which is not full waits for more rows.
      max_queue: rows that wait at most, of all requests together.
    """

    max_rows: int
    max_tokens: int
    max_wait: float
    max_queue: int


class Job:
    """The rows of one request on their way.

    Attributes:
      future: gets the list of answers, or the error.
    """

    def __init__(self, rows: Sequence[Any], options: Hashable, loop: asyncio.AbstractEventLoop) -> None:
        self.rows = rows
        self.options = options
        self.answers: List[Any] = [None] * len(rows)
        self.taken = 0  # rows that were given to the model
        self.unanswered = len(rows)
        self.future: asyncio.Future = loop.create_future()

    def cancel(self) -> None:
        """Gives the rows up that the model has not been given yet."""
        self.future.cancel()


class _Part(NamedTuple):
    job: Job
    start: int  # the place of its first row in the request
    rows: Sequence[Any]


class Batcher:
    """A queue and the threads that empty it; `submit` belongs to one event loop, everything else to any thread."""

    def __init__(
        self,
        answer: Answer,
        bounds: Bounds,
        *,
        num_threads: int = 1,
        tokens_of: Callable[[Any], int] = lambda row: 1,
        observe: Callable[[int], None] = lambda rows: None,
    ) -> None:
        """Starts the threads.

        Args:
          answer: the model; called by the threads alone. A `UserError` of it goes to the request whose rows raise it.
          bounds: see `Bounds`.
          num_threads: batches that are answered at a time.
          tokens_of: about how many tokens a row has.
          observe: is told the rows of each batch.
        """
        self._answer = answer
        self._bounds = bounds
        self._tokens_of = tokens_of
        self._observe = observe
        self._jobs: Deque[Job] = collections.deque()
        self._rows_waiting = 0
        self._seconds_per_row = _SECONDS_PER_ROW
        self._is_stopped = False
        self._changed = threading.Condition()
        self._threads = [threading.Thread(target=self._run, name="batches", daemon=True) for _ in range(num_threads)]
        for thread in self._threads:
            thread.start()

    @property
    def rows_waiting(self) -> int:
        """Rows that no batch has taken yet."""
        return self._rows_waiting

    def submit(self, rows: Sequence[Any], options: Hashable = None) -> Job:
        """Puts rows into the queue; called in the event loop that awaits the job's future.

        Args:
          rows: at least one.
          options: only rows with equal options share a batch.

        Raises:
          QueueFull: there is no room for all of them.
          Stopped: after `stop`.
        """
        job = Job(rows, options, asyncio.get_event_loop())
        with self._changed:
            if self._is_stopped:
                raise Stopped()
            if self._rows_waiting + len(rows) > self._bounds.max_queue:
                raise QueueFull(max(1, math.ceil(self._rows_waiting * self._seconds_per_row)))
            self._jobs.append(job)
            self._rows_waiting += len(rows)
            self._changed.notify()
        return job

    def stop(self) -> None:
        """Takes nothing more, answers what waits, and returns when that is done."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while True:
            parts = self._next_parts()
            if not parts:
                return
            start = time.monotonic()
            answers = self._answers_of(parts)
            rows = sum(len(part.rows) for part in parts)
            seconds = (time.monotonic() - start) / rows / len(self._threads)
            with self._changed:
                self._seconds_per_row += (1.0 - _MEMORY) * (seconds - self._seconds_per_row)
            self._observe(rows)
            _deliver(list(zip(parts, answers)))

    def _next_parts(self) -> List[_Part]:
        """What the next batch answers; nothing once the batcher is stopped and the queue is empty."""
        with self._changed:
            while True:
                while not self._jobs and not self._is_stopped:
                    self._changed.wait()
                if not self._jobs:
                    return []
                self._wait_for_more()
                parts = self._take() if self._jobs else []  # another thread may have been faster
                if self._jobs:
                    self._changed.notify()
                if parts:  # requests that were given up leave none
                    return parts

    def _wait_for_more(self) -> None:
        deadline = time.monotonic() + self._bounds.max_wait
        while self._rows_waiting < self._bounds.max_rows and not self._is_stopped:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not self._changed.wait(remaining):
                return

    def _take(self) -> List[_Part]:
        """Rows with the options of the first job, as many as a batch may have."""
        parts: List[_Part] = []
        waiting: List[Job] = []  # with other options
        unfinished: List[Job] = []
        options = self._jobs[0].options
        room = _Room(self._bounds.max_rows, self._bounds.max_tokens)
        while self._jobs and not room.is_full:
            job = self._jobs.popleft()
            if job.future.done():  # given up, or failed at an earlier part
                self._rows_waiting -= len(job.rows) - job.taken
            elif job.options != options:
                waiting.append(job)
            else:
                start, rows = job.taken, self._rows_that_fit(job, room)
                if rows:
                    parts.append(_Part(job, start, rows))
                if job.taken < len(job.rows):
                    (unfinished if rows else waiting).append(job)
        self._jobs.extendleft(reversed(waiting))
        self._jobs.extend(unfinished)
        return parts

    def _rows_that_fit(self, job: Job, room: _Room) -> Sequence[Any]:
        start = job.taken
        while job.taken < len(job.rows) and room.take(self._tokens_of(job.rows[job.taken])):
            job.taken += 1
        self._rows_waiting -= job.taken - start
        return job.rows[start : job.taken]

    def _answers_of(self, parts: List[_Part]) -> List[Any]:
        """For each part a list of answers, or an error."""
        try:
            answers = list(self._answer([row for part in parts for row in part.rows], parts[0].job.options))
        except Exception as error:  # whose rows raised it is not known: nobody else shall have it
            if len(parts) > 1:
                return [answer for part in parts for answer in self._answers_of([part])]
            if not isinstance(error, UserError):
                _log.exception("A batch of %s rows failed.", len(parts[0].rows))
            return [error]
        cut: List[List[Any]] = []
        for part in parts:
            cut.append(answers[: len(part.rows)])
            answers = answers[len(part.rows) :]
        return cut


class _Room:
    """What is left of a batch."""

    def __init__(self, rows: int, tokens: int) -> None:
        self._rows = rows
        self._tokens = tokens
        self._is_empty = True
        self.is_full = False

    def take(self, tokens: int) -> bool:
        """Whether one more row finds room; the first always does."""
        if not self._is_empty and (self._rows < 1 or tokens > self._tokens):
            self.is_full = True
            return False
        self._is_empty = False
        self._rows -= 1
        self._tokens -= tokens
        return True


def _deliver(answers: Sequence[Tuple[_Part, Any]]) -> None:
    loop = answers[0][0].job.future.get_loop()
    try:
        loop.call_soon_threadsafe(_settle, answers)
    except RuntimeError:  # the loop has ended: nobody waits any more
        _log.debug("Nobody waits for %s answers.", len(answers))


def _settle(answers: Sequence[Tuple[_Part, Any]]) -> None:
    for part, answer in answers:
        job = part.job
        if job.future.done():  # given up, or failed at an earlier part
            continue
        if isinstance(answer, Exception):
            job.future.set_exception(answer)
            continue
        job.answers[part.start : part.start + len(part.rows)] = answer
        job.unanswered -= len(part.rows)
        if not job.unanswered:
            job.future.set_result(job.answers)
