"""Runs of the training commands that are killed at a chosen moment, each in a process of its own.

    python -m tests.support.killed_runs JSON

A program by itself: it imports TensorFlow once, opens no session and forks a process for each run, so that a run costs
no start of Python. JSON is a list of runs: {"command": module, "arguments": [...], "kill": null or one of
{"step": N}       after the update of step N
{"save": N}       when the files of the checkpoint of step N are in place, and the file `checkpoint` does not name it
{"seconds": S}    S seconds after the run's metrics begin or grow
"metrics": path}. It prints a line for each: the exit status, negative for a signal.
"""

import contextlib
import importlib
import json
import os
import signal
import subprocess
import sys
import time
import traceback

from albert.base.paths import ROOT
from tests.support import quick_tensorflow


def run_all(runs, seconds=600):
    """Starts this program and returns the exit status of each run, and what they said."""
    return start("tests.support.killed_runs", runs, seconds)


def start(program, described, seconds=600):
    """Runs a module that gets JSON; returns the JSON of each line that it prints, and what it said otherwise."""
    process = subprocess.Popen(
        [sys.executable, "-m", program, json.dumps(described, default=str)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        output, said = (text.decode("utf-8") for text in process.communicate(timeout=seconds))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # with all that it has forked
    assert process.returncode == 0, said
    return [json.loads(line) for line in output.splitlines()], said


def _kill_after_step(step):
    from albert.monitor.log import TrainingLogHook

    original = TrainingLogHook.after_run

    def after_run(self, run_context, run_values):
        original(self, run_context, run_values)
        if self._step == step:
            os.kill(os.getpid(), signal.SIGKILL)

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
        _kill_after_step(kill["step"])
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
    import matplotlib.figure  # noqa: F401 (the curves' drawing takes seconds to import)

    quick_tensorflow.apply()


def main():
    runs = json.loads(sys.argv[1])
    import_commands(runs)
    for run in runs:
        print(_wait(forked(_child, run), run), flush=True)


if __name__ == "__main__":
    main()
