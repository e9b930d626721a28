"""TF_CONFIG from the variables that Slurm and Kubernetes set, read as the training commands read it."""

import json
import os
import subprocess
import sys

import pytest

from albert.base.paths import ROOT
from albert.devices.cluster import read_cluster
from examples.with_tf_config import expand, tf_config

SLURM = {"SLURM_PROCID": "2", "SLURM_STEP_NODELIST": "gpu[01-02],big7", "SLURM_STEP_NUM_TASKS": "3"}
KUBERNETES = {"JOB_COMPLETION_INDEX": "1", "HOSTNAME": "albert-zh-1", "SERVICE": "train", "NUM_WORKERS": "2"}


@pytest.mark.parametrize(
    ("variables", "addresses", "index"),
    [
        (SLURM, ("gpu01:2222", "gpu02:2222", "big7:2222"), 2),
        (dict(SLURM, SLURM_PROCID="0", TRAIN_PORT="40000"), ("gpu01:40000", "gpu02:40000", "big7:40000"), 0),
        (
            {"SLURM_PROCID": "1", "SLURM_JOB_NODELIST": "n[9-10]", "SLURM_NTASKS": "2", "SLURM_STEP_NODELIST": ""},
            ("n9:2222", "n10:2222"),
            1,
        ),
        (KUBERNETES, ("albert-zh-0.train:2222", "albert-zh-1.train:2222"), 1),
    ],
)
def test_the_cluster_of_a_job(variables, addresses, index):
    cluster = read_cluster({"TF_CONFIG": json.dumps(tf_config(variables))})
    assert (cluster.addresses, cluster.index) == (addresses, index)


def test_a_job_of_one_node_is_no_cluster():
    one = {"SLURM_PROCID": "0", "SLURM_JOB_NODELIST": "n1", "SLURM_NTASKS": "1"}
    assert read_cluster({"TF_CONFIG": json.dumps(tf_config(one))}) is None


@pytest.mark.parametrize(
    ("nodes", "hosts"),
    [
        ("a", ["a"]),
        ("a,b-1", ["a", "b-1"]),
        ("a[08-11]", ["a08", "a09", "a10", "a11"]),
        ("a[1,3-4],b,c[007]", ["a1", "a3", "a4", "b", "c007"]),
        ("rack1-n[1-2].local", ["rack1-n1.local", "rack1-n2.local"]),
    ],
)
def test_lists_of_nodes(nodes, hosts):
    assert expand(nodes) == hosts


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [({}, "no job of Slurm or Kubernetes"), (dict(SLURM, SLURM_STEP_NUM_TASKS="6"), "give --ntasks-per-node=1")],
)
def test_what_cannot_be_a_cluster(variables, sentence):
    with pytest.raises(SystemExit, match=sentence):
        tf_config(variables)


def test_the_command_gets_it():
    command = [sys.executable, "-c", "import os; print(os.environ['TF_CONFIG'])"]
    script = os.path.join(ROOT, "examples", "with_tf_config.py")
    said = subprocess.run(
        [sys.executable, script, *command], env=dict(os.environ, **KUBERNETES), stdout=subprocess.PIPE, check=True
    )
    assert json.loads(said.stdout.decode()) == tf_config(KUBERNETES)
