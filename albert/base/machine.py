"""This machine: its processor, the cores that this process may use, and whether a process runs."""

from __future__ import annotations

import os
import platform

_CPU_FILE = "/proc/cpuinfo"


def available_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def processor_name() -> str:
    """The name that the processor gives itself, else its kind."""
    try:
        with open(_CPU_FILE, encoding="utf-8", errors="replace") as file:
            names = [line.partition(":")[2].strip() for line in file if line.startswith("model name")]
    except OSError:  # another system than Linux
        names = []
    return names[0] if names else platform.processor() or platform.machine()


def is_running(process: int) -> bool:
    """Whether a process of this number runs on this machine; always true on Windows, which has no harmless signal."""
    if os.name == "nt":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass  # it runs for another user
    return True
