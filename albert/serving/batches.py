"""Dynamic batching: requests that wait at the same time are answered in one pass of the model.

Coroutines put their rows into a queue; a thread takes waiting rows, up to a bound of rows and tokens, and answers them.
A model that answers several batches faster in parallel than one by one has as many threads. A request of many rows is
answered in parts; other requests have their turn between them.
"""

from __future__ import annotations

import asyncio
import collections
import logging
import math
import threading
import time
from typing import Any, Callable, Deque, Hashable, List, NamedTuple, Sequence, Tuple, Union

from albert.base.errors import UserError

_log = logging.getLogger(__name__)

_SECONDS_PER_ROW = 0.01  # the estimate for a row before any was answered
_MEMORY = 0.9  # the share that earlier batches keep in the mean of seconds per row

# Rows and the options that all of them share -> an answer for each, in order.
Answer = Callable[[Sequence[Any], Any], Sequence[Any]]
_Answers = Union[Sequence[Any], Exception]  # to the rows of a part


class QueueFull(Exception):
    """Raised where the queue has no room for the rows of a request.

    Attributes:
      retry_after: whole seconds after which there is probably room.
    """

    def __init__(self, retry_after: int) -> None:
        super().__init__("the queue is full")
        self.retry_after = retry_after


class TooLarge(Exception):
    """Raised where the rows of one request are more than the queue ever has room for.

    Attributes:
      sequences: how many sequences of the model they make.
      most: how many may wait.
    """

    def __init__(self, sequences: int, most: int) -> None:
        super().__init__("the queue is too short")
        self.sequences = sequences
        self.most = most


class Stopped(Exception):
    """Raised where the batcher was stopped: it accepts no more rows, or does not answer those that waited."""


class Size(NamedTuple):
    """Approximate size of a row: a long text may become several sequences of the model.

    Attributes:
      sequences: sequences that it becomes.
      tokens: tokens of all of them.
    """

    sequences: int = 1
    tokens: int = 1


class Bounds(NamedTuple):
    """Limits of a batch and of the queue; a row that becomes several sequences counts as many rows.

    Attributes:
      max_rows: rows of a batch; a single row may count more.
      max_tokens: tokens of a batch; a single row may have more.
      max_wait: seconds that a batch waits for more rows while it is not full.
      max_queue: rows of all requests that may wait together.
    """

    max_rows: int
    max_tokens: int
    max_wait: float
    max_queue: int


class Job:
    """Rows of one request on their way.

    Attributes:
      future: gets the list of answers, or the error.
    """

    def __init__(
        self, rows: Sequence[Any], sizes: Sequence[Size], options: Hashable, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.rows = rows
        self.sizes = sizes
        self.options = options
        self.answers: List[Any] = [None] * len(rows)
        self.taken = 0  # rows that the model has received
        self.unanswered = len(rows)
        self.future: asyncio.Future = loop.create_future()

    def cancel(self) -> None:
        """Drops the rows that the model has not received yet."""
        self.future.cancel()

    @property
    def waiting(self) -> int:
        """Sequences of the rows that the model has not received yet."""
        return sum(size.sequences for size in self.sizes[self.taken :])


class _Part(NamedTuple):
    job: Job
    start: int  # the position of its first row in the request
    rows: Sequence[Any]

    @property
    def sequences(self) -> int:
        return sum(size.sequences for size in self.job.sizes[self.start : self.start + len(self.rows)])


class Batcher:
    """Queue and the threads that empty it; `submit` and `refuse_waiting` belong to one event loop."""

    def __init__(
        self,
        answer: Answer,
        bounds: Bounds,
        *,
        num_threads: int = 1,
        size_of: Callable[[Any], Size] = lambda row: Size(),
        observe: Callable[[int], None] = lambda rows: None,
    ) -> None:
        """Starts the threads.

        Args:
          answer: the model; only the threads call it. Its `UserError` goes to the request whose rows raise it.
          bounds: see `Bounds`.
          num_threads: batches that are answered in parallel.
          size_of: the approximate size of a row.
          observe: receives the number of rows of each batch, or of their sequences where these are more.
        """
        self._answer = answer
        self._bounds = bounds
        self._size_of = size_of
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
        """Rows that no batch has taken yet; one that becomes several sequences counts as many."""
        return self._rows_waiting

    def submit(self, rows: Sequence[Any], options: Hashable = None) -> Job:
        """Puts rows into the queue; called in the event loop that awaits the job's future.

        Args:
          rows: at least one.
          options: only rows with equal options share a batch.

        Raises:
          QueueFull: there is no room for all of them.
          TooLarge: there never is.
          Stopped: after `stop`.
        """
        job = Job(rows, [self._size_of(row) for row in rows], options, asyncio.get_event_loop())
        size = job.waiting
        if size > self._bounds.max_queue:
            raise TooLarge(size, self._bounds.max_queue)
        with self._changed:
            if self._is_stopped:
                raise Stopped()
            if self._rows_waiting + size > self._bounds.max_queue:
                raise QueueFull(max(1, math.ceil(self._rows_waiting * self._seconds_per_row)))
            self._jobs.append(job)
            self._rows_waiting += size
            self._changed.notify()
        return job

    def stop(self) -> None:
        """Accepts no more rows, answers those that wait, and returns when that is done."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def refuse_waiting(self) -> int:
        """Accepts no more rows, and fails the requests of which rows wait with `Stopped`; belongs to the event loop.

        Returns:
          the number of those requests.
        """
        with self._changed:
            self._is_stopped = True
            refused = [job for job in self._jobs if not job.future.done()]
            self._changed.notify_all()
        for job in refused:
            job.future.set_exception(Stopped())
        return len(refused)

    def _run(self) -> None:
        while True:
            parts = self._next_parts()
            if not parts:
                return
            start = time.monotonic()
            answers = self._answers_of(parts)
            rows = sum(part.sequences for part in parts)
            seconds = (time.monotonic() - start) / rows / len(self._threads)
            with self._changed:
                self._seconds_per_row += (1.0 - _MEMORY) * (seconds - self._seconds_per_row)
            self._observe(rows)
            _deliver(list(zip(parts, answers)))

    def _next_parts(self) -> List[_Part]:
        """Returns the parts of the next batch; none once the batcher is stopped and the queue is empty."""
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
                if parts:  # cancelled requests leave none
                    return parts

    def _wait_for_more(self) -> None:
        deadline = time.monotonic() + self._bounds.max_wait
        while self._rows_waiting < self._bounds.max_rows and not self._is_stopped:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not self._changed.wait(remaining):
                return

    def _take(self) -> List[_Part]:
        """Takes rows with the options of the first job, up to the limits of a batch."""
        parts: List[_Part] = []
        waiting: List[Job] = []  # with other options
        unfinished: List[Job] = []
        options = self._jobs[0].options
        room = _Room(self._bounds.max_rows, self._bounds.max_tokens)
        while self._jobs and not room.is_full:
            job = self._jobs.popleft()
            if job.future.done():  # cancelled, or failed in an earlier part
                self._rows_waiting -= job.waiting
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
        while job.taken < len(job.rows) and room.take(job.sizes[job.taken]):
            self._rows_waiting -= job.sizes[job.taken].sequences
            job.taken += 1
        return job.rows[start : job.taken]

    def _answers_of(self, parts: List[_Part]) -> List[_Answers]:
        """Returns for each part a list with its answers or an error."""
        try:
            answers = list(self._answer([row for part in parts for row in part.rows], parts[0].job.options))
        except Exception as error:  # it is not known whose rows raised it, and no other request may get it
            if len(parts) > 1:
                return [answer for part in parts for answer in self._answers_of([part])]
            if not isinstance(error, UserError):
                _log.exception("A batch of %s rows failed.", len(parts[0].rows))
            return [error]
        cut: List[Union[Sequence[Any], Exception]] = []
        for part in parts:
            cut.append(answers[: len(part.rows)])
            answers = answers[len(part.rows) :]
        return cut


class _Room:
    """Room that is left in a batch."""

    def __init__(self, rows: int, tokens: int) -> None:
        self._rows = rows
        self._tokens = tokens
        self._is_empty = True
        self.is_full = False

    def take(self, size: Size) -> bool:
        """Takes a row if there is room for it, and returns whether there was; the first always fits."""
        if not self._is_empty and (size.sequences > self._rows or size.tokens > self._tokens):
            self.is_full = True
            return False
        self._is_empty = False
        self._rows -= size.sequences
        self._tokens -= size.tokens
        return True


def _deliver(answers: Sequence[Tuple[_Part, _Answers]]) -> None:
    loop = answers[0][0].job.future.get_loop()
    try:
        loop.call_soon_threadsafe(_settle, answers)
    except RuntimeError:  # the loop has ended: nobody waits for the answers
        _log.debug("Nobody waits for %s answers.", len(answers))


def _settle(answers: Sequence[Tuple[_Part, _Answers]]) -> None:
    for part, answer in answers:
        job = part.job
        if job.future.done():  # cancelled, or failed in an earlier part
            continue
        if isinstance(answer, Exception):
            job.future.set_exception(answer)
            continue
        job.answers[part.start : part.start + len(part.rows)] = answer
        job.unanswered -= len(part.rows)
        if not job.unanswered:
            job.future.set_result(job.answers)
