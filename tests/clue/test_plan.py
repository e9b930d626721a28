"""Plan of a benchmark: tasks, model, flags and folders from a command line, and mistakes in it."""

from __future__ import annotations

import os

import pytest

from albert.base.errors import UserError
from albert.base.paths import DATA
from albert.clue import plan as clue_plan
from tests.support.benchmark_plans import plan, sample


def test_six_tasks_with_their_presets_run_by_default():
    benchmark = plan()
    assert [task.name for task in benchmark.tasks] == ["afqmc", "cmnli", "csl", "iflytek", "tnews", "wsc"]
    assert benchmark.model.published == "albert_tiny_489k" and list(benchmark.flags) == ["run_classifier.py"]
    assert benchmark.folders["tnews"] == os.path.join("CLUEdataset", "tnews")


def test_the_google_family_has_its_own_runner(monkeypatch):
    monkeypatch.setenv("MODEL", "albert_small_zh_google")
    benchmark = plan("tnews")
    assert clue_plan.runner_of(benchmark.tasks[0], benchmark.model) == "run_classifier_sp_google.py"
    assert benchmark.folder == os.path.join("clue_output", "albert_small_zh_google")


def test_flags_reach_the_runner_and_win_over_the_preset(tmp_path):
    benchmark = sample(tmp_path, "tnews", "wsc", num_train_epochs=1, max_seq_length=32, num_runs=3, seed=5)
    runs = clue_plan.runs_of(benchmark, benchmark.tasks[0])
    assert [run.flags["seed"] for run in runs] == [5, 6, 7]
    assert len({run.folder for run in runs}) == 3
    flags = runs[0].flags
    assert (flags["num_train_epochs"], flags["max_seq_length"], flags["train_batch_size"]) == (1.0, 32, 8)
    assert flags["do_train"] and flags["do_eval"] and flags["do_predict"] and flags["task_name"] == "tnews"
    assert flags["data_dir"] == os.path.join(DATA, "sample_tasks", "tnews")
    assert "init_checkpoint" not in flags and "sample" not in flags and "num_runs" not in flags
    whole = clue_plan.plan(["tnews"], ["--learning_rate=0.5", "--data_dir={}".format(tmp_path)])
    monkey = whole._replace(model=benchmark.model)  # a published model would have to be there
    preset = clue_plan.runs_of(monkey, monkey.tasks[0])[0].flags
    assert (preset["train_batch_size"], preset["save_checkpoints_steps"], preset["learning_rate"]) == (16, 300, 0.5)
    assert preset["do_predict"] is False  # there is no test file


@pytest.mark.parametrize(
    ("words", "options", "message"),
    [
        (["tnew"], [], "unknown task 'tnew': the nearest known one is tnews"),
        ([], ["--num_train_epoch=1"], "unknown flag --num_train_epoch: the nearest known one is --num_train_epochs"),
        ([], ["--learning_rate=fast"], "learning_rate"),
        ([], ["--num_runs=0"], "num_runs"),
        ([], ["--task_name=tnews"], "--task_name is not for this command: name the tasks as words"),
        ([], ["--init_checkpoint=x"], "set MODEL=…"),
        ([], ["--teacher_predictions=x"], "--teacher_predictions is not for this command: use run_classifier.py"),
        ([], ["--teacher_weight=0.5"], "--teacher_weight is not for this command"),
        ([], ["--teacher_temperature=2"], "--teacher_temperature is not for this command"),
        ([], ["--predict_split=train"], "--predict_split is not for this command: it predicts the test split"),
        ([], ["--data_dirs=x"], "--data_dirs must be like"),
    ],
)
def test_what_cannot_be_understood_is_refused_before_anything_starts(words, options, message):
    with pytest.raises(UserError, match=message):
        clue_plan.plan(words, options)


def test_an_unknown_model_is_refused(monkeypatch):
    monkeypatch.setenv("MODEL", "albert_tiny_zh_gogle")
    with pytest.raises(UserError, match="the nearest one is albert_tiny_zh_google"):
        plan()
