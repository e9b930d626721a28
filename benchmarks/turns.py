"""Measurements in turns: each worker is a process that prepares itself once and then works on request.

So a ratio compares measurements made one right after the other, and a disturbance of the machine affects both. It needs
only Python: the workers may belong to different environments.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any, Callable, Dict, Hashable, List, Mapping, NamedTuple, Sequence, TypeVar

Name = TypeVar("Name", bound=Hashable)

_ANSWER = "@turn "  # marks answers among what libraries print


class Turns(NamedTuple):
    """Description that a worker gave of itself, and the results of its turns."""

    description: Any
    results: List[Any]


class Worker:
    """Process that runs `serve`."""

    def __init__(self, command: Sequence[str]) -> None:
        """Starts the process.

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
        """Waits until the worker has prepared itself; sets `description`."""
        self.description = self._answer()

    def work(self) -> Any:
        """Lets the worker work one turn; returns the result."""
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self._answer()

    def close(self) -> None:
        """Ends the process."""
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
    """Runs a worker: reports that it is ready, then works once per line of its input.

    Args:
      description: the worker's description of itself, a JSON value.
      work: one turn; its result, a JSON value, goes to `Worker.work`.
    """
    _say(description)
    for _ in sys.stdin:
        _say(work())


def seconds_of(work: Callable[[], Any]) -> float:
    """Measures the seconds of a call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _say(value: Any) -> None:
    sys.stdout.write("\n" + _ANSWER + json.dumps(value) + "\n")
    sys.stdout.flush()


def in_turns(commands: Mapping[Name, Sequence[str]], runs: int) -> Dict[Name, Turns]:
    """Lets workers take turns; returns their results by name.

    Args:
      commands: the commands of the workers, by name. The workers prepare themselves one after the other.
      runs: turns of each worker.

    Raises:
      SystemExit: a worker failed; the message holds its output.
    """
    workers: Dict[Name, Worker] = {}
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
