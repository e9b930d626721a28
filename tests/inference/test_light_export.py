"""Light exports of a model folder.

The exporter is played by tests/fixtures/classifier_onnx, an ONNX export of what `exports.write_classifier` writes.
"""

import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.inference import engine_onnx, engines, light_export, predictor
from albert.inference.model_files import find_model
from tests.support import exports

FIXTURE = os.path.join(ROOT, "tests", "fixtures", "classifier_onnx")
PAIRS = [("我喜欢吃苹果", "你喜欢吃香蕉吗"), ("明天下雨吗", None), ("北京" * 9, "上海" * 9), ("好", "😂")]


@pytest.fixture
def folder(tmp_path):
    return exports.write_classifier(tmp_path / "model")


@pytest.fixture
def exporter(monkeypatch):
    """Plays export_model.py; returns its calls. What stands in `fails` is its last line, and it then fails."""
    calls, fails = [], []

    def run(command, **_):
        calls.append(command)
        if fails:
            return subprocess.CompletedProcess(command, 1, stdout=fails[0].encode("utf-8"))
        target = next(word for word in command if word.startswith("--output_dir="))[len("--output_dir=") :]
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(FIXTURE, target)
        return subprocess.CompletedProcess(command, 0, stdout=b"")

    monkeypatch.setattr(light_export.subprocess, "run", run)
    monkeypatch.setattr(light_export, "_is_installed", lambda module: module != "ai_edge_litert")
    monkeypatch.setattr(light_export, "_GPUS", "/dev/none-of-this-name")
    return calls, fails


def test_it_is_made_once_and_answers_as_tensorflow_from_any_thread(folder, exporter):
    pytest.importorskip("onnxruntime", reason="requirements/onnx.txt is not installed")
    with predictor.open_predictor(folder, "tensorflow") as loaded:
        expected = loaded.predict(PAIRS)
    assert not exporter[0]
    for _ in range(2):
        with predictor.open_predictor(folder) as loaded:
            assert loaded.engine_name == "onnx"
            with ThreadPoolExecutor(4) as threads:
                answers = list(threads.map(loaded.predict, [PAIRS] * 4))
            np.testing.assert_allclose(answers, [expected] * 4, atol=1e-5)
            np.testing.assert_allclose(loaded.predict(PAIRS[1:2]), expected[1:2], atol=1e-5)
    assert len(exporter[0]) == 1 and "--format=onnx" in exporter[0][0] and "--head=classifier" in exporter[0][0]


def rewrite(path, change):
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        file.write(change(content))


@pytest.mark.parametrize(
    "name,change",
    [
        ("model.ckpt-9.data-00000-of-00001", lambda content: content[:-1] + bytes([content[-1] ^ 1])),
        ("task.json", lambda content: content + b"\n"),
        ("light_onnx/model.onnx", lambda content: content[:-1]),
        ("light_onnx/source.json", lambda content: b"{"),
    ],
)
def test_it_is_made_again_when_the_model_or_the_export_has_changed(folder, exporter, name, change):
    assert light_export.light_files(find_model(folder)).export_format == "onnx"
    rewrite(os.path.join(folder, name), change)
    assert light_export.light_files(find_model(folder)).checkpoint == os.path.join(folder, "light_onnx")
    assert len(exporter[0]) == 2


def test_a_failed_export_or_a_folder_that_cannot_be_written_is_no_error(folder, exporter, monkeypatch, caplog):
    calls, fails = exporter
    fails.append("error: no room")
    with caplog.at_level("INFO"):
        assert light_export.light_files(find_model(folder)) is None
    assert "light_onnx could not be made: error: no room." in caplog.text and len(calls) == 1
    monkeypatch.setattr(light_export.os, "access", lambda path, mode: False)
    assert light_export.light_files(find_model(folder)) is None and len(calls) == 1


def test_without_an_exporter_or_beside_a_gpu_tensorflow_answers(folder, exporter, monkeypatch, caplog):
    monkeypatch.setattr(light_export, "_GPUS", folder)
    assert light_export.light_files(find_model(folder)) is None
    monkeypatch.setattr(light_export, "_GPUS", folder + "/none")
    monkeypatch.setattr(light_export, "_is_installed", lambda module: module == "onnxruntime")
    with caplog.at_level("INFO"):
        assert engines.lightest(find_model(folder)).export_format is None
    said = "Engine: tensorflow; `pip install -r requirements/export.txt` brings a lighter one."
    assert said in caplog.text and not exporter[0]


def test_an_export_of_another_head_is_not_taken(folder, exporter):
    files = find_model(folder)
    assert light_export.light_files(files)
    assert light_export.light_files(files._replace(head="sentence_vector")) is None


@pytest.mark.parametrize("content", [b"", b"no model", bytes(100)])
def test_what_is_no_onnx_model_is_refused_in_a_sentence(tmp_path, content):
    pytest.importorskip("onnxruntime", reason="requirements/onnx.txt is not installed")
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(UserError, match="cannot read the ONNX model .*model.onnx: ") as caught:
        engine_onnx.OnnxEngine(str(tmp_path), "probabilities")
    assert "\n" not in str(caught.value)


def test_an_export_that_names_other_labels_than_it_answers_is_refused(tmp_path):
    pytest.importorskip("onnxruntime", reason="requirements/onnx.txt is not installed")
    target = tmp_path / "export"
    shutil.copytree(FIXTURE, str(target))
    values = json.loads((target / "export.json").read_text(encoding="utf-8"))
    (target / "export.json").write_text(json.dumps(dict(values, labels=["a", "b"])), encoding="utf-8")
    with pytest.raises(UserError, match="answers with 3 probabilities, but its export.json names 2 labels"):
        predictor.open_predictor(str(target), "onnx")
