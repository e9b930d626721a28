"""The command that measures how large a batch the memory takes."""

import json
import types

import pytest

import measure_memory
from albert.base.errors import UserError
from albert.devices import precision
from albert.memory.step import Allocation, StepMemory
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
        budget = measure_memory.USABLE_SHARE * saved["memory_bytes"]
        assert budget - figure["bytes_per_example"] < figure["peak_bytes"][str(figure["largest_batch"])] <= budget
        assert figure["largest_batch"] > 1 and not figure["was_tried"]
        assert " {} |".format(figure["largest_batch"]) in printed


def test_the_tables():
    figures = [
        {"model": model, "length": length, "recompute": recompute, "largest_batch": batch, "bytes_per_example": 2.5e6}
        for model, length, recompute, batch in (
            ("tiny", 64, False, 50),
            ("tiny", 64, True, 90),
            ("tiny", 512, False, 5),
            ("tiny", 512, True, 9),
            ("base", 64, False, 3),
            ("base", 64, True, 8),
            ("base", 512, False, 0),
            ("base", 512, True, 1),
        )
    ]
    printed = measure_memory.report(figures, measure_memory.Budget(12 * 2**30, "CPU", False), flags_of())
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.splitlines() if line[:1] == "|"]
    assert rows[0] == rows[4] == ["length", "tiny", "tiny --recompute", "base", "base --recompute"]
    assert rows[2:4] == [["64", "50", "90", "3", "8"], ["512", "5", "9", "0", "1"]]
    assert rows[6] == ["64"] + ["2.5"] * 4


def test_the_memory_is_that_of_the_device_unless_another_is_named(monkeypatch):
    cpu = measure_memory.find_budget(flags_of())
    assert cpu.num_bytes > 2**28 and not cpu.can_try and cpu.device == "CPU"
    gpu = types.SimpleNamespace(memory_limit=10**10, physical_device_desc="a card")
    monkeypatch.setattr(precision, "gpus", lambda: [gpu])
    assert measure_memory.find_budget(flags_of()) == (10**10, "GPU (a card)", True)
    assert measure_memory.find_budget(flags_of("--memory_gb=12")) == (12 * 2**30, "GPU (a card)", False)


def test_a_batch_that_does_not_fit_after_all_is_lowered(monkeypatch):
    class Probe:
        resident_bytes = 0
        tried = []

        def __init__(self, training):
            pass

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def measure(self):
            steps = ([Allocation("x", 0, 1, 10 * batch)] for batch in (1, 2))
            return StepMemory(0, *steps, (1, 2))

        def fits(self, batch):
            self.tried.append(batch)
            return batch < 90

    monkeypatch.setattr(measure_memory, "TrainingProbe", Probe)
    training = types.SimpleNamespace(length=5, recompute=False)
    budget = measure_memory.Budget(1000 / measure_memory.USABLE_SHARE + 1, "GPU", can_try=True)
    assert measure_memory.measure(training, budget)["largest_batch"] == 85
    assert Probe.tried == [100, 95, 90, 85]


@pytest.mark.parametrize(
    "flag,message",
    [
        ("--lengths=64,x", "write numbers of at least 2"),
        ("--lengths=1", "write numbers of at least 2"),
        ("--lengths=21", "--lengths: 21 is over the 20 positions"),
        ("--config_files=none.json", "cannot read the model config none.json"),
    ],
)
def test_mistakes_are_told_before_anything_is_measured(flag, message, tmp_path):
    config = tiny_model.write_config(tmp_path)
    with pytest.raises(UserError, match=message):
        measure_memory.main(flags_of("--config_files=" + config, "--lengths=5", flag))
