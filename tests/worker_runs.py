"""Training commands in several processes at a time, on several devices, one of them killed where a test wants it.

    python worker_runs.py JSON

A program by itself: it imports TensorFlow once, opens no session and forks its processes, so that each costs no start
of Python. JSON is a list of stages, one after the other; a stage is a dict of
"runs": a list of {"command": module, "arguments": [...], "log": path, "tf_config": what TF_CONFIG says, or null}, which
  run at the same time, and
"kill": null, or [number of a run, path]: that run is killed when the file exists.
It prints the exit statuses of each stage's runs, negative for signals, as a JSON list per stage.
"""

import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def run_all(stages, seconds=300):
    """Starts this program; returns the exit statuses of each stage's runs."""
    process = subprocess.Popen(
        [sys.executable, os.path.abspath(__file__), json.dumps(stages, default=str)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
    )  # fmt: skip
    try:
        output, errors = process.communicate(timeout=seconds)
    except BaseException:
        os.killpg(process.pid, signal.SIGKILL)  # with all that it has forked
        raise
    assert process.returncode == 0, errors.decode("utf-8")
    return [json.loads(line) for line in output.decode("utf-8").splitlines()]


def run(command, values, log, tf_config=None):
    """One run of a stage."""
    arguments = ["--{}={}".format(name, value) for name, value in values.items()]
    return {"command": command, "arguments": arguments, "log": str(log), "tf_config": tf_config}


def workers(command, values, log, number=2):
    """The same run by a cluster of workers; `log` gets their numbers."""
    addresses = ["127.0.0.1:{}".format(port) for port in free_ports(number)]
    tasks = [{"cluster": {"worker": addresses}, "task": {"type": "worker", "index": i}} for i in range(number)]
    return [run(command, values, "{}-{}".format(log, index), task) for index, task in enumerate(tasks)]


def free_ports(number):
    """Ports that nobody listens at."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _child(described):
    import command_line
    import heads

    output = os.open(described["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(output, 1)
    os.dup2(output, 2)
    if described["tf_config"]:
        os.environ["TF_CONFIG"] = json.dumps(described["tf_config"])
    heads.CLASSIFIER_DROPOUT = 0.0  # drawn anew by every replica
    module = importlib.import_module(described["command"])
    command_line.run(module.__doc__, module.declare_flags(), module.main, described["arguments"])


def _forked(described):
    process = os.fork()
    if process:
        return process
    status = 1
    try:
        _child(described)
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _run_stage(stage):
    processes = [_forked(described) for described in stage["runs"]]
    if stage.get("kill"):
        number, path = stage["kill"]
        while not os.path.exists(path) and not os.waitpid(processes[number], os.WNOHANG)[0]:
            time.sleep(0.05)
        os.kill(processes[number], signal.SIGKILL)
    statuses = [os.waitpid(process, 0)[1] for process in processes]
    return [-os.WTERMSIG(s) if os.WIFSIGNALED(s) else os.WEXITSTATUS(s) for s in statuses]


def main():
    sys.path.insert(0, ROOT)
    stages = json.loads(sys.argv[1])
    for name in sorted({described["command"] for stage in stages for described in stage["runs"]}):
        importlib.import_module(name)
    import matplotlib.figure  # noqa: F401 (the curves' drawing takes seconds to import)

    for stage in stages:
        print(json.dumps(_run_stage(stage)), flush=True)


if __name__ == "__main__":
    main()
