"""Training commands in several processes at a time, on several devices; some are killed after a chosen update.

    python -m tests.support.worker_runs

As killed_runs.py it imports TensorFlow once and forks its processes. A line of JSON is a list of stages, one after the
other; a stage is a list of runs at the same time, {"command": module, "arguments": [...], "log": path, "tf_config":
what TF_CONFIG says, or null, "kill": the number of updates after which the process is killed, or null}. A run on a host
of `hosts.Network` also has "namespace": that of the host, and "pause": the number of updates after which it makes the
file LOG.paused and waits until that is gone, or null.
It prints the exit statuses of each stage's runs, negative for signals, as a JSON list per stage.
"""

import json
import os
import signal
import socket
import time

from tests.support import killed_runs
from tests.support.hosts import move_to


def run_all(stages):
    """Hands them to this program; returns the exit statuses of each stage's runs."""
    return killed_runs.ask("tests.support.worker_runs", stages)[0]


def run(command, values, log, tf_config=None, kill=None):
    """One run of a stage."""
    arguments = ["--{}={}".format(name, value) for name, value in values.items()]
    return {"command": command, "arguments": arguments, "log": str(log), "tf_config": tf_config, "kill": kill}


def workers(command, values, log, kills=(None, None)):
    """The same run by a cluster of workers; `log` gets their numbers."""
    addresses = ["127.0.0.1:{}".format(port) for port in free_ports(len(kills))]
    return [
        run(
            command,
            values,
            "{}-{}".format(log, index),
            {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}},
            kill,
        )
        for index, kill in enumerate(kills)
    ]


def on_hosts(command, values, log, hosts, pauses=None):
    """The same run by a worker on each of several hosts; `pauses` are updates by the worker's number."""
    addresses = ["{}:2222".format(host.address) for host in hosts]
    return [
        dict(
            run(
                command,
                values,
                "{}-{}".format(log, index),
                {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}},
            ),
            namespace=host.namespace,
            pause=(pauses or {}).get(index),
        )
        for index, host in enumerate(hosts)
    ]


def free_ports(number):
    """Ports that nobody listens at."""
    sockets = [socket.socket() for _ in range(number)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports


def _after_updates(number, act):
    """Counted by the watch: of the workers only the chief has a log, which would know the step."""
    from albert.devices.watch import WorkerWatch

    original = WorkerWatch.after_run
    updates = []

    def after_run(self, run_context, run_values):
        original(self, run_context, run_values)
        updates.append(run_values)
        if len(updates) == number:
            act()

    WorkerWatch.after_run = after_run


def _pause(file):
    with open(file, "w"):
        pass
    while os.path.exists(file):
        time.sleep(0.05)


def _child(run):
    from albert.model import heads

    log = os.open(run["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if run["tf_config"]:
        os.environ["TF_CONFIG"] = json.dumps(run["tf_config"])
    if run.get("namespace"):
        move_to(run["namespace"])
    if run["kill"]:
        _after_updates(run["kill"], lambda: os.kill(os.getpid(), signal.SIGKILL))
    if run.get("pause"):
        _after_updates(run["pause"], lambda: _pause(run["log"] + ".paused"))
    heads.CLASSIFIER_DROPOUT = 0.0  # drawn anew by every replica
    killed_runs.call(run)


def serve(stages):
    killed_runs.import_commands([run for stage in stages for run in stage])
    for stage in stages:
        processes = [killed_runs.forked(_child, run) for run in stage]
        yield [killed_runs.exit_status(process) for process in processes]


if __name__ == "__main__":
    killed_runs.answer(serve)
