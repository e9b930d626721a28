"""Exports of a model of sentence vectors: every format, what the description and the card say, and the way back."""

import json
import os
import shutil

import numpy as np
import pytest
import safetensors.numpy
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints.model import open_checkpoint
from albert.export import transformers_folder
from albert.export.numpy_albert import NumpyAlbert
from albert.inference.embeddings import Embedder
from albert.inference.encoder_model import open_encoder
from tests.support import exports
from tests.support.marks import slow

TEXTS = ["一丁七万", "万七", "丈三上下不与"]


def read_json(*parts):
    with open(os.path.join(*map(str, parts)), encoding="utf-8") as file:
        return json.load(file)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return exports.write_vectors(tmp_path_factory.mktemp("vectors") / "m", "zh_postln", "mean")


@pytest.fixture(scope="module")
def converted(folder, tmp_path_factory):
    """The folder for transformers and sentence-transformers."""
    out = tmp_path_factory.mktemp("converted") / "out"
    exports.run(checkpoint=folder, format="pytorch", output_dir=out)
    return out


@pytest.mark.parametrize("kind", [slow("float32"), slow("float16"), "int8"])
def test_tflite_in_every_type(folder, tmp_path, kind):
    exports.run(checkpoint=folder, format="tflite", tflite_type=kind, max_seq_length=24, output_dir=tmp_path / "out")
    description = read_json(tmp_path, "out", "export.json")
    assert (description["head"], description["outputs"]) == ("sentence_vector", ["sentence_vector"])
    interpreter = tf.lite.Interpreter(model_path=str(tmp_path / "out" / "model.tflite"))
    interpreter.allocate_tensors()
    (output,) = interpreter.get_output_details()
    found, inputs = [], exports.inputs_of("zh_postln")
    for row in range(3):
        for tensor in interpreter.get_input_details():
            interpreter.set_tensor(tensor["index"], inputs[tensor["name"].split(":")[0]][row : row + 1])
        interpreter.invoke()
        found.append(interpreter.get_tensor(output["index"])[0])
    expected = exports.vectors_of("zh_postln", "mean")
    np.testing.assert_allclose(found, expected, atol={"float32": 1e-5, "float16": 0.01, "int8": 0.05}[kind])
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-4)


def test_onnx(folder, tmp_path):
    reference = pytest.importorskip("onnx.reference", reason="needs requirements/export.txt")
    exports.run(checkpoint=folder, format="onnx", output_dir=tmp_path / "out")
    session = reference.ReferenceEvaluator(str(tmp_path / "out" / "model.onnx"))
    assert list(session.output_names) == ["sentence_vector"]
    (found,) = session.run(None, exports.inputs_of("zh_postln"))
    np.testing.assert_allclose(found, exports.vectors_of("zh_postln", "mean"), atol=1e-5)


def test_the_folder_holds_the_modules_of_sentence_transformers(converted):
    modules = read_json(converted, "modules.json")
    assert [module["type"].rpartition(".")[2] for module in modules] == ["Transformer", "Pooling", "Dense", "Normalize"]
    assert [module["path"] for module in modules] == ["", "1_Pooling", "2_Dense", "3_Normalize"]
    assert read_json(converted, "1_Pooling", "config.json") == {
        "word_embedding_dimension": 48,
        "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False,
    }
    assert read_json(converted, "2_Dense", "config.json") == {
        "in_features": 48,
        "out_features": 7,
        "bias": True,
        "activation_function": "torch.nn.modules.linear.Identity",
    }
    weights = exports.vector_weights("zh_postln")
    values = safetensors.numpy.load_file(str(converted / "2_Dense" / "model.safetensors"))
    np.testing.assert_array_equal(values["linear.weight"], weights["cls/sentence_vector/dense/kernel"].T)
    np.testing.assert_array_equal(values["linear.bias"], weights["cls/sentence_vector/dense/bias"])
    assert read_json(converted, "sentence_bert_config.json")["max_seq_length"] == 24
    names = safetensors.numpy.load_file(str(converted / "model.safetensors"))
    assert all(name.startswith("albert.") for name in names)
    assert read_json(converted, "config.json")["architectures"] == ["AlbertModel"]


@pytest.mark.parametrize("pooling", ["mean", slow("cls"), slow("max")])
def test_numpy_computes_the_head_from_the_folder(folder, converted, tmp_path, pooling):
    if pooling != "mean":
        folder, converted = exports.write_vectors(tmp_path / "m", "google_g1", pooling), tmp_path / "out"
        exports.run(checkpoint=folder, format="pytorch", output_dir=converted)
    name = "zh_postln" if pooling == "mean" else "google_g1"
    read = transformers_folder.read(str(converted))
    assert (read.head, read.pooling) == ("sentence_vector", pooling)
    vectors = NumpyAlbert(read.config, read.values, read.pooling).answer(exports.inputs_of(name), read.head)
    np.testing.assert_allclose(vectors["sentence_vector"], exports.vectors_of(name, pooling), atol=1e-5)


def test_description_and_card_say_pooling_map_and_norm(converted):
    description = read_json(converted, "export.json")
    assert description["sentence_vector"] == {"pooling": "mean", "map": {"inputs": 48, "outputs": 7}, "norm": "l2"}
    card = (converted / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| pooling | mean: the mean of the last layer over all tokens |" in card
    assert "| map | a linear map of 48 to 7 numbers |" in card and "| norm | l2: " in card
    assert "sentence_transformers.SentenceTransformer('FOLDER')" in card


def test_the_folder_comes_back_as_a_model_of_sentence_vectors(folder, converted, tmp_path):
    exports.run(checkpoint=converted, format="tensorflow", output_dir=tmp_path / "back")
    model = open_checkpoint(str(tmp_path / "back"))
    assert (model.head, model.pooling, model.vector_size) == ("sentence_vector", "mean", 7)
    with Embedder(open_encoder(folder)) as first, Embedder(open_encoder(str(tmp_path / "back"))) as second:
        np.testing.assert_allclose(first.embed(TEXTS), second.embed(TEXTS), atol=1e-5)


def change(path, **values):
    path.write_text(json.dumps(dict(json.loads(path.read_text(encoding="utf-8")), **values)))


@pytest.mark.parametrize(
    "name, values",
    [
        ("1_Pooling", {"pooling_mode_max_tokens": True}),
        ("1_Pooling", {"pooling_mode_mean_tokens": False, "pooling_mode_lasttoken": True}),
        ("2_Dense", {"activation_function": "torch.nn.modules.activation.Tanh"}),
    ],
)
def test_vectors_of_another_kind_leave_the_encoder(converted, tmp_path, caplog, name, values):
    copy = copied(converted, tmp_path)
    change(copy / name / "config.json", **values)
    with caplog.at_level("INFO"):
        assert transformers_folder.read(str(copy)).head == "encoder"
    assert "modules.json names Transformer, Pooling, Dense, Normalize; a sentence vector here is one" in caplog.text


def copied(converted, tmp_path):
    shutil.copytree(str(converted), str(tmp_path / "copy"))
    return tmp_path / "copy"


@pytest.mark.parametrize(
    "content, message",
    [
        ("{}", "modules.json is not a list of modules: 'modules' must be a list of objects"),
        ("[", "modules.json is not a list of modules: it is not JSON"),
        (
            json.dumps([{"type": "x." + kind, "path": "../" + kind} for kind in
                        ("Transformer", "Pooling", "Dense", "Normalize")]),
            "modules.json names a folder outside, '../Pooling'",
        ),
    ],
)  # fmt: skip
def test_modules_that_cannot_be_read_are_one_sentence(converted, tmp_path, content, message):
    copy = copied(converted, tmp_path)
    (copy / "modules.json").write_text(content)
    with pytest.raises(UserError, match=message):
        transformers_folder.read(str(copy))


def test_a_map_of_another_width_is_refused(converted, tmp_path):
    copy = copied(converted, tmp_path)
    weights = {"linear.weight": np.zeros([7, 5], np.float32), "linear.bias": np.zeros(7, np.float32)}
    safetensors.numpy.save_file(weights, str(copy / "2_Dense" / "model.safetensors"))
    with pytest.raises(UserError, match="takes 5 numbers, the encoder gives 48"):
        transformers_folder.read(str(copy))


def test_a_preln_model_is_refused(tmp_path):
    folder = exports.write_vectors(tmp_path / "m", "zh_preln")
    with pytest.raises(UserError, match="a preln model has its LayerNorm before each block"):
        exports.run(checkpoint=folder, format="pytorch", output_dir=tmp_path / "out")
    assert os.listdir(str(tmp_path)) == ["m"]
