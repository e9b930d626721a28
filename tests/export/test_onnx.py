"""ONNX models; they need what requirements/export.txt installs, and are left out where it is not."""

import sys

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.checkpoints.model import open_checkpoint
from albert.export.settings import ONNX_TYPES
from albert.inference.graph import InferenceGraph, head_recipe
from tests.support import exports


@pytest.mark.parametrize("name", ["google_g1", "zh_preln"])
def test_an_onnx_model_answers_as_published(published, tmp_path, name):
    pytest.importorskip("tf2onnx")
    reference = pytest.importorskip("onnx.reference")
    exports.run(checkpoint=published[name], format="onnx", output_dir=tmp_path / "out")
    evaluator = reference.ReferenceEvaluator(str(tmp_path / "out" / "model.onnx"))
    answers = dict(zip(evaluator.output_names, evaluator.run(None, exports.inputs_of(name))))
    exports.check_pretraining(name, atol=2e-5, **answers)
    one_row = {key: value[:1, :5] for key, value in exports.inputs_of(name).items()}
    assert np.shape(evaluator.run(["probabilities"], one_row)[0])[:2] == (1, 5)


def test_a_classifier_answers_rows_of_any_shape(tmp_path):
    pytest.importorskip("tf2onnx")
    reference = pytest.importorskip("onnx.reference")
    folder = exports.write_classifier(tmp_path / "model")
    exports.run(checkpoint=folder, format="onnx", output_dir=tmp_path / "out")
    evaluator = reference.ReferenceEvaluator(str(tmp_path / "out" / "model.onnx"))
    inputs = {name: np.ones([3, 7], np.int32) for name in exports.INPUT_NAMES}
    with InferenceGraph(head_recipe(open_checkpoint(folder), "classifier")) as graph:
        expected = graph.answer(inputs)["probabilities"]
    np.testing.assert_allclose(evaluator.run(["probabilities"], inputs)[0], expected, atol=1e-6)


def test_a_missing_converter_is_named_with_what_installs_it(published, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "tf2onnx", None)
    monkeypatch.setitem(sys.modules, "tf2onnx.tfonnx", None)
    with pytest.raises(UserError, match="tf2onnx is not installed: `pip install -r requirements/export.txt`"):
        exports.run(checkpoint=published["google_g1"], format="onnx", output_dir=tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_eight_bit_weights_are_smaller_and_answer_nearly_so(tmp_path):
    pytest.importorskip("tf2onnx")
    runtime = pytest.importorskip("onnxruntime")
    folder = exports.write_classifier(tmp_path / "model", hidden_size=64, intermediate_size=256)
    inputs, answers, sizes = {name: np.ones([3, 7], np.int32) for name in exports.INPUT_NAMES}, {}, {}
    for kind in ONNX_TYPES:
        exports.run(checkpoint=folder, format="onnx", onnx_type=kind, output_dir=tmp_path / kind)
        path = tmp_path / kind / "model.onnx"
        session = runtime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        answers[kind], sizes[kind] = session.run(["probabilities"], inputs)[0], path.stat().st_size
    assert sizes["int8"] < 0.9 * sizes["float32"]
    np.testing.assert_allclose(answers["int8"], answers["float32"], atol=0.01)
    assert np.abs(answers["int8"] - answers["float32"]).max() > 0
