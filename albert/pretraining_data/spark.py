"""Engine on Apache Spark: each shard is a Spark task, and what it counted comes back in an accumulator."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import shlex
import tempfile
import threading
import time
import zipfile
from typing import Any, Callable, Iterator, List, Optional, Sequence, Tuple

from py4j.protocol import Py4JError
from pyspark import SparkConf, SparkContext
from pyspark.accumulators import AccumulatorParam

from albert.base.errors import UsageError, UserError
from albert.base.paths import ROOT
from albert.files.complete import remove_unfinished
from albert.pretraining_data.engine import Engine
from albert.pretraining_data.on_worker import make_shard
from albert.pretraining_data.shards import BuildSettings, ShardTask
from albert.pretraining_data.shipping import pack_tasks, pack_work, result_of
from albert.pretraining_data.workers import OnFinished, OnProgress, Totals

_log = logging.getLogger(__name__)

_POLL_SECONDS = 0.5
_IDLE_SECONDS = 30.0  # without a task at work, until it is said
_DEFAULTS = {
    "spark.app.name": "create_pretraining_data",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # A machine that is cut off is noticed after the two together; Spark's own are 120 s and 60 s.
    "spark.network.timeout": "60s",
    "spark.network.timeoutInterval": "10s",
    "spark.executor.heartbeatInterval": "5s",
}
_Outcome = Tuple[int, Any, str]  # number of the task, and what `make_shard` returned


def spark_engine(master: Optional[str], options: str) -> Engine:
    """Makes the engine.

    Args:
      master: Spark's master ("spark://host:7077"); None: as Spark is configured, or else this machine.
      options: Spark's own, as "key=value key=value".

    Raises:
      UsageError: the options cannot be understood.
    """
    conf = _configuration(master, options)

    def build(
        tasks: Sequence[ShardTask], settings: BuildSettings, *, on_finished: OnFinished, on_progress: OnProgress
    ) -> None:
        work = pack_work(tasks, settings)
        for task in tasks:  # here, not on the workers: one that was taken for lost may still write
            remove_unfinished(task.path)
        try:
            with _context(conf) as context:
                _Job(context, tasks, on_finished, on_progress).run(work)
        finally:
            for task in tasks:
                remove_unfinished(task.path)

    return Engine(build, lambda _: "Apache Spark at {}".format(conf.get("spark.master", "local[*]")))


def _configuration(master: Optional[str], options: str) -> SparkConf:
    conf = SparkConf()
    for word in shlex.split(options):
        key, is_pair, value = word.partition("=")
        if not is_pair or not key.startswith("spark."):
            raise UsageError("--spark_options must look like 'spark.executor.memory=1g …', and has {}".format(word))
        conf.set(key, value)
    if master:
        conf.setMaster(master)
    conf.setIfMissing("spark.master", "local[*]")
    for key, value in _DEFAULTS.items():
        conf.setIfMissing(key, value)
    return conf


@contextlib.contextmanager
def _context(conf: SparkConf) -> Iterator[SparkContext]:
    """Starts Spark, and hands its workers the code of this project."""
    master = conf.get("spark.master")
    _log.info("Starting Spark at %s.", master)
    with tempfile.TemporaryDirectory() as folder:
        try:
            context = SparkContext(conf=conf)
            context.setLogLevel("ERROR")
            context.addPyFile(_packed_code(folder))
        except Exception as error:  # of Java, of the way to it, or of the start of its process
            raise UserError(
                "Spark cannot be started at {} ({}): is its master there, and Java on this machine?".format(
                    master, _first_words(error)
                )
            ) from error
        try:
            yield context
        finally:
            context.stop()


def _packed_code(folder: str) -> str:
    """Packs the modules of this project, so that all workers run the driver's."""
    path = os.path.join(folder, "albert_code.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(os.path.join(ROOT, "tokenization.py"), "tokenization.py")
        for parent, _, names in os.walk(os.path.join(ROOT, "albert")):
            for name in sorted(names):
                if name.endswith(".py"):
                    place = os.path.join(parent, name)
                    file.write(place, os.path.relpath(place, ROOT))
    return path


class _Job:
    """Job of Spark: it runs in a thread, and what its tasks made is taken while it runs."""

    def __init__(
        self, context: SparkContext, tasks: Sequence[ShardTask], on_finished: OnFinished, on_progress: OnProgress
    ) -> None:
        self._context = context
        self._tasks = tasks
        self._on_finished = on_finished
        self._on_progress = on_progress
        self._outcomes = context.accumulator([], _list_parameter())
        self._num_taken = 0
        self._totals = Totals(0, 0, 0)
        self._error: Optional[BaseException] = None

    def run(self, work: bytes) -> None:
        """Makes all shards.

        Raises:
          UserError: the first error of a worker, or Spark's.
        """
        thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        thread.start()
        idle = _IdleNotice(self._has_task_at_work)
        try:
            while thread.is_alive():
                thread.join(_POLL_SECONDS)
                self._take()
                idle.check()
            self._take()
        except BaseException:
            with contextlib.suppress(Py4JError):
                self._context.cancelAllJobs()
            raise
        if self._error:
            raise UserError(
                "Spark gave up ({}): finished shards are kept, and the same command makes the others".format(
                    _first_words(self._error)
                )
            ) from self._error

    def _run(self, work: bytes) -> None:
        try:
            numbered = list(enumerate(pack_tasks(self._tasks)))
            make = _maker(self._context.broadcast(work), self._outcomes)
            self._context.parallelize(numbered, len(numbered)).foreach(make)
        except BaseException as error:
            self._error = error

    def _take(self) -> None:
        """Takes the outcomes that have come since the last time."""
        new: List[_Outcome] = self._outcomes.value[self._num_taken :]
        self._num_taken += len(new)
        failed = ""
        for number, made, sentence in new:
            failed = failed or sentence
            if made:
                self._keep(number, made)
        if failed:
            raise UserError(failed)
        self._on_progress(self._totals)

    def _keep(self, number: int, made: Tuple[Any, ...]) -> None:
        task = self._tasks[number]
        result = result_of(task, made)
        self._on_finished(result)
        num_bytes = sum(part.end - part.start for part in task.ranges)
        done = (num_bytes, result.counts["documents"], result.counts["examples"])
        self._totals = Totals(*(before + more for before, more in zip(self._totals, done)))

    def _has_task_at_work(self) -> bool:
        tracker = self._context.statusTracker()
        stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
        return any(stage and stage.numActiveTasks for stage in stages)


def _maker(work: Any, outcomes: Any) -> Callable[[Tuple[int, bytes]], None]:
    def make(numbered: Tuple[int, bytes]) -> None:
        number, task = numbered
        outcomes.add([(number,) + make_shard(work.value, task)])

    return make


def _list_parameter() -> Any:
    """The way to add lists; made here, so that it travels by its code and a worker imports no module for it."""

    class Lists(AccumulatorParam):
        def zero(self, value: List[Any]) -> List[Any]:
            return []

        def addInPlace(self, value1: List[Any], value2: List[Any]) -> List[Any]:
            value1.extend(value2)
            return value1

    return Lists()


class _IdleNotice:
    """Notice, logged once each time, that no worker of Spark is at work: Spark waits for one without a word."""

    def __init__(self, is_busy: Callable[[], bool]) -> None:
        self._is_busy = is_busy
        self._since = time.monotonic()
        self._is_said = False

    def check(self) -> None:
        """Logs the notice when it is due."""
        if self._is_busy():
            self._since, self._is_said = time.monotonic(), False
        elif not self._is_said and time.monotonic() - self._since > _IDLE_SECONDS:
            self._is_said = True
            _log.warning(
                "No worker of Spark has taken work for %.0f s: are workers there, with as much free memory and as many "
                "cores as spark.executor.memory and spark.executor.cores ask for? Waiting.",
                _IDLE_SECONDS,
            )


def _first_words(error: BaseException) -> str:
    """What Spark says first, in one line, and the last line of a worker's own error."""
    text = str(getattr(error, "java_exception", None) or error)
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    first = re.sub(r"^(?:org|java|scala)\.[\w.$]+(?:Exception|Error): ", "", lines[0])
    own = [
        line for line in lines[1:] if re.match(r"[\w.]*(?:Error|Exception)\b.*: ", line) and "org.apache" not in line
    ]
    return "{}; {}".format(first, own[0]) if own else first
