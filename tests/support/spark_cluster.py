"""Spark in standalone mode on hosts of a network: a master with the driver, and workers."""

import contextlib
import glob
import os
import re
import time

from albert.base.paths import ROOT

MASTER = "master"
_QUICK_JAVA = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
_OPTIONS = {
    "spark.executor.memory": "512m",
    "spark.driver.memory": "512m",
    "spark.executor.cores": "1",
    "spark.driver.host": "10.77.0.1",
    "spark.driver.extraJavaOptions": _QUICK_JAVA,
    "spark.executor.extraJavaOptions": _QUICK_JAVA,
    # Both workers get shards, even if one starts much earlier: Spark waits for all cores that it may have.
    "spark.cores.max": "2",
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
    "spark.scheduler.maxRegisteredResourcesWaitingTime": "120s",
    "spark.network.timeout": "20s",
    "spark.network.timeoutInterval": "5s",
    "spark.executor.heartbeatInterval": "3s",
}
_START_SECONDS = 240


class SparkCluster:
    """Master and workers; `folder` gets what they say and their own files."""

    def __init__(self, network, python, folder):
        self._hosts = network.hosts
        self._python = os.path.abspath(python)
        self._folder = folder
        self.master_log = folder / "master.log"
        self._num_started = 0
        (self._home,) = glob.glob(os.path.join(os.path.dirname(self._python), "../lib/python3*/site-packages/pyspark"))

    @property
    def url(self):
        return "spark://{}:7077".format(self._hosts[MASTER].address)

    def start_master(self):
        host = self._hosts[MASTER]
        words = ["org.apache.spark.deploy.master.Master", "--host", host.address, "--port", "7077"]
        self._start(host, words, self.master_log, SPARK_MASTER_OPTS="-Dspark.worker.timeout=20")

    def start_worker(self, name, before=""):
        """Starts a worker; `before` as of `Host.start`."""
        host = self._hosts[name]
        words = ["org.apache.spark.deploy.worker.Worker", "--host", host.address, "--cores", "1", "--memory", "600m"]
        words += ["--work-dir", str(self._folder / ("work-" + name)), self.url]
        self._start(host, words, self._folder / (name + ".log"), before)
        self._num_started += 1

    def wait_for_workers(self):
        """Waits until the master knows all that were started."""
        wait_until(lambda: self._num_known() >= self._num_started, "{} lacks workers".format(self.master_log))

    def _start(self, host, words, log, before="", **environment):
        spark_class = os.path.join(self._home, "bin", "spark-class")
        environment.update(SPARK_LOCAL_IP=host.address, SPARK_DAEMON_MEMORY="192m", OMP_NUM_THREADS="1")
        environment.update(SPARK_DAEMON_JAVA_OPTS=_QUICK_JAVA, SPARK_HOME=self._home)
        return host.start([spark_class, *words], log, before, **environment)

    def _num_known(self):
        text = self.master_log.read_text() if self.master_log.exists() else ""
        return len(re.findall("Registering worker", text))

    def start_driver(self, arguments, log, worker_python=None):
        """Starts create_pretraining_data_spark.py on the master's host; `worker_python` is that of all workers."""
        spark = " ".join("'{}={}'".format(*option) for option in _OPTIONS.items())
        command = [self._python, os.path.join(ROOT, "create_pretraining_data_spark.py"), *arguments]
        command += ["--spark_master=" + self.url, "--spark_options=" + spark]
        host = self._hosts[MASTER]
        place = {"PYSPARK_PYTHON": str(worker_python)} if worker_python else {}
        return host.start(command, log, SPARK_LOCAL_IP=host.address, OMP_NUM_THREADS="1", **place)

    def stop(self):
        for host in self._hosts.values():
            host.kill()


def wait_until(is_so, what, seconds=_START_SECONDS):
    end = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < end, "{} after {} s".format(what, seconds)
        time.sleep(0.1)


@contextlib.contextmanager
def cluster_of(network, python, folder):
    """A cluster whose workers are started one by one."""
    cluster = SparkCluster(network, python, folder)
    cluster.start_master()
    log = cluster.master_log
    wait_until(lambda: log.exists() and "Starting Spark master" in log.read_text(), "no master")
    try:
        yield cluster
    finally:
        cluster.stop()
