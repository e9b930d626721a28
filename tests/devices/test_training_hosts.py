"""Training by workers on hosts of a network of their own, and its faults; scripts/test_cluster.sh runs it."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

import pytest

from albert.base.paths import ROOT
from tests.devices.test_divided_training import (
    COMMANDS,
    KILLED,
    SAVED,
    assert_same_training,
    records,
    said,
    write_inputs,
)
from tests.support import tiny_model, worker_runs
from tests.support.hosts import Network
from tests.support.spark_cluster import wait_until

# Groups run beside each other, each in a process and on a network of its own: their tests wait much.
on_pretraining, on_fine_tuning = (pytest.mark.xdist_group(name) for name in ("pretraining", "fine_tuning"))
pytestmark = pytest.mark.skipif(not os.environ.get("ALBERT_CLUSTER_TESTS"), reason="scripts/test_cluster.sh runs it")

NAMES = ("h0", "h1", "h2")
# Batches that two and three hosts can divide, and ten steps.
BATCHES = {
    "pretraining": {"train_batch_size": 12},
    "fine_tuning": {"train_batch_size": 6, "num_train_epochs": 3.3},
}
PAUSED_AFTER = 7
DAY = 86400  # seconds
LOST = (
    r"error: worker (\d) \([\d.]+:2222\) (has gone|cannot be reached any more|does not answer any more), so training "
)
LOST += r"has stopped: start all workers again with the same commands; they go on from the last good checkpoint, (\S+)$"


@pytest.fixture(scope="module")
def hosts():
    with Network(NAMES) as network:
        yield [network.hosts[name] for name in NAMES]


class Phase:
    """A training command, and a folder in which one process has run it to the end."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        write_inputs(folder)
        one = worker_runs.run(*self.values("one"), log=folder / "one.log")
        assert worker_runs.run_all([[one]]) == [[0]], said(folder / "one.log")

    def values(self, output, **changes):
        return COMMANDS[self.name](self.folder, output, save_checkpoints_steps=SAVED, **BATCHES[self.name], **changes)

    def runs(self, output, hosts, **faults):
        return worker_runs.on_hosts(*self.values(output), log=self.folder / (output + ".log"), hosts=hosts, **faults)

    def log(self, output, index):
        return self.folder / "{}.log-{}".format(output, index)


@pytest.fixture(scope="module")
def pretraining(tmp_path_factory):
    return Phase("pretraining", tmp_path_factory.mktemp("pretraining"))


@pytest.fixture(scope="module")
def fine_tuning(tmp_path_factory):
    return Phase("fine_tuning", tmp_path_factory.mktemp("fine_tuning"))


@contextlib.contextmanager
def training(runs):
    """Runs at work, while the block does harm; after it their exit statuses are in the list."""
    statuses = []
    thread = threading.Thread(target=lambda: statuses.extend(worker_runs.run_all([runs])[0]))
    thread.start()
    try:
        yield statuses
    finally:
        for run in runs:
            with contextlib.suppress(FileNotFoundError):
                os.remove(paused(run))
        thread.join()
        print(statuses, *(said(run["log"]) for run in runs), sep="\n")


def paused(run):
    return run["log"] + ".paused"


def until_paused(run):
    wait_until(lambda: os.path.exists(paused(run)), "no update", 240)


def seconds_until_all_said(runs, most):
    """Until every worker has said its sentence."""
    start = time.monotonic()
    wait_until(lambda: all("error: " in said(run["log"]) for run in runs), "no sentence", most)
    seconds = time.monotonic() - start
    print("{:.0f} s until every sentence".format(seconds))
    return seconds


def assert_said(phase, output, index, lost, trouble):
    """One sentence, which names a worker that is lost (all are to one that is cut off) and the last good checkpoint."""
    (sentence,) = [line for line in said(phase.log(output, index)).splitlines() if line.startswith("error: ")]
    found = re.match(LOST, sentence)
    assert found, sentence
    assert found.group(3) == str(phase.folder / output / "model.ckpt-{}".format(SAVED))
    assert int(found.group(1)) in lost and found.group(2) in trouble, sentence


def assert_goes_on(phase, output, hosts):
    """The same commands train to the weights of one process."""
    latest = phase.folder / output / "model.ckpt-{}".format(SAVED)
    with training(phase.runs(output, hosts)) as statuses:
        pass
    assert statuses == [0] * len(hosts)
    assert "Going on from {} (".format(latest) in said(phase.log(output, 0))
    assert_same_training(phase.folder, "one", output)


@pytest.mark.parametrize(
    ("name", "count"),
    [pytest.param("pretraining", 3, marks=on_pretraining), pytest.param("fine_tuning", 2, marks=on_fine_tuning)],
)
def test_a_host_that_is_killed(hosts, request, name, count):
    phase, lost = request.getfixturevalue(name), count - 1
    runs = phase.runs("killed", hosts[:count], pauses={lost: PAUSED_AFTER})
    with training(runs) as statuses:
        until_paused(runs[lost])
        hosts[lost].kill()
        seconds_until_all_said(runs[:lost], 45)
    assert statuses == [1] * lost + [KILLED]
    # Who sees it second may miss the one who saw it first.
    for index in range(lost):
        assert_said(phase, "killed", index, set(range(count)) - {index}, ["has gone"])
    assert_goes_on(phase, "killed", hosts[:count])


@pytest.mark.parametrize(
    ("name", "count"),
    [pytest.param("pretraining", 2, marks=on_pretraining), pytest.param("fine_tuning", 3, marks=on_fine_tuning)],
)
def test_a_link_that_is_cut_for_a_minute(hosts, request, name, count):
    phase, lost = request.getfixturevalue(name), count - 1
    runs = phase.runs("cut", hosts[:count], pauses={lost: PAUSED_AFTER})
    with training(runs) as statuses:
        until_paused(runs[lost])
        with hosts[lost].cut_off():
            start = time.monotonic()
            os.remove(paused(runs[lost]))
            seconds_until_all_said(runs, 45)
            time.sleep(max(0.0, start + 60 - time.monotonic()))
    assert statuses == [1] * count
    for index in range(count):
        others = set(range(count)) - {index}
        assert_said(phase, "cut", index, others, ["cannot be reached any more", "has gone"])
    assert_said(phase, "cut", lost, set(range(lost)), ["cannot be reached any more"])
    assert_goes_on(phase, "cut", hosts[:count])


@on_fine_tuning
def test_a_host_that_stands_still(hosts, fine_tuning):
    runs = fine_tuning.runs("still", hosts[:2], pauses={1: PAUSED_AFTER})
    with training(runs) as statuses:
        until_paused(runs[1])
        (still,) = hosts[1].processes()
        os.kill(still, signal.SIGSTOP)
        seconds_until_all_said(runs[:1], 120)
        hosts[1].kill()
    assert statuses == [1, KILLED]
    assert_said(fine_tuning, "still", 0, [1], ["does not answer any more"])
    assert_goes_on(fine_tuning, "still", hosts[:2])


@on_pretraining
def test_a_host_that_is_ten_times_slower(hosts, pretraining):
    runs = pretraining.runs("slow", hosts[:2], pauses={1: 2})
    with training(runs) as statuses:
        until_paused(runs[1])
        with hosts[1].slowed(10):
            os.remove(paused(runs[1]))
            wait_until(lambda: len(statuses) == 2, "no end", 240)
    assert statuses == [0, 0]
    assert_same_training(pretraining.folder, "one", "slow")


@on_pretraining
def test_a_host_that_is_ten_times_slower_is_named(hosts, pretraining, tmp_path):
    # Large enough that a step is work on the model, most of all.
    sizes = {"hidden_size": 384, "intermediate_size": 1536, "num_hidden_layers": 4}
    config = tiny_model.write_config(tmp_path, **sizes)
    values = pretraining.values("named", bert_config_file=config, num_train_steps=22)
    runs = worker_runs.on_hosts(*values, log=tmp_path / "log", hosts=hosts[:2], pauses={1: 2})
    with training(runs) as statuses:
        until_paused(runs[1])
        with hosts[1].slowed(10):
            os.remove(paused(runs[1]))
            wait_until(lambda: len(statuses) == 2, "no end", 240)
    assert statuses == [0, 0]
    (hint,) = re.findall("^Hint: worker.*", said(runs[0]["log"]), re.MULTILINE)
    assert re.match(r"Hint: worker 1 \(10\.77\.0\.2:2222\) is slow: it takes [\d.]+ s for its part of a step", hint)
    assert "Hint: worker" not in said(runs[1]["log"])


@on_pretraining
@pytest.mark.skipif(not shutil.which("cc"), reason="there is no C compiler for wrong_clock.c")
def test_a_host_whose_clock_is_wrong(hosts, pretraining):
    library = str(pretraining.folder / "wrong_clock.so")
    source = os.path.join(ROOT, "tests", "support", "wrong_clock.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source, "-ldl", "-lpthread"], check=True)
    begin = time.time()
    runs = pretraining.runs("clock", hosts[:2])
    processes = [
        start_alone(host, run, **environment)
        for host, run, environment in zip(hosts, runs, ({"LD_PRELOAD": library, "WRONG_CLOCK_SECONDS": str(DAY)}, {}))
    ]
    try:
        statuses = [process.wait(timeout=240) for process in processes]
    except subprocess.TimeoutExpired:
        statuses = None
    print(*(said(run["log"]) for run in runs), sep="\n")
    assert statuses == [0, 0]
    assert all(DAY < record["time"] - begin < DAY + 300 for record in records(pretraining.folder / "clock"))
    assert_same_training(pretraining.folder, "one", "clock")


def start_alone(host, run, **environment):
    """Starts a run in a process that is no fork, with variables of its own."""
    words = [sys.executable, os.path.join(ROOT, run["command"] + ".py"), *run["arguments"]]
    return host.start(words, run["log"], TF_CONFIG=json.dumps(run["tf_config"]), OMP_NUM_THREADS="1", **environment)
