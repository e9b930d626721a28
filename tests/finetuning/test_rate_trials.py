"""Trials of learning rates: which is chosen, what is kept, what a run that goes on does."""

import json
import os

import pytest

import run_classifier
from albert.base.errors import UsageError
from albert.checkpoints.families import ZH
from albert.finetuning import rate_trials
from albert.finetuning.flags import build_classification_settings
from albert.finetuning.rate_trials import TRIALS_FILE, TrialPlan, with_best_rate
from albert.finetuning.settings import FineTuningSettings
from albert.monitor.goal import Baseline, Goal

GOAL = Goal("eval_accuracy", is_higher_better=True)
RATES = (2e-5, 1e-4, 5e-4)


class Trials:
    """Runs trials by figures that are given, and remembers their settings."""

    def __init__(self, **loss_and_accuracy):
        self.figures = {float(name.replace("_", "-")[1:]): figures for name, figures in loss_and_accuracy.items()}
        self.settings = []

    def __call__(self, settings):
        self.settings.append(settings)
        os.makedirs(settings.output_dir)
        loss, accuracy = self.figures[settings.learning_rate]
        return {"eval_accuracy": accuracy, "eval_loss": loss, "global_step": 50}


def plan_of(folder, num_rows=3200, rates=RATES, **changes):
    settings = FineTuningSettings(output_dir=str(folder), try_learning_rates=rates, **changes)
    return TrialPlan(settings, num_rows, GOAL, Baseline("the commonest label", 0.5))


@pytest.mark.parametrize(
    "figures,best",
    [
        ({"r2e_5": (0.7, 0.5), "r1e_4": (0.6, 0.8), "r5e_4": (0.9, 0.7)}, 1e-4),
        ({"r2e_5": (0.69, 0.5), "r1e_4": (0.68, 0.5), "r5e_4": (0.70, 0.5)}, 1e-4),  # a tie: the lower loss
        ({"r2e_5": (0.6, 0.8), "r1e_4": (0.5, None), "r5e_4": (0.7, 0.7)}, 2e-5),  # diverged
    ],
)
def test_the_best_on_dev_goes_on(figures, best, tmp_path, caplog):
    caplog.set_level("INFO")
    trials = Trials(**figures)
    settings = with_best_rate(plan_of(tmp_path), trials)
    assert settings.learning_rate == best and settings.output_dir == str(tmp_path)
    assert [trial.learning_rate for trial in trials.settings] == list(RATES)
    assert "* --learning_rate={:g}: accuracy".format(best) in caplog.text
    assert os.listdir(str(tmp_path)) == [TRIALS_FILE]  # the checkpoints of trials are gone


@pytest.mark.parametrize(
    "num_rows,epochs,steps",
    [(3200, 3.0, 50), (64000, 3.0, 500), (32000, 3.0, 300), (320, 3.0, 30), (3, 1.0, 1)],
)
def test_a_trial_is_a_training_of_its_own(num_rows, epochs, steps, tmp_path):
    plan = plan_of(tmp_path, num_rows, num_train_epochs=epochs, early_stopping_evals=2, eval_each_epoch=True)
    trial = plan.settings_of(1e-4)
    assert plan.steps == steps == trial.num_train_steps(num_rows)
    assert trial.save_checkpoints_steps == steps and trial.eval_every_steps == 0
    assert trial.early_stopping_evals is None and not trial.eval_each_epoch
    assert os.path.dirname(os.path.dirname(trial.output_dir)) == str(tmp_path)


def test_trials_that_are_done_are_not_run_again(tmp_path):
    figures = {"r2e_5": (0.7, 0.5), "r1e_4": (0.6, 0.8), "r5e_4": (0.9, 0.7)}
    with_best_rate(plan_of(tmp_path, rates=RATES[:2]), Trials(**figures))
    trials = Trials(**figures)
    assert with_best_rate(plan_of(tmp_path), trials).learning_rate == 1e-4
    assert [trial.learning_rate for trial in trials.settings] == [5e-4]
    longer = Trials(**figures)
    with_best_rate(plan_of(tmp_path, num_rows=64000), longer)  # more steps: the figures are no longer comparable
    assert len(longer.settings) == 3


def test_a_run_that_goes_on_keeps_its_rate(tmp_path, caplog, monkeypatch):
    caplog.set_level("INFO")
    monkeypatch.setattr(rate_trials, "latest_checkpoint", lambda folder: "model.ckpt-7")
    (tmp_path / TRIALS_FILE).write_text(
        json.dumps({"steps": 50, "trials": {"0.0005": {"eval_accuracy": 0.9, "eval_loss": 0.2, "global_step": 50}}})
    )
    assert with_best_rate(plan_of(tmp_path), Trials()).learning_rate == 5e-4
    os.remove(str(tmp_path / TRIALS_FILE))
    assert with_best_rate(plan_of(tmp_path), Trials()).learning_rate == 5e-5
    assert "No learning rate was tried before this run began" in caplog.text


def settings_of(*arguments):
    flags = run_classifier.declare_flags()
    flags.parse(["--output_dir=out", "--do_train", "--task_name=tnews", "--data_dir=tnews", *arguments])
    return build_classification_settings(flags, ZH)


def test_rates_are_read_off_the_command_line():
    settings = settings_of("--do_eval", "--try_learning_rates=2e-5, 1e-4,1e-4")
    assert settings.try_learning_rates == (2e-5, 1e-4)
    assert settings_of().try_learning_rates == ()


@pytest.mark.parametrize(
    "arguments,message",
    [
        (["--do_eval", "--try_learning_rates=2e-5;1e-4"], "separated by commas .*not '2e-5;1e-4'"),
        (["--do_eval", "--try_learning_rates=2e-5,"], "not ''"),
        (["--do_eval", "--try_learning_rates=0"], "not '0'"),
        (["--do_eval", "--try_learning_rates=nan"], "not 'nan'"),
        (["--try_learning_rates=2e-5"], "needs --do_train=True and --do_eval=True"),
    ],
)
def test_rates_that_cannot_be_tried_are_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        settings_of(*arguments)
