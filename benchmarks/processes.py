"""Measurement of commands from outside: time, and memory of all their processes together."""

from __future__ import annotations

import os
import resource
import subprocess
import time
from typing import Any, Dict, Iterable, List, NamedTuple, Optional, Sequence

_PERIOD_SECONDS = 0.02
_PAGE_BYTES = resource.getpagesize()


class Measured(NamedTuple):
    """Measurement of a command.

    Attributes:
      seconds: duration.
      cpu_seconds: processor time of all its processes.
      peak_bytes: the largest sum of the resident memory of all its processes, sampled; pages that several processes
        share count for each of them.
      output: standard output and standard error.
    """

    seconds: float
    cpu_seconds: float
    peak_bytes: int
    output: str


def measure(command: Sequence[str], environment: Optional[Dict[str, str]] = None) -> Measured:
    """Runs and measures a command.

    Args:
      command: the program and its arguments.
      environment: further environment variables.

    Raises:
      SystemExit: the command failed; the message holds its output.
    """
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        universal_newlines=True,
        env=dict(os.environ, **(environment or {})),
    )
    peak = 0
    while process.poll() is None:
        peak = max(peak, _resident_bytes(process.pid))
        time.sleep(_PERIOD_SECONDS)
    seconds = time.monotonic() - start
    output = process.stdout.read()
    if process.returncode:
        raise SystemExit("{} failed:\n{}".format(" ".join(command), output))
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measured(seconds, cpu_seconds, peak, output)


def _resident_bytes(root: int) -> int:
    """Resident memory of a process and all its descendants (Linux)."""
    total = 0
    waiting = [root]
    while waiting:
        process = waiting.pop()
        try:
            with open("/proc/{}/statm".format(process)) as file:
                total += int(file.read().split()[1]) * _PAGE_BYTES
            waiting += _children(process)
        except (OSError, IndexError):  # the process has just ended
            continue
    return total


def _children(process: int) -> List[int]:
    children: List[int] = []
    for task in os.listdir("/proc/{}/task".format(process)):
        with open("/proc/{}/task/{}/children".format(process, task)) as file:
            children += map(int, file.read().split())
    return children


def median(numbers: Sequence[float]) -> float:
    """Median; for an even count the mean of the two middle values."""
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def median_ratio(own: Sequence[float], other: Sequence[float]) -> float:
    """Median of the ratios of values that were measured one after the other."""
    return median([a / b for a, b in zip(own, other)])


def row(cells: Iterable[Any]) -> str:
    """Row of a table that is printed while it grows."""
    return " | ".join("{:>14}".format(cell) for cell in cells) + "\n"
