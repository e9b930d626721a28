"""Runs a training command on each host of a Slurm or Kubernetes job, with TF_CONFIG from the scheduler's variables.

    srun --ntasks-per-node=1 python examples/with_tf_config.py python run_pretraining.py …

Slurm: one task on each node; its own variables suffice. Kubernetes: an Indexed Job with a headless service; its pods
are named JOB-0, JOB-1, …, and the manifest sets NUM_WORKERS (its completions) and SERVICE (the service's name).
TRAIN_PORT names another port than 2222. The scheduler starts and ends the processes; this only tells each of them who
all are.
"""

import json
import os
import re
import sys

PORT = "2222"


def tf_config(variables):
    """The content of TF_CONFIG for the process that has these environment variables."""
    if "SLURM_PROCID" in variables:
        hosts, index = slurm_hosts(variables), int(variables["SLURM_PROCID"])
    elif "JOB_COMPLETION_INDEX" in variables:
        hosts, index = kubernetes_hosts(variables), int(variables["JOB_COMPLETION_INDEX"])
    else:
        raise SystemExit("error: neither SLURM_PROCID nor JOB_COMPLETION_INDEX is set: no job of Slurm or Kubernetes")
    port = variables.get("TRAIN_PORT", PORT)
    workers = ["{}:{}".format(host, port) for host in hosts]
    return {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}


def slurm_hosts(variables):
    """The node of each task, in the order of SLURM_PROCID."""
    hosts = expand(variables.get("SLURM_STEP_NODELIST") or variables["SLURM_JOB_NODELIST"])
    num_tasks = int(variables.get("SLURM_STEP_NUM_TASKS") or variables["SLURM_NTASKS"])
    if num_tasks != len(hosts):
        raise SystemExit(
            "error: {} tasks on {} nodes: a worker takes all GPUs of a node, so give --ntasks-per-node=1".format(
                num_tasks, len(hosts)
            )
        )
    return hosts


def expand(nodes):
    """The nodes of a list as Slurm shortens it: "a[01-03,7],b" is a01, a02, a03, a7, b."""
    hosts = []
    for prefix, ranges, suffix in re.findall(r"([^,\[\]]+)(?:\[([^\]]*)\])?([^,\[\]]*)", nodes):
        for part in ranges.split(","):
            first, _, last = part.partition("-")
            numbers = range(int(first), int(last or first) + 1) if first else [""]
            hosts += [prefix + str(number).zfill(len(first)) + suffix for number in numbers]
    return hosts


def kubernetes_hosts(variables):
    """The name of each pod within the headless service, in the order of its completion index."""
    job = re.sub(r"-\d+$", "", variables["HOSTNAME"])
    return ["{}-{}.{}".format(job, index, variables["SERVICE"]) for index in range(int(variables["NUM_WORKERS"]))]


def main(command):
    """Becomes the command, so that the scheduler's signals reach it."""
    if not command:
        raise SystemExit(__doc__)
    os.environ["TF_CONFIG"] = json.dumps(tf_config(os.environ))
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
