"""This machine: which processes run on it."""

import os

from albert.base.machine import is_running


def test_processes_run_until_they_are_waited_for():
    process = os.fork()
    if not process:
        os._exit(0)
    assert is_running(os.getpid()) and is_running(os.getppid())
    os.waitpid(process, 0)
    assert not is_running(process)
