"""Fine-tuning run of the benchmark: starts the runner in a process of its own and reads its results.

The file benchmark_run.json beside the runner's files holds everything that the results depend on, and whether the run
was finished. A finished run is not made again; an unfinished one continues from the runner's last checkpoint.
"""

from __future__ import annotations

import logging
import os
import shlex
import signal
import statistics
import subprocess
import sys
import time
from typing import IO, Any, Dict, List, NamedTuple, Optional

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.checkpoints.training_folder import latest_checkpoint
from albert.clue.data import split_file
from albert.clue.tasks import BenchmarkTask
from albert.files.complete import write_json
from albert.files.json_reading import read_description
from albert.files.reading import describe_files
from albert.files.space import cannot_write
from albert.monitor.figures import METRICS_FILE, TRAIN, read_records

_log = logging.getLogger(__name__)

RUN_FILE = "benchmark_run.json"
LOG_FILE = "log.txt"
_ERROR = "error: "  # how a runner's error message begins
_PLACES = ("data_dir", "output_dir", "do_predict")  # flags that do not change what is trained
_GRACE_SECONDS = 20.0  # between SIGTERM and SIGKILL


class BenchmarkRun(NamedTuple):
    """Run to make: one task with one seed.

    Attributes:
      task: the task.
      runner: the file of the command that fine-tunes.
      flags: its flags by name, with "output_dir" and "data_dir".
      model: the fingerprint of the weights that the run starts from.
    """

    task: BenchmarkTask
    runner: str
    flags: Dict[str, Any]
    model: str

    @property
    def folder(self) -> str:
        """The runner's --output_dir."""
        return self.flags["output_dir"]


class Outcome(NamedTuple):
    """Outcome of a run.

    Attributes:
      seed: the run's seed.
      dev, test: the task's metric, 0 to 1 (MCC: -1 to 1); None if it was not measured.
      seconds: duration of all attempts.
      examples_per_second: the median during training; None if it was not measured.
      step: the step of the best checkpoint.
      submission: the path of the file for the test split, or None.
      error: the error message of a failed run; None for a finished run.
    """

    seed: int
    dev: Optional[float] = None
    test: Optional[float] = None
    seconds: Optional[float] = None
    examples_per_second: Optional[float] = None
    step: Optional[int] = None
    submission: Optional[str] = None
    error: Optional[str] = None


def make_run(run: BenchmarkRun) -> Outcome:
    """Makes a run, or the rest of an unfinished one; returns its outcome, also of a failure.

    Raises:
      KeyboardInterrupt: the user interrupted the run; its process has ended, too.
    """
    seed = run.flags["seed"]
    try:
        content = _content(run)
        known = _known(run, content)
        if not (known["finished"] and known["content"] == content):
            known = _train(run, content, known["seconds"])
        else:
            _log.info("%s is finished already: %s", run.task.name, run.folder)
        return _outcome(run, seed, known["seconds"])
    except UserError as error:
        return Outcome(seed, error=str(error))


def _content(run: BenchmarkRun) -> Dict[str, Any]:
    """Everything that the results depend on, as JSON values."""
    data_dir = run.flags["data_dir"]
    files = {split: split_file(run.task, data_dir, split) for split in run.task.files}
    return {
        "runner": run.runner,
        "flags": {name: _noted(value) for name, value in sorted(run.flags.items()) if name not in _PLACES},
        "model": run.model,
        "data": {split: describe_files([path])[0]["sha256"] for split, path in files.items() if path},
    }


def _noted(value: Any) -> str:
    """A flag's value for the record: files of the project by their path in it, so that it may be moved."""
    text = str(value)
    return os.path.relpath(text, ROOT) if text.startswith(ROOT + os.sep) else text


def _known(run: BenchmarkRun, content: Dict[str, Any]) -> Dict[str, Any]:
    """Reads the state of the run that earlier attempts left.

    Raises:
      UserError: the run's folder holds a training with other settings.
    """
    path = os.path.join(run.folder, RUN_FILE)
    if not os.path.exists(path):
        return {"finished": False, "seconds": 0.0, "content": content}
    described = read_description(path, "a state of a run")
    try:
        known: Dict[str, Any] = {
            "content": dict(described.section("content").values),
            "finished": described.flag("finished"),
            "seconds": float(described.value("seconds")),
        }
    except (UserError, TypeError, ValueError) as error:
        raise UserError("{} is not a state of a run: {}".format(path, error)) from error
    changed = _changes(known["content"], content)
    if changed and (known["finished"] or latest_checkpoint(run.folder)):
        raise UserError(
            "{} was trained with other settings ({}): remove it or give another --output_dir".format(
                run.folder, "; ".join(changed)
            )
        )
    return known


def _changes(before: Dict[str, Any], now: Dict[str, Any]) -> List[str]:
    flags = sorted(set(before["flags"]) | set(now["flags"]))
    changes = [
        "--{} was {}, is {}".format(name, before["flags"].get(name), now["flags"].get(name))
        for name in flags
        if before["flags"].get(name) != now["flags"].get(name)
    ]
    changes += ["the {} has changed".format(name) for name in ("runner", "model") if before[name] != now[name]]
    # The test file may be added, removed or changed: training does not depend on it.
    splits = ("train", "dev")
    changes += ["the {} file has changed".format(s) for s in splits if before["data"].get(s) != now["data"].get(s)]
    return changes


def _train(run: BenchmarkRun, content: Dict[str, Any], seconds_before: float) -> Dict[str, Any]:
    """Runs the runner to its end; returns the new state.

    Raises:
      UserError: the runner failed; with the runner's own message.
    """
    path = os.path.join(run.folder, RUN_FILE)
    state = {"finished": False, "seconds": seconds_before, "content": content}
    write_json(path, state)
    command = [sys.executable, os.path.join(ROOT, run.runner)]
    command += ["--{}={}".format(name, value) for name, value in sorted(run.flags.items())]
    start = time.monotonic()
    try:
        _call(command, os.path.join(run.folder, LOG_FILE))
        state["finished"] = True
    finally:
        state["seconds"] = round(seconds_before + time.monotonic() - start, 3)
        write_json(path, state)
    return state


def _call(command: List[str], log_path: str) -> None:
    """Runs a command; shows its output and writes it to a file.

    Raises:
      UserError: the command failed.
    """
    last_lines: List[str] = []
    try:
        log = open(log_path, "ab")  # noqa: SIM115 (closed by the with below)
    except OSError as error:
        raise cannot_write(log_path, error, 0) from error
    with log:
        log.write("$ {}\n".format(" ".join(map(shlex.quote, command[1:]))).encode("utf-8", "replace"))
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            for line in _output_of(process):
                log.write(line)
                log.flush()
                text = line.decode("utf-8", "replace").rstrip("\n")
                sys.stderr.write("  {}\n".format(text))
                last_lines = (last_lines + [text])[-3:] if text.strip() else last_lines
            status = process.wait()
        finally:
            _end(process)
    if status:
        raise UserError(_failure(status, last_lines, log_path))


def _output_of(process: subprocess.Popen[bytes]) -> IO[bytes]:
    assert process.stdout is not None  # it was started with a pipe
    return process.stdout


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and its children if they still run: first with SIGTERM, then with SIGKILL."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    _output_of(process).close()


def _failure(status: int, last_lines: List[str], log_path: str) -> str:
    said = [line[len(_ERROR) :] for line in last_lines if line.startswith(_ERROR)]
    if said:
        return said[-1]
    how = "was killed by signal {}".format(-status) if status < 0 else "ended with status {}".format(status)
    last = ": {}".format(last_lines[-1].strip()) if last_lines else ""
    return "its runner {}{} (the whole output is in {})".format(how, last, log_path)


def _outcome(run: BenchmarkRun, seed: int, seconds: float) -> Outcome:
    """Reads the outcome of a finished run from its folder."""
    dev = _read(run.folder, "eval_results.json")
    test = _read(run.folder, "test_results.json") if run.flags["do_predict"] else {}
    submission = os.path.join(run.folder, run.task.name + "_predict.json")
    records = read_records(os.path.join(run.folder, METRICS_FILE), TRAIN)
    rates = [record["examples_per_second"] for record in records if record.get("examples_per_second")]
    return Outcome(
        seed,
        dev=dev["eval_" + run.task.metric],
        test=test.get(run.task.metric),
        seconds=seconds,
        examples_per_second=statistics.median(rates) if rates else None,
        step=dev["global_step"],
        submission=submission if run.flags["do_predict"] and os.path.exists(submission) else None,
    )


def _read(folder: str, name: str) -> Dict[str, Any]:
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        return {}
    return dict(read_description(path, "a result of a run").values)
