"""Cluster of the machines that train together, as the environment variable TF_CONFIG names them."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

from albert.base.errors import UserError
from albert.files.json_reading import parse

TF_CONFIG = "TF_CONFIG"
_CHIEF, _WORKER = "chief", "worker"
_EXAMPLE = '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'


class WorkerCluster(NamedTuple):
    """Cluster of the processes that share every batch.

    Attributes:
      chiefs: host:port of the chief, where TF_CONFIG has one apart from the workers.
      workers: host:port of each worker; without a chief the first one is it.
      index: which this process is of all, the chief first.
    """

    chiefs: Tuple[str, ...]
    workers: Tuple[str, ...]
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls

    @property
    def addresses(self) -> Tuple[str, ...]:
        """host:port of all, the chief's first; it writes the checkpoints."""
        return self.chiefs + self.workers

    @property
    def jobs(self) -> Dict[str, List[str]]:
        """The addresses by what TensorFlow calls a job."""
        jobs = {_CHIEF: list(self.chiefs), _WORKER: list(self.workers)}
        return {job: addresses for job, addresses in jobs.items() if addresses}

    def task(self, index: int) -> Tuple[str, int]:
        """TensorFlow's name of a worker: its job, and its number in that."""
        return (_CHIEF, index) if index < len(self.chiefs) else (_WORKER, index - len(self.chiefs))

    @property
    def is_chief(self) -> bool:
        """Whether this process writes checkpoints and results."""
        return self.index == 0

    def endpoint(self, index: int) -> Tuple[str, int]:
        """A worker's host and port."""
        host, _, port = self.addresses[index].rpartition(":")
        return host, int(port)

    def name(self, index: int) -> str:
        """A worker in words."""
        return "worker {} ({})".format(index, self.addresses[index])


def read_cluster(environment: Mapping[str, str]) -> Optional[WorkerCluster]:
    """Reads TF_CONFIG; None where it is not set or names this process only.

    Raises:
      UserError: it cannot be understood.
    """
    text = environment.get(TF_CONFIG, "").strip()
    if not text:
        return None
    try:
        described = parse(text)
    except (ValueError, UserError) as error:
        raise UserError("{} is no JSON ({}); it looks like {}".format(TF_CONFIG, error, _EXAMPLE)) from error
    cluster = described.get("cluster") if isinstance(described, dict) else None
    if not cluster and isinstance(described, dict):
        return None
    jobs = _jobs(cluster)
    job, task = _task(described.get("task"), jobs)
    chiefs, workers = tuple(jobs.get(_CHIEF, ())), tuple(jobs.get(_WORKER, ()))
    found = WorkerCluster(chiefs, workers, task if job == _CHIEF else len(chiefs) + task)
    return found if len(found.addresses) > 1 else None


def _jobs(cluster: Any) -> Mapping[str, List[str]]:
    if not isinstance(cluster, dict):
        raise UserError("{} must hold a cluster and a task, as in {}".format(TF_CONFIG, _EXAMPLE))
    for job, addresses in cluster.items():
        if job not in (_CHIEF, _WORKER):
            raise UserError("{} names the job {!r}: only {} and {} train here".format(TF_CONFIG, job, _CHIEF, _WORKER))
        if not isinstance(addresses, list) or not all(map(_is_address, addresses)):
            raise UserError('{}: the addresses of {} must be a list of "host:port"'.format(TF_CONFIG, job))
    addresses = [address for job in cluster for address in cluster[job]]
    for address in addresses:
        if addresses.count(address) > 1:
            raise UserError("{} names {} twice: every worker needs a port of its own".format(TF_CONFIG, address))
    if len(cluster.get(_CHIEF, [])) > 1:
        raise UserError("{} names {} chiefs: one is enough".format(TF_CONFIG, len(cluster[_CHIEF])))
    return cluster


def _is_address(address: Any) -> bool:
    host, _, port = address.rpartition(":") if isinstance(address, str) else ("", "", "")
    return bool(host) and port.isdigit() and 0 < int(port) < 65536


def _task(task: Any, jobs: Mapping[str, List[str]]) -> Tuple[str, int]:
    """The job and the number of this process."""
    if not isinstance(task, dict) or "type" not in task or "index" not in task:
        raise UserError(
            '{} lacks the task, which says which worker this process is: "task": {{"type": "worker", "index": '
            "0}}".format(TF_CONFIG)
        )
    job, index = task["type"], task["index"]
    if job not in jobs:
        raise UserError("{}: the task's type is {!r}, the cluster has {}".format(TF_CONFIG, job, " and ".join(jobs)))
    if not str(index).isdigit() or int(index) >= len(jobs[job]):
        raise UserError(
            "{}: the task's index is {}, the cluster has {} of type {}, counted from 0".format(
                TF_CONFIG, index, len(jobs[job]), job
            )
        )
    return job, int(index)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hides TF_CONFIG from TensorFlow, which would take every Estimator for one of the cluster."""
    text = os.environ.pop(TF_CONFIG, None)
    try:
        yield
    finally:
        if text is not None:
            os.environ[TF_CONFIG] = text
