"""Settings that cannot work: one warning with the numbers for each, and none for those that can."""

import types

import pytest

from albert.devices.selection import Devices
from albert.finetuning.settings import FineTuningSettings
from albert.pretraining.settings import PretrainingSettings
from albert.training import plausible
from albert.training.run import training_setup
from optimization import OptimizerSettings


def warnings_of(caplog, optimizer, settings=None, **values):
    settings = settings or PretrainingSettings("out", **values)
    plausible.warn_of_settings(settings, OptimizerSettings(*optimizer[:3], start_warmup_step=sum(optimizer[3:])))
    return [record.getMessage() for record in caplog.records]


def test_a_warm_up_that_is_longer_than_the_training(caplog):
    assert warnings_of(caplog, (5e-5, 4, 1000)) == [
        "The learning rate never arrives: its warm-up of 1,000 steps goes on to the end of the training's 4 steps, "
        "which reach 1.5e-07 of --learning_rate=5e-05 (0.3%); give fewer --num_warmup_steps (a tenth, 1, is usual) or "
        "more --num_train_steps."
    ]


def test_a_warm_up_of_fine_tuning_names_its_own_flag(caplog):
    (warning,) = warnings_of(caplog, (1e-4, 50, 50), FineTuningSettings("out", warmup_proportion=1.0))
    assert "reach 9.8e-05 of --learning_rate=0.0001 (98.0%); give a smaller --warmup_proportion (0.1 is" in warning


@pytest.mark.parametrize(
    "optimizer, words",
    [
        ((1e-3, 100, 50, 60), "its warm-up of 50 steps from step 60 on goes on to the end of the training's 100 steps"),
        ((1e-3, 100, 50, 60), "which reach 0.00078 of --learning_rate=0.001 (78.0%)"),
        ((1e-3, 100, 10, 500), "which reach 0 of --learning_rate=0.001 (0.0%)"),
        (
            (1e-3, 1, 1),
            "warm-up of 1 step goes on to the end of the training's 1 step, which reach 0 of",
        ),
        ((0.0, 100, 10), "No weight changes: --learning_rate is 0."),
        ((0.5, 100, 10), "--learning_rate=0.5 is high: rates over 0.01 are not known to train."),
    ],
)
def test_rates_that_cannot_train(caplog, optimizer, words):
    (warning,) = warnings_of(caplog, optimizer)
    assert words in warning


@pytest.mark.parametrize("optimizer", [(5e-5, 4, 0), (5e-5, 4, 3), (1e-3, 100, 10, 20), (0.00176, 125000, 3125)])
def test_rates_that_arrive_are_not_warned_of(caplog, optimizer):
    assert not warnings_of(caplog, optimizer)


@pytest.mark.parametrize(
    "values, words",
    [
        ({"eval_every_steps": 200}, "--eval_every_steps=200 is more than the 100 steps of training: only its end is"),
        (
            {"early_stopping_evals": 5, "save_checkpoints_steps": 30},
            "--early_stopping_evals=5 cannot end the training early: its 100 steps have 4 evaluations, one every 30",
        ),
        ({"early_stopping_evals": 1, "save_checkpoints_steps": 100}, "its 100 steps have 1 evaluation, one every 100"),
        ({"early_stopping_evals": 2, "save_checkpoints_steps": 10, "eval_every_steps": 50}, "have 2 evaluations"),
        ({"early_stopping_evals": 3, "save_checkpoints_steps": 30}, None),
        ({"eval_every_steps": 100}, None),
        ({"eval_every_steps": 0}, None),
        ({"do_eval": False, "eval_every_steps": 200}, None),
    ],
)
def test_evaluations_that_never_come(caplog, values, words):
    found = warnings_of(caplog, (1e-4, 100, 10), **dict({"do_eval": True}, **values))
    assert [words in warning for warning in found] == [True] * bool(words)


def test_only_the_chief_warns(caplog, monkeypatch):
    monkeypatch.setattr(Devices, "is_chief", False)
    assert not warnings_of(caplog, (5e-5, 4, 1000))


@pytest.mark.parametrize("steps, level", [(400, "WARNING"), (500, "INFO"), (501, None)])
def test_a_folder_that_has_reached_the_last_step(caplog, monkeypatch, steps, level):
    caplog.set_level("INFO")
    monkeypatch.setattr(plausible, "latest_checkpoint", lambda folder: folder + "/model.ckpt-500")
    monkeypatch.setattr(plausible, "step_of", lambda prefix: int(prefix.rsplit("-", 1)[1]))
    plausible.warn_of_settings(PretrainingSettings("out"), OptimizerSettings(1e-4, steps, 10))
    words = "Nothing is left to train: out/model.ckpt-500 is the checkpoint of step 500, and {} are asked for."
    expected = [(level, words.format(steps))] if level else []
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == expected


def test_every_training_is_looked_at(caplog, tmp_path):
    settings = PretrainingSettings(str(tmp_path))
    observer = types.SimpleNamespace(make_hooks=lambda scalars: [])
    training_setup(settings, OptimizerSettings(5e-5, 4, 1000), observer)
    assert "The learning rate never arrives" in caplog.text


@pytest.mark.parametrize(
    "rows, batch_size, epochs, expected",
    [
        (
            8,
            64,
            100,
            ["--train_batch_size=64 is more than the 8 rows of the train split: a step sees rows 8.0 times over."],
        ),
        (
            100,
            32,
            0.2,
            ["--num_train_epochs=0.2 of 100 rows in batches of 32 are 0.62 of a step: one step is trained."],
        ),
        (64, 64, 1, []),
        (1000, 32, 3, []),
    ],
)
def test_a_train_split_that_is_smaller_than_a_batch(caplog, rows, batch_size, epochs, expected):
    plausible.warn_of_rows(rows, FineTuningSettings("out", train_batch_size=batch_size), epochs)
    assert [record.getMessage() for record in caplog.records] == expected
