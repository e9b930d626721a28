"""TFLite models against the published implementations, by TensorFlow's own interpreter."""

import json
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints.model import open_checkpoint
from albert.export import run as export_run
from albert.export import tflite as export_tflite
from albert.export.settings import TFLITE_TYPES
from tests.support import exports, model_fixtures, published_checkpoints
from tests.support.marks import slow

IS_OLD = tf.__version__.startswith("1.")


def interpret(path, inputs):
    """The outputs of a model for rows of any length, one after another."""
    interpreter = tf.lite.Interpreter(model_path=str(path))
    rows = []
    for row in range(len(inputs["input_ids"])):
        details = {tensor["name"].split(":")[0]: tensor["index"] for tensor in interpreter.get_input_details()}
        assert sorted(details) == sorted(exports.INPUT_NAMES)
        for name, index in details.items():
            interpreter.resize_tensor_input(index, [1, inputs[name].shape[1]])
        interpreter.allocate_tensors()
        for name, index in details.items():
            interpreter.set_tensor(index, inputs[name][row : row + 1])
        interpreter.invoke()
        outputs = interpreter.get_output_details()
        rows.append({tensor["name"].split(":")[0]: interpreter.get_tensor(tensor["index"]) for tensor in outputs})
    return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}


@pytest.mark.parametrize("name", ["zh_postln", slow("zh_preln"), slow("google_g1")])
def test_a_float_model_answers_as_published(published, tmp_path, name):
    exports.run(checkpoint=published[name], format="tflite", output_dir=tmp_path / "out", max_seq_length=24)
    answers = interpret(tmp_path / "out" / "model.tflite", exports.inputs_of(name))
    exports.check_pretraining(name, atol=2e-5, **answers)


def test_smaller_weights_answer_nearly_so(published, tmp_path):
    flags = {"checkpoint": published["google_g1"], "format": "tflite", "head": "masked_lm", "max_seq_length": 24}
    sizes, answers = {}, {}
    for kind in TFLITE_TYPES:
        exports.run(output_dir=tmp_path / kind, tflite_type=kind, **flags)
        path = tmp_path / kind / "model.tflite"
        sizes[kind] = os.path.getsize(str(path))
        answers[kind] = np.log(interpret(path, exports.inputs_of("google_g1"))["probabilities"])
    assert sizes["int8"] < sizes["float16"] < sizes["float32"]
    spread = answers["float32"].std()
    differences = {kind: np.abs(answers[kind] - answers["float32"]).max() / spread for kind in answers}
    assert 0 < differences["float16"] < 0.02 and differences["float16"] < differences["int8"] < 0.2


def unequal_channels(folder, name):
    """A fixture whose kernels have channels of very different sizes, as trained ones do; returns its folder."""
    place = exports.write_fixture(folder, name)
    values, random = model_fixtures.variables_of(model_fixtures.load(name)), np.random.RandomState(1)
    for key, value in values.items():
        if key.endswith("/kernel"):
            values[key] = (value * np.exp(1.5 * random.randn(value.shape[1]))).astype(np.float32)
    published_checkpoints.save(folder / "albert_model.ckpt", values)
    return place


def test_eight_bits_with_a_scale_for_each_channel_are_nearer_than_with_one(tmp_path, monkeypatch):
    checkpoint = unequal_channels(tmp_path / "model", "google_g1")
    flags = {"format": "tflite", "head": "encoder", "max_seq_length": 24, "tflite_type": "int8"}
    monkeypatch.setattr(export_run, "check_parity", lambda *_: None)
    rms = {}
    for kind, change in (("channels", export_tflite.with_channel_scales), ("tensor", lambda graph_def: graph_def)):
        monkeypatch.setattr(export_tflite, "with_channel_scales", change)
        exports.run(checkpoint=checkpoint, output_dir=tmp_path / kind, **flags)
        rms[kind] = json.loads((tmp_path / kind / "export.json").read_text(encoding="utf-8"))["parity"]["rms"]
    assert rms["channels"] < rms["tensor"] / 2
    sizes = {kind: os.path.getsize(str(tmp_path / kind / "model.tflite")) for kind in rms}
    assert sizes["channels"] < 1.3 * sizes["tensor"]


def test_the_length_is_128_or_what_the_model_takes(published, tmp_path):
    exports.run(checkpoint=published["google_g1"], format="tflite", output_dir=tmp_path / "out", head="encoder")
    interpreter = tf.lite.Interpreter(model_path=str(tmp_path / "out" / "model.tflite"))
    assert [list(tensor["shape"]) for tensor in interpreter.get_input_details()] == [[1, 40]] * 3


@pytest.mark.skipif(IS_OLD, reason="TensorFlow 1.15's converter takes no open length")
def test_an_open_length_takes_rows_of_any(published, tmp_path):
    exports.run(checkpoint=published["zh_postln"], format="tflite", output_dir=tmp_path / "out", max_seq_length=0)
    answers = interpret(tmp_path / "out" / "model.tflite", exports.inputs_of("zh_postln"))
    exports.check_pretraining("zh_postln", atol=2e-5, **answers)


@pytest.mark.skipif(not IS_OLD, reason="TensorFlow 2 takes an open length")
def test_an_open_length_is_refused_where_the_converter_cannot(published, tmp_path):
    with pytest.raises(UserError, match="takes no open length: name one with --max_seq_length"):
        exports.run(checkpoint=published["zh_postln"], format="tflite", output_dir=tmp_path / "out", max_seq_length=0)
    assert os.listdir(str(tmp_path)) == []


def test_the_old_converters_program_must_be_on_the_path(monkeypatch):
    monkeypatch.setattr(export_tflite.shutil, "which", lambda name, path: None)
    with pytest.raises(UserError, match="toco_from_protos .* is not on the PATH"):
        export_tflite._put_converter_on_path()


def test_the_kernels_of_a_layer_are_kept_once(tmp_path):
    """A layer that is applied twice, with GELU, costs no more than its own weights and the graph."""
    folder = exports.write_classifier(tmp_path / "model", hidden_size=64, intermediate_size=1024)
    exports.run(checkpoint=folder, format="tflite", output_dir=tmp_path / "out", max_seq_length=8)
    size = os.path.getsize(str(tmp_path / "out" / "model.tflite"))
    kernel = 4 * 64 * 1024
    weights = 4 * open_checkpoint(folder).num_parameters
    assert 2 * kernel < weights < size < weights + kernel // 2
