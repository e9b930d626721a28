"""Presets: what is set, what wins, what is said."""

import pytest

import run_classifier
import run_pretraining
from albert.base.errors import UsageError
from albert.checkpoints.families import ZH
from albert.finetuning.flags import build_classification_settings
from albert.pretraining.settings import PretrainingSettings
from albert.training.presets import apply_preset, fine_tuning_values, pretraining_values


def settings_of(*arguments):
    flags = run_classifier.declare_flags()
    flags.parse(["--output_dir=out", "--do_train", "--task_name=tnews", "--data_dir=tnews", *arguments])
    return build_classification_settings(flags, ZH)


@pytest.mark.parametrize(
    "hidden_size,optimizer,batch,rate,warmup",
    [
        (768, "lamb", 4096, 0.00176, 1000),  # as published
        (312, "lamb", 1024, 0.00088, 1000),
        (1024, "lamb", 4096, 0.00088, 2000),
        (2048, "lamb", 1024, 0.00022, 2000),
        (4096, "adamw", 256, 2.5e-5, 2000),
        (768, "adamw", 64, 5e-5, 1000),
        (312, "adamw", 32, 1e-3, 1000),
    ],
)
def test_pretraining_rates_fall_with_size_and_batch(hidden_size, optimizer, batch, rate, warmup):
    values = pretraining_values(
        hidden_size=hidden_size, optimizer=optimizer, train_batch_size=batch, num_train_steps=10000
    )
    assert values == {"learning_rate": pytest.approx(rate), "num_warmup_steps": warmup}


def test_the_preset_sets_what_was_not_given_and_says_each(caplog):
    caplog.set_level("INFO")
    settings = settings_of("--preset=recommended", "--warmup_proportion=0.3")
    settings = apply_preset(settings, fine_tuning_values(hidden_size=1024), 1024)
    assert (settings.learning_rate, settings.warmup_proportion) == (1e-5, 0.3)
    assert settings.resolved()["learning_rate"] == 1e-5
    assert "sets --learning_rate=1e-05 (by default 5e-05)" in caplog.text
    assert "leaves --warmup_proportion=0.3, as given (it would set 0.2)" in caplog.text


def test_sizes_that_train_as_published_are_left_alone(caplog):
    caplog.set_level("INFO")
    settings = apply_preset(settings_of("--preset=recommended"), fine_tuning_values(hidden_size=768), 768)
    assert settings.learning_rate == 5e-5 and "sets nothing" in caplog.text


def test_the_smallest_models_take_larger_steps():
    settings = apply_preset(settings_of("--preset=recommended"), fine_tuning_values(hidden_size=312), 312)
    assert settings.learning_rate == 5e-4
    assert apply_preset(settings_of(), fine_tuning_values(hidden_size=312), 312).learning_rate == 5e-5


@pytest.mark.parametrize(
    "arguments,hidden_size,is_warned",
    [
        ([], 1024, True),
        (["--learning_rate=2e-5"], 1024, True),
        (["--learning_rate=1e-5"], 1024, False),
        (["--preset=published"], 1024, False),
        (["--preset=recommended"], 1024, False),
        ([], 768, False),
    ],
)
def test_a_size_in_danger_gets_one_line(arguments, hidden_size, is_warned, caplog):
    given = settings_of(*arguments)
    settings = apply_preset(given, fine_tuning_values(hidden_size=hidden_size), hidden_size)
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == is_warned
    assert all("--preset=recommended sets --learning_rate=1e-05" in warning for warning in warnings)
    assert settings.preset == "recommended" or settings.learning_rate == given.learning_rate


@pytest.mark.parametrize(
    "arguments,is_corrected",
    [([], True), (["--preset=published"], False), (["--preset=published", "--bias_correction=True"], True)],
)
def test_the_published_preset_takes_back_what_we_chose(arguments, is_corrected, caplog):
    caplog.set_level("INFO")
    settings = apply_preset(settings_of(*arguments), fine_tuning_values(hidden_size=312), 312)
    assert settings.bias_correction == is_corrected
    assert ("sets --bias_correction=False (by default True)" in caplog.text) == (not is_corrected)
    assert "initial_weights" not in caplog.text  # fine-tuning has no such setting


def test_the_published_preset_of_pretraining_starts_as_published():
    settings = PretrainingSettings(output_dir="out", preset="published")
    settings = apply_preset(settings, {}, 312)
    assert (settings.initial_weights, settings.bias_correction) == ("published", False)


def test_unknown_presets_are_refused():
    with pytest.raises(UsageError, match="preset"):
        run_pretraining.declare_flags().parse(["--preset=best"])
