"""The command that measures how large a batch the memory takes."""

import json

import pytest

import measure_memory
from albert.base.errors import UserError
from albert.memory.largest_batch import USABLE_SHARE
from tests.support import tiny_model


def flags_of(*arguments):
    flags = measure_memory.declare_flags()
    flags.parse(arguments)
    return flags


def test_the_figures(tmp_path, capsys):
    config = tiny_model.write_config(tmp_path)
    output = tmp_path / "memory.json"
    measure_memory.main(
        flags_of("--config_files=" + config, "--lengths=20", "--memory_gb=0.01", "--output_file={}".format(output))
    )
    printed = capsys.readouterr().out
    assert "in 0.0 GiB (fine-tuning, float32; measured on CPU, extrapolated from steps of 1 and 2 examples" in printed
    saved = json.loads(output.read_text())
    assert [figure["recompute"] for figure in saved["figures"]] == [False, True]
    for figure in saved["figures"]:
        budget = USABLE_SHARE * saved["memory_bytes"]
        assert budget - figure["bytes_per_example"] < figure["peak_bytes"][str(figure["largest_batch"])] <= budget
        assert figure["largest_batch"] > 1 and not figure["was_tried"]
        assert " {} |".format(figure["largest_batch"]) in printed


@pytest.mark.parametrize(
    "flag,message",
    [
        ("--lengths=64,x", "write numbers of at least 2"),
        ("--lengths=1", "write numbers of at least 2"),
        ("--lengths=21", "--lengths: 21 exceeds the 20 positions"),
        ("--config_files=none.json", "cannot read the model config none.json"),
    ],
)
def test_mistakes_end_the_command_before_anything_is_measured(flag, message, tmp_path):
    config = tiny_model.write_config(tmp_path)
    with pytest.raises(UserError, match=message):
        measure_memory.build_settings(flags_of("--config_files=" + config, "--lengths=5", flag))


def test_settings_hold_every_model_and_length_with_and_without_recomputation():
    settings = measure_memory.build_settings(flags_of("--lengths=128,64", "--memory_gb=3", "--training=pre-training"))
    found = [(name, training.length, training.recompute) for name, training in settings.trainings]
    assert found == [
        (name, n, again) for name in ("tiny", "base", "large") for n in (128, 64) for again in (False, True)
    ]
    training = settings.trainings[0][1]
    assert (training.phase, training.optimizer, training.config.hidden_size) == ("pre-training", "lamb", 312)
    assert settings.budget.num_bytes == 3 * 2**30
