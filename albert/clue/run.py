"""One fine-tuning run of the benchmark: its runner as a process of its own, and what it left.

Beside the runner's files stands benchmark_run.json, which says what the run is made of and whether it was finished: a
finished one is not run again, another one goes on by the runner's own resume.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import statistics
import subprocess
import sys
import time
from typing import Any, Dict, List, NamedTuple, Optional

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.checkpoints.training_folder import latest_checkpoint
from albert.clue.data import split_file
from albert.clue.tasks import BenchmarkTask
from albert.files.complete import write_json
from albert.files.reading import describe_files
from albert.files.space import cannot_write
from albert.monitor.figures import METRICS_FILE, TRAIN, read_records

_log = logging.getLogger(__name__)

RUN_FILE = "benchmark_run.json"
LOG_FILE = "log.txt"
_ERROR = "error: "  # what a runner's last sentence begins with
_PLACES = ("data_dir", "output_dir", "do_predict")  # flags that do not change what is trained
_GRACE_SECONDS = 20.0  # for a runner that was told to end


class Run(NamedTuple):
    """One run to make.

    Attributes:
      task: what is trained.
      runner: the command's file.
      flags: its flags by name; "output_dir" and "data_dir" among them.
      model: the mark of the weights it starts from.
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
    """What a run brought.

    Attributes:
      seed: of the run.
      dev, test: the task's metric, 0 to 1 (MCC: -1 to 1); None where there is none.
      seconds: from start to end, over all attempts.
      examples_per_second: the median while training; None where nothing was measured.
      step: of the best checkpoint.
      submission: the path of the file for the test split, or None.
      error: the sentence with which the run failed; None where it was finished.
    """

    seed: int
    dev: Optional[float] = None
    test: Optional[float] = None
    seconds: Optional[float] = None
    examples_per_second: Optional[float] = None
    step: Optional[int] = None
    submission: Optional[str] = None
    error: Optional[str] = None


def make_run(run: Run) -> Outcome:
    """Makes a run, or what is left of it; returns what it brought, a failure included.

    Raises:
      KeyboardInterrupt: the user ended it; its process has ended, too.
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


def _content(run: Run) -> Dict[str, Any]:
    """All that the results depend on, as JSON."""
    data_dir = run.flags["data_dir"]
    files = {split: split_file(run.task, data_dir, split) for split in run.task.files}
    return {
        "runner": run.runner,
        "flags": {name: str(value) for name, value in sorted(run.flags.items()) if name not in _PLACES},
        "model": run.model,
        "data": {split: describe_files([path])[0]["sha256"] for split, path in files.items() if path},
    }


def _known(run: Run, content: Dict[str, Any]) -> Dict[str, Any]:
    """What is known of the run from before.

    Raises:
      UserError: something else was trained in its folder.
    """
    path = os.path.join(run.folder, RUN_FILE)
    if not os.path.exists(path):
        return {"finished": False, "seconds": 0.0, "content": content}
    with open(path, encoding="utf-8") as file:
        known = json.load(file)
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
    # A test file may come, go or change: what was trained stays right.
    splits = ("train", "dev")
    changes += ["the {} file has changed".format(s) for s in splits if before["data"].get(s) != now["data"].get(s)]
    return changes


def _train(run: Run, content: Dict[str, Any], seconds_before: float) -> Dict[str, Any]:
    """Runs the runner to its end.

    Raises:
      UserError: it failed; says its own sentence.
    """
    path = os.path.join(run.folder, RUN_FILE)
    state = {"finished": False, "seconds": seconds_before, "content": content}
    write_json(path, state)
    command = [sys.executable, os.path.join(ROOT, run.runner)]
    command += ["--{}={}".format(name, value) for name, value in sorted(run.flags.items())]
    start = time.time()
    try:
        _call(command, os.path.join(run.folder, LOG_FILE))
        state["finished"] = True
    finally:
        state["seconds"] = round(seconds_before + time.time() - start, 3)
        write_json(path, state)
    return state


def _call(command: List[str], log_path: str) -> None:
    """Runs a command, shows what it says and keeps it in a file.

    Raises:
      UserError: it failed.
    """
    last_lines: List[str] = []
    try:
        log = open(log_path, "ab")  # noqa: SIM115 (closed by the with below)
    except OSError as error:
        raise cannot_write(log_path, error, 0) from error
    with log:
        log.write("$ {}\n".format(" ".join(command[1:])).encode("utf-8"))
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True
        )
        try:
            for line in process.stdout:
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


def _end(process: Any) -> None:
    """Ends a process with all that it started, if it has not ended: first politely."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    process.stdout.close()


def _failure(status: int, last_lines: List[str], log_path: str) -> str:
    said = [line[len(_ERROR) :] for line in last_lines if line.startswith(_ERROR)]
    if said:
        return said[-1]
    how = "was killed by signal {}".format(-status) if status < 0 else "ended with status {}".format(status)
    last = ": {}".format(last_lines[-1].strip()) if last_lines else ""
    return "its runner {}{} (all it said is in {})".format(how, last, log_path)


def _outcome(run: Run, seed: int, seconds: float) -> Outcome:
    """What a finished run left in its folder."""
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
    with open(path, encoding="utf-8") as file:
        return json.load(file)
