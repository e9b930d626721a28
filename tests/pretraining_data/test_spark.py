"""Spark with a master and two workers as hosts of a network of their own; scripts/test_cluster.sh runs it."""

import contextlib
import json
import os
import random
import re
import subprocess
import time

import pytest

from albert.base.paths import ROOT
from albert.files.record_sets import journal_path
from tests.support.data_command import arguments, files_below
from tests.support.hosts import Network
from tests.support.spark_cluster import MASTER, cluster_of, wait_until
from tests.support.tiny_corpus import TEXT, write_text, write_vocab

PYTHONS = os.environ.get("ALBERT_SPARK_PYTHONS", "").split()
pytestmark = pytest.mark.skipif(not PYTHONS, reason="scripts/test_cluster.sh runs it")

WORKERS = ("w1", "w2")
SECONDS = 300  # for a driver on a machine that others use, too


# What the second worker's host has of its own: a Python without packages, another text, a folder that is not the
# others', and one whose disk is nearly full. It leaves all other tests alone.
OWN = """
  mkdir -p {0}/hidden {0}/full {0}/disk &&
  mount --bind {0}/bare_python {0}/python && mount --bind {0}/other_text.txt {0}/differing.txt &&
  mount -t tmpfs none {0}/hidden && mount -t tmpfs -o size=64k none {0}/disk && mkdir {0}/disk/up {0}/disk/work &&
  mount -t overlay -o lowerdir={0}/full,upperdir={0}/disk/up,workdir={0}/disk/work none {0}/full
"""


def version_of(python):
    return str(python).split("/")[-3:][0]  # pytest asks for the name of a missing one, too


# Each version has a process and a network of its own.
VERSIONS = [pytest.param(python, marks=pytest.mark.xdist_group(version_of(python))) for python in PYTHONS]
# What is the same in all versions of Spark and Python.
with_one_python = pytest.mark.parametrize("shared", VERSIONS[:1], indirect=True, ids=version_of)


@pytest.fixture(scope="module", params=VERSIONS, ids=version_of)
def shared(request, tmp_path_factory):
    """The folder that all hosts share, with the text and what the local command makes of it; and the cluster."""
    folder = tmp_path_factory.mktemp("shared")
    python = os.path.abspath(request.param)
    write_inputs(folder, python)
    subprocess.run(
        [python, os.path.join(ROOT, "create_pretraining_data.py"), *words(folder, "local", num_workers=2)], check=True
    )
    with Network([MASTER, *WORKERS]) as network, cluster_of(network, python, folder) as cluster:
        cluster.start_worker("w1")
        cluster.start_worker("w2", OWN.strip().format(folder))
        cluster.wait_for_workers()
        yield folder, network.hosts, cluster


def write_inputs(folder, python):
    rng = random.Random(5)
    lines = [line for line in TEXT.splitlines() if line]
    documents = ("\n".join(rng.choice(lines) for _ in range(rng.randrange(1, 8))) for _ in range(1200))
    text = "\n\n".join(documents) + "\n"
    for name, content in (("text.txt", text), ("differing.txt", text), ("other_text.txt", text + "\n多一行\n")):
        write_text(folder, content, name)
    write_vocab(folder)
    for name, flag in (("python", ""), ("bare_python", "-S")):
        write_text(folder, '#!/bin/sh\nexec {} {} "$@"\n'.format(python, flag), name)
        os.chmod(str(folder / name), 0o755)


def words(folder, output, **changes):
    values = {
        "output_file": folder / output / "zh.tfrecord",
        "heldout_file": folder / output / "held.tfrecord",
        "heldout_share": 0.1,
        "num_shards": 8,
        "do_whole_word_mask": True,
        "num_workers": None,
    }
    return arguments(folder, **dict(values, **changes))


@contextlib.contextmanager
def driver(shared, output, worker_python=None, **changes):
    """A driver at work; after the block its exit status and what it said are in the dictionary with its process."""
    folder, _, cluster = shared
    log = folder / "driver-{}.log".format(len(list(folder.glob("driver-*"))))
    start = time.monotonic()
    process = cluster.start_driver(words(folder, output, **changes), log, worker_python)
    ended = {"process": process}
    try:
        yield ended
        ended["status"] = process.wait(timeout=SECONDS)
    finally:
        process.kill()
        print("{}: {:.0f} s\n{}".format(output, time.monotonic() - start, log.read_text(encoding="utf-8")))
    ended["said"] = log.read_text(encoding="utf-8")


def wait_for_a_shard(folder, output, process):
    journal = journal_path(str(folder / output / "zh.tfrecord"))

    def is_under_way():
        assert process.poll() is None, "the driver has ended"
        return os.path.exists(journal) and len(open(journal, "rb").readlines()) > 1

    wait_until(is_under_way, "no shard")


def assert_same_bytes(folder, output):
    made = files_below(folder / output)
    assert made == files_below(folder / "local")
    assert len(made) == 2 * 8 + 2
    for name in ("zh", "held"):
        reports = [json.loads((folder / of / (name + ".tfrecord.report.json")).read_text()) for of in (output, "local")]
        runs = [report.pop("this_run") for report in reports]
        assert runs[0]["text_bytes"] == runs[1]["text_bytes"]
        assert reports[0].pop("files").replace(output, "local") == reports[1].pop("files")
        assert reports[0] == reports[1]


def test_the_bytes_are_those_of_the_local_command_and_finished_shards_are_kept(shared):
    folder = shared[0]
    with driver(shared, "spark") as ended:
        pass
    assert ended["status"] == 0
    assert_same_bytes(folder, "spark")
    gone = folder / "spark" / "zh-00003-of-00008.tfrecord"
    gone.unlink()
    before = {path: path.stat().st_mtime_ns for path in (folder / "spark").glob("*.tfrecord")}
    with driver(shared, "spark") as ended:
        pass
    assert "15 of 16 shards are there already" in ended["said"]
    assert gone.exists() and all(path.stat().st_mtime_ns == time for path, time in before.items())


def test_a_worker_that_is_killed_costs_time_only(shared):
    folder, hosts, cluster = shared
    with driver(shared, "killed") as ended:
        wait_for_a_shard(folder, "killed", ended["process"])
        hosts["w2"].kill()
    cluster.start_worker("w2", OWN.strip().format(folder))
    cluster.wait_for_workers()
    assert ended["status"] == 0 and "Lost executor" in ended["said"]
    assert_same_bytes(folder, "killed")


@with_one_python
def test_a_worker_that_is_cut_off_costs_time_only(shared):
    folder, hosts, _ = shared
    with driver(shared, "cut") as ended:
        wait_for_a_shard(folder, "cut", ended["process"])
        with hosts["w2"].cut_off():
            time.sleep(60)
    assert ended["status"] == 0 and "Lost executor" in ended["said"]
    assert_same_bytes(folder, "cut")


@with_one_python
@pytest.mark.parametrize(
    ("output", "changes", "sentence"),
    [
        (
            "bare",
            {"worker_python": "python"},
            "the Python of host w2 .* lacks a package: .*; install requirements/spark.txt",
        ),
        (
            "hidden",
            {},
            "host w2 does not see the driver's folder .*/hidden: give --output_file and --heldout_file in a",
        ),
        (
            "differ",
            {"input_file": "differing.txt"},
            ".*/differing.txt is not the same file on host w2 as on the driver",
        ),
        ("full", {}, "on host w2: cannot write .*: its disk is full"),
    ],
)
def test_what_is_wrong_on_one_host_is_said_in_a_sentence(shared, output, changes, sentence):
    folder = shared[0]
    with driver(shared, output, **{name: folder / value for name, value in changes.items()}) as ended:
        pass
    assert ended["status"] == 1
    error = ended["said"].strip().splitlines()[-1]
    assert re.match("error: " + sentence, error), error
    assert "Traceback" not in ended["said"]


@with_one_python
def test_a_second_driver_ends_at_once(shared):
    folder = shared[0]
    with driver(shared, "twice") as ended:
        wait_for_a_shard(folder, "twice", ended["process"])
        with driver(shared, "twice") as second:
            pass
    assert second["status"] == 1
    assert re.search(r"error: another run \(process \d+\) is writing .*twice", second["said"])
    assert ended["status"] == 0
    assert_same_bytes(folder, "twice")
