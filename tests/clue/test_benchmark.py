"""CLUE benchmark: failures, missing downloads, and one whole run on the samples."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile

import pytest

from albert.base.errors import UserError
from albert.base.paths import DATA, ROOT
from albert.clue import benchmark as clue_benchmark
from albert.clue.run import Outcome
from albert.tasks.classification import CLASSIFICATION_TASKS
from albert.tasks.splits import read_split
from tests.support.benchmark_plans import sample


def test_a_failed_task_does_not_stop_the_others(tmp_path, monkeypatch, capsys):
    made = []

    def make_run(run):
        made.append(run.task.name)
        if run.task.name == "wsc":
            return Outcome(run.flags["seed"], error="train.json line 3 is odd")
        os.makedirs(run.folder)
        with open(os.path.join(run.folder, "run_config.json"), "w") as file:
            json.dump({"environment": {}}, file)
        return Outcome(run.flags["seed"], dev=0.5, seconds=1.0, step=1)

    monkeypatch.setattr(clue_benchmark, "make_run", make_run)
    with pytest.raises(UserError, match=r"^1 of 3 tasks failed \(wsc\)"):
        clue_benchmark.run(sample(tmp_path, "tnews", "wsc", "csl"))
    assert made == ["tnews", "wsc", "csl"]
    shown = capsys.readouterr().out
    assert "wsc failed: train.json line 3 is odd\n" in shown and "meaningless" in shown
    written = json.loads((tmp_path / "sample_zh" / "results.json").read_text(encoding="utf-8"))
    assert written["tasks"]["tnews"]["commonest_label_dev_accuracy"] == pytest.approx(2 / 24)
    assert sorted(written["tasks"]) == ["csl", "tnews", "wsc"]
    assert (tmp_path / "sample_zh" / "results.png").exists()


def test_data_that_cannot_be_downloaded_fail_only_their_task(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(clue_benchmark, "make_run", lambda run: Outcome(1, error="not now"))
    folders = "wsc={0}/wsc,tnews={1}/sample_tasks/tnews".format(tmp_path, DATA)
    benchmark = sample(tmp_path, "tnews", "wsc", data_dirs=folders)
    with pytest.raises(UserError, match=r"^2 of 2 tasks failed"):
        clue_benchmark.run(benchmark)
    written = json.loads((tmp_path / "sample_zh" / "results.json").read_text(encoding="utf-8"))
    assert "cannot be reached" in written["tasks"]["wsc"]["runs"][0]["error"]
    (to_copy,) = [record.getMessage() for record in caplog.records if "Copy these files" in record.getMessage()]
    assert "{0}/wsc".format(tmp_path) in to_copy and "tnews" not in to_copy


def test_without_a_network_one_sentence_and_the_files_to_copy(tmp_path, monkeypatch):
    done = subprocess.run(
        [sys.executable, "-m", "albert.clue.benchmark", "tnews", "lcqmc"],
        cwd=str(tmp_path),
        env=dict(os.environ, PYTHONPATH=ROOT),
        stderr=subprocess.PIPE,
        universal_newlines=True,
    )
    assert done.returncode == 1 and os.listdir(str(tmp_path)) == []
    first, *rest = [line for line in done.stderr.splitlines() if "tensorflow" not in line]
    assert first.startswith("error: ") and "cannot be reached" in first
    listing = "\n".join(rest)
    for part in (
        "albert_tiny_489k.zip into ./",
        "./albert_tiny_zh/",
        "CLUEdataset/tnews/",
        "CLUEdataset/lcqmc/",
        "--sample",
    ):
        assert part in listing


def test_the_samples_run_from_end_to_end_and_a_rerun_runs_nothing(tmp_path, capsys):
    options = {"num_train_epochs": 0.5, "early_stopping_evals": 9}
    clue_benchmark.run(sample(tmp_path, "tnews", **options))
    folder = tmp_path / "sample_zh"
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    runs = results["tasks"]["tnews"]["runs"]
    assert [run["seed"] for run in runs] == [12345] and results["tasks"]["tnews"]["dev"]["n"] == 1
    assert results["is_sample"] is True and results["environment"]["cpu_cores"] >= 1
    with zipfile.ZipFile(str(folder / "submissions.zip")) as archive:
        answers = [json.loads(line) for line in archive.read("tnews_predict.json").decode("utf-8").splitlines()]
    rows = read_split(CLASSIFICATION_TASKS["tnews"], os.path.join(DATA, "sample_tasks", "tnews"), "test")
    assert [answer["id"] for answer in answers] == [row.own_id for row in rows]
    assert {answer["label"] for answer in answers} <= set(CLASSIFICATION_TASKS["tnews"].labels)
    config = json.loads((folder / "tnews" / "seed_12345" / "run_config.json").read_text(encoding="utf-8"))
    assert [entry["file"] for entry in config["data"]] == ["train.json", "dev.json", "test.json"]
    capsys.readouterr()
    clue_benchmark.run(sample(tmp_path, "tnews", **options))
    again = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    assert again == results and "step 1/" not in capsys.readouterr().err
