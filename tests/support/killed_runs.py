"""Runs of the training commands that are killed at a chosen moment, each in a process of its own.

    python -m tests.support.killed_runs

A program by itself: it imports TensorFlow once, opens no session and forks a process for each run, so that a run costs
no start of Python. It reads lines of JSON, each a list of runs: {"command": module, "arguments": [...], "kill": null or
one of
{"step": N}       after the update of step N; "signal": its name, SIGKILL by default
{"save": N}       when the files of the checkpoint of step N are in place, and the file `checkpoint` does not name it
{"seconds": S}    S seconds after the run's metrics begin or grow
"metrics": path}. It prints a line for each run: the exit status, negative for a signal.
"""

import atexit
import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

from albert.base.paths import ROOT
from tests.support import quick_tensorflow


def run_all(runs, seconds=600):
    """The exit status of each run, and what they said."""
    return ask("tests.support.killed_runs", runs, seconds)


class _Server:
    """A module of this folder as a process that answers lines of JSON until its input ends."""

    def __init__(self, program):
        self._said = tempfile.TemporaryFile("a+b")  # noqa: SIM115 (open as long as the server)
        self._process = subprocess.Popen(
            [sys.executable, "-m", program],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, start_new_session=True,
        )  # fmt: skip

    def ask(self, described, seconds):
        begin = self._said.seek(0, os.SEEK_END)
        timer = threading.Timer(seconds, self.end)
        timer.start()
        try:
            self._process.stdin.write(json.dumps(described, default=str).encode("ascii") + b"\n")
            self._process.stdin.flush()
            lines = [self._process.stdout.readline() for _ in described]
        finally:
            timer.cancel()
        self._said.seek(begin)
        said = self._said.read().decode("utf-8")
        assert all(lines), said
        return [json.loads(line.decode("ascii")) for line in lines], said

    def end(self):
        """Kills it with all that it has forked."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)


_servers = {}


def ask(program, described, seconds=600):
    """Hands a list to a program, which is started once; the JSON of each answer, and what was said otherwise."""
    if program not in _servers:
        _servers[program] = _Server(program)
        atexit.register(_servers[program].end)
    return _servers[program].ask(described, seconds)


def answer(serve):
    """The other side: calls serve(described) for each line of the input and prints what it yields."""
    for line in sys.stdin:
        for found in serve(json.loads(line)):
            print(json.dumps(found), flush=True)


def _kill_after_step(step, name):
    from albert.monitor.log import TrainingLogHook

    original = TrainingLogHook.after_run

    def after_run(self, run_context, run_values):
        original(self, run_context, run_values)
        if self._step == step:
            os.kill(os.getpid(), getattr(signal, name))

    TrainingLogHook.after_run = after_run


def _kill_before_naming(step):
    from tensorflow.python.training import saver

    original = saver.checkpoint_management.update_checkpoint_state_internal

    def update(save_dir, model_checkpoint_path, *arguments, **options):
        if model_checkpoint_path.endswith("-{}".format(step)):
            os.kill(os.getpid(), signal.SIGKILL)
        original(save_dir, model_checkpoint_path, *arguments, **options)

    saver.checkpoint_management.update_checkpoint_state_internal = update


def call(run):
    """Runs a command in this process."""
    from albert.base.flags import run_command

    module = importlib.import_module(run["command"])
    run_command(module.__doc__, module.declare_flags(), module.main, run["arguments"])


def _child(run):
    kill = run.get("kill") or {}
    if "step" in kill:
        _kill_after_step(kill["step"], kill.get("signal", "SIGKILL"))
    if "save" in kill:
        _kill_before_naming(kill["save"])
    call(run)


def forked(child, run):
    """The id of a process of its own for child(run)."""
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        child(run)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def exit_status(process):
    """Waits for a process; the number of the signal that ended it is negative."""
    status = os.waitpid(process, 0)[1]
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def _size(path):
    return os.path.getsize(path) if os.path.exists(path) else 0


def _wait(process, run):
    seconds = (run.get("kill") or {}).get("seconds")
    if seconds is not None:
        before = _size(run["metrics"])
        while _size(run["metrics"]) == before:
            if os.waitpid(process, os.WNOHANG)[0]:
                return 0
            time.sleep(0.01)
        time.sleep(seconds)
        os.kill(process, signal.SIGKILL)
    return exit_status(process)


def import_commands(runs):
    """Imports what the runs need, once for all."""
    for name in sorted({run["command"] for run in runs}):
        importlib.import_module(name)
    quick_tensorflow.apply()
    if quick_tensorflow.is_chosen():
        quick_tensorflow.blank_curves(setattr)


def serve(runs):
    import_commands(runs)
    for run in runs:
        yield _wait(forked(_child, run), run)


if __name__ == "__main__":
    answer(serve)
