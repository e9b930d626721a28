"""The benchmark of TFLite exports, on a tiny model: what it counts, and what it refuses."""

import json
import os
import re

import numpy as np
import pytest

from albert.base.errors import UserError
from benchmarks import tflite as tflite_benchmark
from tests.support import exports, tiny_model


@pytest.fixture
def model(tmp_path):
    """The flags that name a model of the task lcqmc and its rows."""
    folder = exports.write_classifier(tmp_path / "model")
    task_file = os.path.join(folder, "task.json")
    with open(task_file, encoding="utf-8") as file:
        description = json.load(file)
    with open(task_file, "w", encoding="utf-8") as file:
        json.dump(dict(description, task="lcqmc", labels=["0", "1", "2"]), file)
    return {"checkpoint": folder, "data_dir": tiny_model.write_pairs(tmp_path / "data"), "max_seq_length": 12}


def parsed(**values):
    flags = tflite_benchmark.declare_flags()
    flags.parse(["--{}={}".format(name, value) for name, value in values.items()])
    return flags


@pytest.mark.slow
def test_the_table(model, capsys):
    """A float export of a model that fits agrees with it on every row."""
    tflite_benchmark.main(parsed(rows=5, timed_rows=2, tflite_types="float32", threads=1, **model))
    lines = capsys.readouterr().out.splitlines()
    header, _, row = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines[:3])
    cells = dict(zip(header, row))
    assert cells["export"] == "float32" and cells["interpreter"].startswith("tensorflow ")
    assert cells["labels agreeing"] == "100.0%"
    assert re.match(r"\d+\.\d / \d+\.\d ms$", cells["1 thread"])
    peak, before = cells["peak memory"].split(" MB ")
    assert float(peak) >= float(before.strip("()")) > 20
    assert lines[-1].startswith("5 rows of 12 tokens")
    assert cells["accuracy"] in lines[-1]


def test_agreement_is_counted_against_the_source_and_accuracy_against_the_file(monkeypatch):
    rows = tflite_benchmark.Rows({}, labels=np.array([0, 1, 1, 0]), source_labels=np.array([0, 1, 0, 0]))
    result = {"version": "9", "median": 0.002, "p90": 0.003, "bytes_before": 3e7, "labels": [0, 1, 1, 1]}
    commands = []

    def measure(command, environment):
        commands.append(command)
        return type("Measured", (), {"output": "noise\n" + json.dumps(result), "peak_bytes": 5e7})

    monkeypatch.setattr(tflite_benchmark, "measure", measure)
    monkeypatch.setattr(tflite_benchmark.os.path, "getsize", lambda path: 4210000)
    reader = tflite_benchmark.Reader("a/python", "ai_edge_litert")
    row = tflite_benchmark.row_of(reader, "folder", "int8", [1, 2], rows, parsed(timed_rows=3))
    assert row == "int8|4.21|ai-edge-litert 9|2.0 / 3.0 ms|2.0 / 3.0 ms|50 MB (30)|50.0%|75.0%".split("|")
    assert [command[-2:] for command in commands] == [["--rows=4", "--threads=1"], ["--rows=3", "--threads=2"]]


def test_a_checkpoint_without_a_task_is_refused(published, tmp_path):
    with pytest.raises(UserError, match="is no fine-tuned model"):
        tflite_benchmark.main(parsed(checkpoint=published["zh_postln"], data_dir=tmp_path))
