"""Largest batch: tables, the device's memory, and batches that turn out not to fit."""

import types

from albert.devices import precision
from albert.memory import largest_batch
from albert.memory.step import Allocation, StepMemory


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
    printed = largest_batch.report(figures, largest_batch.Budget(12 * 2**30, "CPU", False), "fine-tuning", "float32")
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.splitlines() if line[:1] == "|"]
    assert rows[0] == rows[4] == ["length", "tiny", "tiny --recompute", "base", "base --recompute"]
    assert rows[2:4] == [["64", "50", "90", "3", "8"], ["512", "5", "9", "0", "1"]]
    assert rows[6] == ["64"] + ["2.5"] * 4


def test_the_memory_is_that_of_the_device_unless_another_is_named(monkeypatch):
    cpu = largest_batch.find_budget(None)
    assert cpu.num_bytes > 2**28 and not cpu.can_try and cpu.device == "CPU"
    gpu = types.SimpleNamespace(memory_limit=10**10, physical_device_desc="a card")
    monkeypatch.setattr(precision, "gpus", lambda: [gpu])
    assert largest_batch.find_budget(None) == (10**10, "GPU (a card)", True)
    assert largest_batch.find_budget(12.0) == (12 * 2**30, "GPU (a card)", False)


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

    monkeypatch.setattr(largest_batch, "TrainingProbe", Probe)
    training = types.SimpleNamespace(length=5, recompute=False)
    budget = largest_batch.Budget(1000 / largest_batch.USABLE_SHARE + 1, "GPU", can_try=True)
    assert largest_batch.measure(training, budget)["largest_batch"] == 85
    assert Probe.tried == [100, 95, 90, 85]
