"""Runs of the benchmark with a made-up runner: what is run again, what is not, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

import pytest

from albert.clue.run import BenchmarkRun, make_run
from albert.clue.tasks import BENCHMARK_TASKS
from tests.support.live_processes import is_running

WRITES_RESULTS = """
import json, os, sys
flags = dict(argument[2:].split("=", 1) for argument in sys.argv[1:])
folder = flags["output_dir"]
with open(os.path.join(folder, "calls.txt"), "a") as file:
    file.write("call\\n")
print("seed", flags["seed"])
{more}
def write(name, figures):
    with open(os.path.join(folder, name), "w") as file:
        json.dump(figures, file)
write("eval_results.json", {{"eval_accuracy": 0.75, "eval_loss": 1.0, "global_step": 8}})
write("test_results.json", {{"accuracy": 0.5}})
open(os.path.join(folder, flags["task_name"] + "_predict.json"), "w").close()
with open(os.path.join(folder, "metrics.jsonl"), "w") as file:
    for rate in (1.0, 30.0, 20.0):
        file.write(json.dumps({{"kind": "train", "step": 1, "examples_per_second": rate}}) + "\\n")
"""


class Stage:
    """A task's data, and a runner that does what a test says."""

    def __init__(self, folder):
        self.folder = folder
        self.output_dir = folder / "out"
        (folder / "data").mkdir()
        for split in ("train", "dev", "test"):
            self.write(split, split)
        self.act()

    def write(self, split, text):
        (self.folder / "data" / (split + ".json")).write_text(text)

    def act(self, more=""):
        (self.folder / "runner.py").write_text(WRITES_RESULTS.format(more=more))

    def run(self, model="m", **changes):
        flags = {
            "task_name": "tnews",
            "data_dir": str(self.folder / "data"),
            "output_dir": str(self.output_dir),
            "learning_rate": 0.1,
            "seed": 7,
            "do_predict": True,
        }
        runner = str(self.folder / "runner.py")
        return make_run(BenchmarkRun(BENCHMARK_TASKS["tnews"], runner, dict(flags, **changes), model))

    def calls(self):
        return (self.output_dir / "calls.txt").read_text().count("call")


@pytest.fixture
def stage(tmp_path):
    return Stage(tmp_path)


def test_a_finished_run_is_read_and_not_made_again(stage, capfd):
    first = stage.run()
    assert first.error is None
    assert (first.seed, first.dev, first.test, first.step, first.examples_per_second) == (7, 0.75, 0.5, 8, 20.0)
    assert first.submission == str(stage.output_dir / "tnews_predict.json") and first.seconds > 0
    assert "  seed 7\n" in capfd.readouterr().err
    assert "seed 7" in (stage.output_dir / "log.txt").read_text()
    assert stage.run() == first and stage.calls() == 1


def test_without_a_test_file_there_is_no_submission(stage):
    outcome = stage.run(do_predict=False)
    assert outcome.dev == 0.75 and outcome.test is None and outcome.submission is None


def test_a_test_file_that_comes_later_is_answered(stage):
    (stage.folder / "data" / "test.json").unlink()
    stage.run(do_predict=False)
    stage.write("test", "new")
    assert stage.run().submission and stage.calls() == 2


def test_a_failed_run_gives_the_runners_sentence_and_is_tried_again(stage):
    stage.act("sys.stderr.write('much\\nerror: train.json line 3 is odd\\n'); sys.exit(1)")
    assert stage.run().error == "train.json line 3 is odd"
    stage.act()
    outcome = stage.run()
    assert outcome.error is None and stage.calls() == 2
    with open(str(stage.output_dir / "benchmark_run.json")) as file:
        assert json.load(file)["finished"] is True
    assert outcome.seconds > 0.01


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("raise ValueError('odd')", "ended with status 1: ValueError: odd (the whole output is in "),
        ("os.kill(os.getpid(), 9)", "was killed by signal 9"),
    ],
)
def test_a_runner_that_fails_without_a_message_is_described(stage, more, said):
    stage.act(more)
    assert said in stage.run().error


def test_other_settings_are_refused_where_something_was_trained(stage):
    stage.act("sys.exit(1)")
    stage.run()
    stage.act()
    assert stage.run(learning_rate=0.2).error is None  # nothing was trained yet
    message = stage.run(learning_rate=0.3, new=1).error
    assert "(--learning_rate was 0.2, is 0.3; --new was None, is 1): remove it or give another" in message
    stage.write("dev", "changed")
    assert "the dev file has changed" in stage.run(learning_rate=0.2).error
    assert "the model has changed" in stage.run(learning_rate=0.2, model="n").error
    assert stage.calls() == 2


def test_a_moved_project_knows_its_runs(stage, monkeypatch, tmp_path):
    for place in ("here", "there"):
        monkeypatch.setattr("albert.clue.run.ROOT", str(tmp_path / place))
        assert stage.run(vocab_file=str(tmp_path / place / "albert_config" / "vocab.txt")).error is None
    assert stage.calls() == 1


def test_an_unfinished_training_goes_on_with_the_same_settings_only(stage, monkeypatch):
    stage.act("sys.exit(1)")
    stage.run()
    stage.act()
    monkeypatch.setattr("albert.clue.run.latest_checkpoint", lambda folder: folder + "/model.ckpt-1")
    assert "was trained with other settings" in stage.run(learning_rate=0.3).error
    assert stage.run().error is None


def test_ctrl_c_ends_the_runner_and_what_it_started(stage):
    stage.act(
        "import subprocess, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'])\n"
        "open(os.path.join(folder, 'pids'), 'w').write('%d %d' % (os.getpid(), child.pid))\n"
        "time.sleep(60)"
    )
    pids = stage.output_dir / "pids"

    def press():
        while not (pids.exists() and len(pids.read_text().split()) == 2):
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    presser = threading.Thread(target=press, daemon=True)
    presser.start()
    with pytest.raises(KeyboardInterrupt):
        stage.run()
    presser.join(10)
    deadline = time.time() + 10
    while any(is_running(int(pid)) for pid in pids.read_text().split()):
        assert time.time() < deadline
        time.sleep(0.01)
    stage.act()
    assert stage.run().error is None


def test_the_runner_gets_every_flag(stage):
    stage.act("print(sorted(flags.items()))")
    stage.run()
    log = (stage.output_dir / "log.txt").read_text()
    assert "('learning_rate', '0.1')" in log and "('do_predict', 'True')" in log
    assert sys.executable not in log
