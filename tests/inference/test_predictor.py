"""A predictor of every kind of source against the graph that exports are compared with, fed one row at a time."""

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import threading
import types

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.base.machine import available_cores
from albert.base.paths import ROOT
from albert.checkpoints import families
from albert.checkpoints.model import open_checkpoint
from albert.inference import engines, graph, predictor
from albert.inference.graph import InferenceGraph, head_recipe
from albert.text.sequences import encode_pair, pad_batch
from tests.support import exports
from tests.support.marks import slow
from tokenization import FullTokenizer

IS_OLD = tf.__version__.startswith("1.")
needs_open_length = pytest.mark.skipif(IS_OLD, reason="ai-edge-litert stands beside TensorFlow 2 only")
PAIRS = [
    ("我喜欢吃苹果", "你喜欢吃香蕉吗"),
    ("明天下雨吗", None),
    ("北京" * 9, "上海" * 9),
    ("好\ud800", "不" * 20),
    ("好", "😂"),
    ("明天下雨吗", "北京"),
] * 3


def answers_one_by_one(folder, pairs):
    """What the exporters' graph says of each row alone."""
    model = open_checkpoint(folder)
    tokenizer = FullTokenizer(model.vocab_file, do_lower_case=False)
    with InferenceGraph(head_recipe(model, "classifier")) as graph:
        rows = [pad_batch([encode_pair(tokenizer, a, b, 12)], tokenizer.pad_id) for a, b in pairs]
        return np.concatenate([graph.answer(row)["probabilities"] for row in rows])


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A fine-tuned folder and its answers."""
    folder = exports.write_classifier(tmp_path_factory.mktemp("model"))
    return folder, answers_one_by_one(folder, PAIRS)


@pytest.fixture(scope="module")
def all_exports(model, tmp_path_factory):
    """Exports of the fine-tuned folder that engines open, by the name of the model in them."""
    folder = tmp_path_factory.mktemp("exports")
    for form in ("tflite", "frozen", "savedmodel"):
        exports.run(checkpoint=model[0], format=form, max_seq_length=0, output_dir=folder / form)
    names = {"model.tflite": "tflite", "frozen_graph.pb": "frozen", "1": "savedmodel"}
    return {name: str(folder / form) for name, form in names.items()}


@pytest.fixture
def litert(monkeypatch):
    """TensorFlow's interpreter, which is the same code, under the name of ai-edge-litert."""
    module = types.ModuleType("ai_edge_litert.interpreter")
    module.Interpreter = tf.lite.Interpreter
    monkeypatch.setitem(sys.modules, "ai_edge_litert", types.ModuleType("ai_edge_litert"))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", module)


def test_answers_stand_in_order_however_they_are_batched(model):
    folder, expected = model
    assert expected.std(axis=0).min() > 1e-3
    for options in ({}, {"batch_size": 2}, {"max_batch_tokens": 20}):
        with predictor.open_predictor(folder, **options) as loaded:
            np.testing.assert_allclose(loaded.predict(PAIRS), expected, atol=1e-6)
            assert loaded.predict([]).shape == (0, 3)
            predictions = loaded.classify(PAIRS)
            assert predictions.labels == [exports.LABELS[label] for label in expected.argmax(axis=1)]
            np.testing.assert_allclose(predictions.scores, expected.max(axis=1), atol=1e-6)


def test_both_orders_are_averaged_and_single_texts_are_not(model):
    folder, expected = model
    swapped = answers_one_by_one(folder, [(a, b) if b is None else (b, a) for a, b in PAIRS])
    assert np.abs(swapped - expected).max() > 1e-3
    with predictor.open_predictor(folder) as loaded:
        np.testing.assert_allclose(loaded.predict(PAIRS, symmetric=True), (expected + swapped) / 2, atol=1e-6)


@pytest.mark.parametrize("use_pooled_output", [slow(True), False])
def test_the_google_family_answers_too(tmp_path, use_pooled_output):
    folder = exports.write_classifier(tmp_path / "m", families.GOOGLE)
    path = os.path.join(folder, "task.json")
    with open(path) as file:
        text = file.read()
    with open(path, "w") as file:
        file.write(text.replace('"use_pooled_output": true', '"use_pooled_output": ' + str(use_pooled_output).lower()))
    with predictor.open_predictor(folder) as loaded:
        np.testing.assert_allclose(loaded.predict(PAIRS[:6]), answers_one_by_one(folder, PAIRS[:6]), atol=1e-6)


@pytest.mark.parametrize("export_format,length", [("frozen", 0), slow("savedmodel", 0), slow("frozen", 12)])
def test_an_export_answers_as_its_source(model, tmp_path, export_format, length):
    folder, expected = model
    exports.run(checkpoint=folder, format=export_format, output_dir=tmp_path / "out", max_seq_length=length)
    with predictor.open_predictor(str(tmp_path / "out")) as loaded:
        np.testing.assert_allclose(loaded.predict(PAIRS), expected, atol=1e-6)


@needs_open_length
@pytest.mark.parametrize("kind,length,atol", [("float32", 0, 1e-6), slow("float32", 12, 1e-6), slow("int8", 0, 0.02)])
def test_the_light_engine_agrees(model, tmp_path, litert, kind, length, atol):
    folder, expected = model
    out = tmp_path / "out"
    exports.run(checkpoint=folder, format="tflite", tflite_type=kind, output_dir=out, max_seq_length=length)
    with predictor.open_predictor(str(out), "tflite") as loaded:
        assert loaded.concurrency == available_cores() and not loaded.gains_from_batches
        answers = loaded.predict(PAIRS)
        np.testing.assert_allclose(answers, expected, atol=atol)
        np.testing.assert_allclose(ask_from_threads(loaded, 8), [answers] * 8, atol=1e-7)
        with pytest.raises(UserError):
            loaded.predict([("", "")])
        np.testing.assert_allclose(loaded.predict(PAIRS[:1]), answers[:1], atol=1e-7)


def ask_from_threads(loaded, count):
    answers = [None] * count
    start = threading.Barrier(count)

    def ask(number):
        start.wait()
        for _ in range(3):
            answers[number] = loaded.predict(PAIRS)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_many_threads_get_the_same_answers(model):
    folder, expected = model
    with predictor.open_predictor(folder) as loaded:
        np.testing.assert_allclose(ask_from_threads(loaded, 6), [expected] * 6, atol=1e-6)


def test_ten_thousand_pairs_and_an_enormous_one(model):
    folder, expected = model
    with predictor.open_predictor(folder) as loaded:
        many = [PAIRS[number % len(PAIRS)] for number in range(10000)]
        np.testing.assert_allclose(
            loaded.predict(many)[-18:], [expected[i % 18] for i in range(9982, 10000)], atol=1e-6
        )
        enormous = loaded.predict([("好" * 10**6, "不" * 20)])
        np.testing.assert_allclose(enormous, answers_one_by_one(folder, [("好" * 30, "不" * 20)]), atol=1e-6)


@pytest.mark.skipif(sys.version_info < (3, 8), reason="no ai-edge-litert stands there")
def test_the_light_engine_needs_no_tensorflow():
    code = "import sys, similarity, albert.inference.engine_tflite; assert 'tensorflow' not in sys.modules"
    subprocess.check_call([sys.executable, "-c", code], cwd=ROOT)


def test_the_requirements_of_litert_alone_bring_all_that_an_export_needs():
    """Every package outside of Python that similarity.py has loaded when it opens an export stands in the file."""
    code = (
        "import sys; sys.modules['tensorflow'] = None\n"
        "import similarity\n"
        "from albert.inference import engine_tflite, predictor\n"
        "roots = {name.split('.')[0] for name, module in sys.modules.items()"
        " if 'site-packages' in (getattr(module, '__file__', None) or '')}\n"
        "print(*sorted(root for root in roots if not root.startswith('_')))"
    )
    loaded = subprocess.check_output([sys.executable, "-c", code], cwd=ROOT, universal_newlines=True).split()
    with open(os.path.join(ROOT, "requirements", "litert.txt"), encoding="utf-8") as file:
        listed = re.findall(r"^([\w-]+)[=><]", file.read(), re.MULTILINE)
    packages = {"absl": "absl-py", "google_crc32c": "google-crc32c"}
    assert {packages.get(root, root) for root in loaded} <= set(listed) and "absl-py" in listed


def test_a_checkpoint_without_tensorflow_is_refused_in_a_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    monkeypatch.delitem(sys.modules, "tensorflow.compat.v1", raising=False)
    with pytest.raises(
        UserError, match="TensorFlow is not installed, and only an export as ONNX or TFLite can do without"
    ):
        runpy.run_path(os.path.join(ROOT, "albert", "base", "quiet_tensorflow.py"))


def test_a_missing_interpreter_is_said_to_be(model, tmp_path, monkeypatch):
    exports.run(checkpoint=model[0], format="tflite", output_dir=tmp_path / "out", max_seq_length=12)
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(UserError, match="needs ai-edge-litert: `pip install -r requirements/litert.txt` brings it"):
        predictor.open_predictor(str(tmp_path / "out"))


@pytest.mark.parametrize("engine,flags", [("tflite", "tflite --tflite_type=int8"), ("onnx", "onnx")])
def test_an_engine_that_does_not_open_the_files_names_what_does(model, monkeypatch, engine, flags):
    monkeypatch.setattr(engines, "check_library", lambda engine: None)
    monkeypatch.setattr(engines, "light_files", lambda files, engine: None)
    with pytest.raises(UserError, match="{} does not open .* a checkpoint: .* --format={}".format(engine, flags)):
        predictor.open_predictor(model[0], engine)


@pytest.mark.parametrize(
    "engine,module,library",
    [("tflite", "ai_edge_litert.interpreter", "ai-edge-litert"), ("onnx", "onnxruntime", "onnxruntime")],
)
def test_an_engine_without_its_library_says_what_brings_it(model, monkeypatch, engine, module, library):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(UserError, match="engine {} needs {}: `pip install -r requirements/".format(engine, library)):
        predictor.open_predictor(model[0], engine)


def test_a_model_without_a_head_is_said_to_have_none(published, model, tmp_path):
    with pytest.raises(UserError, match="has no fine-tuned head; fine-tune it with run_classifier.py first"):
        predictor.open_predictor(published["zh_postln"])
    exports.run(checkpoint=model[0], format="frozen", head="encoder", output_dir=tmp_path / "encoder")
    with pytest.raises(UserError, match="has the head encoder, not a fine-tuned one"):
        predictor.open_predictor(str(tmp_path / "encoder"))


def test_other_exports_are_refused(model, tmp_path):
    exports.run(checkpoint=model[0], format="pytorch", output_dir=tmp_path / "out")
    with pytest.raises(UserError, match="is an export as pytorch, which no engine here opens"):
        predictor.open_predictor(str(tmp_path / "out"))
    (tmp_path / "out" / "export.json").write_text("[]")
    with pytest.raises(UserError, match="export.json is not a description of an export"):
        predictor.open_predictor(str(tmp_path / "out"))


def flipped(content, place):
    return content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :]


SPOILERS = [
    lambda content: b"",
    lambda content: b"<html>",
    lambda content: content[:1000],
    lambda content: content[:-1],
    lambda content: flipped(content, 4),
    lambda content: flipped(content, len(content) // 2),
]


@needs_open_length
@pytest.mark.parametrize("spoil", SPOILERS)
@pytest.mark.parametrize("name", ["model.tflite", "frozen_graph.pb", "1/saved_model.pb", "1/variables/variables.index"])
def test_damaged_exports_are_refused_in_a_sentence(all_exports, tmp_path, litert, name, spoil):
    folder = tmp_path / "damaged"
    shutil.copytree(all_exports[name.split("/")[0]], str(folder))
    (folder / name).write_bytes(spoil((folder / name).read_bytes()))
    with pytest.raises(
        UserError, match=name + " is not the file that was exported .its SHA-256 is not that in"
    ) as caught:
        predictor.open_predictor(str(folder))
    assert "\n" not in str(caught.value)


@needs_open_length
@pytest.mark.parametrize("content", [b"", b"<html>no", b"\x1c\0\0\0TFL", b"\x1c\0\0\0XXXX" + bytes(100)])
def test_what_is_no_tflite_model_is_refused_without_its_checksum_too(all_exports, tmp_path, litert, content):
    """As in exports of earlier versions."""
    folder = tmp_path / "old"
    shutil.copytree(all_exports["model.tflite"], str(folder))
    values = json.loads((folder / "export.json").read_text(encoding="utf-8"))
    assert list(values.pop("sha256")) == ["model.tflite"]
    (folder / "export.json").write_text(json.dumps(values), encoding="utf-8")
    predictor.open_predictor(str(folder)).close()
    (folder / "model.tflite").write_bytes(content)
    with pytest.raises(UserError, match="cannot read the TFLite model .*model.tflite: it is of another format, or cut"):
        predictor.open_predictor(str(folder))


@needs_open_length
def test_a_name_that_leads_out_of_the_export_is_refused(all_exports, tmp_path):
    for name in ("../model.tflite", "/etc/passwd", "1/../../x"):
        values = {"format": "tflite", "head": "classifier", "sha256": {name: "0"}}
        (tmp_path / "export.json").write_text(json.dumps(values))
        with pytest.raises(UserError, match="'sha256' names a file outside the folder"):
            predictor.open_predictor(str(tmp_path))


@needs_open_length
def test_exports_with_another_number_of_labels_are_refused(all_exports, tmp_path, litert):
    for name in all_exports:
        shutil.copytree(all_exports[name], str(tmp_path / name))
        path = tmp_path / name / "export.json"
        values = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps(dict(values, labels=["否", "是"])), encoding="utf-8")
        with pytest.raises(UserError, match="answers with 3 probabilities, but its export.json names 2 labels"):
            predictor.open_predictor(str(tmp_path / name))


@needs_open_length
@pytest.mark.parametrize(
    "change, message",
    [
        ({"labels": "否是"}, "'labels' must be a list of texts"),
        ({"labels": [1, 2, 3]}, "'labels' must be a list of texts"),
        ({"labels": None}, "'labels' must be a list of texts, not null"),
        ({"do_lower_case": "no"}, "'do_lower_case' must be true or false"),
        ({"max_seq_length": 10**12}, "'max_seq_length' must be a whole number from 1 to 20"),
        ({"max_seq_length": 0}, "'max_seq_length' must be a whole number"),
        ({"model_config": []}, "'model_config' must be an object"),
        ({"model_config": {"vocab_size": "1"}}, "'model_config.vocab_size' must be a whole number"),
        ({"format": 7}, "'format' must be a text, not 7"),
        ({"head": {}}, "'head' must be a text"),
    ],
)
def test_descriptions_of_exports_with_other_types_are_refused(all_exports, tmp_path, change, message):
    for name in os.listdir(all_exports["model.tflite"]):
        shutil.copy(os.path.join(all_exports["model.tflite"], name), str(tmp_path))
    path = tmp_path / "export.json"
    path.write_text(json.dumps(dict(json.loads(path.read_text(encoding="utf-8")), **change)), encoding="utf-8")
    with pytest.raises(UserError, match="export.json is not a description of an export: " + message):
        predictor.open_predictor(str(tmp_path))


def test_a_kept_graph_answers_and_is_made_anew_when_the_weights_change(model, tmp_path, monkeypatch):
    folder, expected = model
    made = []
    freeze = graph.freeze
    monkeypatch.setattr(graph, "freeze", lambda recipe: made.append(1) or freeze(recipe))
    path = tmp_path / "kept" / "graph.pb"
    for count in (1, 1):
        with predictor.open_predictor(folder, graph_file=str(path)) as loaded:
            np.testing.assert_allclose(loaded.predict(PAIRS), expected, atol=1e-6)
        assert len(made) == count
    os.utime(open_checkpoint(folder).prefix + ".index", (1, 1))
    predictor.open_predictor(folder, graph_file=str(path)).close()
    assert len(made) == 2
    path.write_bytes(b"\xff\xfeno graph")
    with pytest.raises(UserError, match="graph.pb is not a graph that similarity.py kept"):
        predictor.open_predictor(folder, graph_file=str(path))
    predictor.open_predictor(folder, graph_file="/proc/none/graph.pb").close()  # cannot be written: costs time only
