"""Measurements in turns: every worker is a process of its own that prepares itself once and then works when it is told.

So a ratio of two is taken from moments that lie side by side, and what disturbs the machine disturbs both. Needs
nothing but Python: the workers may belong to different environments.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Dict, Hashable, List, NamedTuple, Sequence

_ANSWER = "@turn "  # tells the answers from what a library prints


class Turns(NamedTuple):
    """What a worker said of itself, and what each of its turns gave."""

    description: Any
    results: List[Any]


class Worker:
    """A process that runs `serve`."""

    def __init__(self, command: Sequence[str]) -> None:
        """Starts it.

        Args:
          command: a program that calls `serve`.
        """
        self._command = list(command)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 (closed in `close`)
        self._process = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            universal_newlines=True,
            bufsize=1,
            env=dict(os.environ, TF_CPP_MIN_LOG_LEVEL="3", PYTHONWARNINGS="ignore"),
        )
        self.description: Any = None

    def wait_until_ready(self) -> None:
        """Sets `description`, which is what the worker says of itself when it has prepared itself."""
        self.description = self._answer()

    def work(self) -> Any:
        """What one turn gives."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """Ends it."""
        if self._process.poll() is None:
            self._process.stdin.close()
            self._process.wait()
        self._process.stdout.close()
        self._errors.close()

    def _answer(self) -> Any:
        for line in self._process.stdout:
            if line.startswith(_ANSWER):
                return json.loads(line[len(_ANSWER) :])
        self._errors.seek(0)
        errors = self._errors.read().decode("utf-8", "replace")
        raise SystemExit("{} failed:\n{}".format(" ".join(self._command), errors))


def serve(description: Any, work: Callable[[], Any]) -> None:
    """A worker's life: says that it is ready, then works whenever it is told, until its input ends.

    Args:
      description: what it says of itself, fit for JSON.
      work: one turn; what it returns goes to `Worker.work`.
    """
    _say(description)
    for _ in sys.stdin:
        _say(work())


def seconds_of(work: Callable[[], Any]) -> float:
    """How long a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _say(value: Any) -> None:
    sys.stdout.write("\n" + _ANSWER + json.dumps(value) + "\n")
    sys.stdout.flush()


def in_turns(commands: Dict[Hashable, Sequence[str]], runs: int) -> Dict[Hashable, Turns]:
    """Lets workers take turns.

    Args:
      commands: the workers by name. They prepare themselves one after the other.
      runs: turns of each.

    Raises:
      SystemExit: one failed; its output is shown.
    """
    workers: Dict[Hashable, Worker] = {}
    try:
        for name, command in commands.items():
            workers[name] = Worker(command)
            workers[name].wait_until_ready()
        turns = {name: Turns(worker.description, []) for name, worker in workers.items()}
        for _ in range(runs):
            for name, worker in workers.items():
                turns[name].results.append(worker.work())
        return turns
    finally:
        for worker in workers.values():
            worker.close()
