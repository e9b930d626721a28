"""TensorFlow's own exports against the published implementations; and what every export refuses."""

import json
import logging
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import run_pretraining
from albert.base.errors import UserError
from albert.base.flags import UsageError
from albert.checkpoints import families
from albert.export import savedmodel as export_savedmodel
from albert.export.parity import Parity, Tolerance, check_parity, compare_outputs, probe_inputs
from tests.support import exports, model_fixtures, tiny_model
from tests.support.marks import slow

NAMES = ["google_g1", slow("google_g2"), "zh_postln", slow("zh_preln")]  # all of model_fixtures


@pytest.fixture(scope="module")
def classifier(tmp_path_factory):
    return exports.write_classifier(tmp_path_factory.mktemp("classifier"))


def read_description(folder):
    return json.loads((folder / "export.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", NAMES)
def test_savedmodel_answers_as_published(published, tmp_path, name):
    exports.run(checkpoint=published[name], format="savedmodel", output_dir=tmp_path / "out")
    with tf.Graph().as_default(), tf.Session() as session:
        meta_graph = tf.saved_model.loader.load(session, ["serve"], str(tmp_path / "out" / "1"))
        signature = meta_graph.signature_def["serving_default"]
        assert sorted(signature.inputs) == sorted(exports.INPUT_NAMES)
        assert {tensor.dtype for tensor in signature.inputs.values()} == {tf.int32.as_datatype_enum}
        feed = {signature.inputs[key].name: value for key, value in exports.inputs_of(name).items()}
        answers = session.run({key: tensor.name for key, tensor in signature.outputs.items()}, feed)
    exports.check_pretraining(name, atol=2e-5, **answers)


@pytest.mark.skipif(tf.__version__.startswith("1."), reason="TensorFlow 2 only")
@pytest.mark.slow
def test_savedmodel_opens_eagerly(published, tmp_path):
    exports.run(checkpoint=published["zh_postln"], format="savedmodel", output_dir=tmp_path / "out")
    np.savez(str(tmp_path / "in.npz"), **exports.inputs_of("zh_postln"))
    program = """
import sys, numpy, tensorflow as tf
signature = tf.saved_model.load(sys.argv[1] + "/out/1").signatures["serving_default"]
inputs = {name: tf.constant(value) for name, value in numpy.load(sys.argv[1] + "/in.npz").items()}
numpy.savez(sys.argv[1] + "/out.npz", **{name: value.numpy() for name, value in signature(**inputs).items()})
"""
    subprocess.check_call([sys.executable, "-c", program, str(tmp_path)], stderr=subprocess.DEVNULL)
    exports.check_pretraining("zh_postln", atol=2e-5, **np.load(str(tmp_path / "out.npz")))


def run_frozen(path, inputs, outputs):
    graph_def = tf.GraphDef()
    graph_def.ParseFromString(path.read_bytes())
    assert not [node.name for node in graph_def.node if "Variable" in node.op]
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(graph_def, name="")
        feed = {key + ":0": value for key, value in inputs.items()}
        return session.run({key: key + ":0" for key in outputs}, feed)


@pytest.mark.parametrize("name", [slow("google_g1"), "zh_preln"])
def test_frozen_graph_answers_as_published(published, tmp_path, name):
    exports.run(checkpoint=published[name], format="frozen", output_dir=tmp_path / "out")
    outputs = ("probabilities", "sentence_order_probabilities")
    answers = run_frozen(tmp_path / "out" / "frozen_graph.pb", exports.inputs_of(name), outputs)
    exports.check_pretraining(name, atol=2e-5, **answers)


@pytest.mark.parametrize("name", ["google_g1", slow("google_g2")])
def test_the_encoder_alone_gives_the_published_vectors(published, tmp_path, name):
    exports.run(checkpoint=published[name], format="frozen", output_dir=tmp_path / "out", head="encoder")
    inputs, arrays = exports.inputs_of(name), model_fixtures.load(name)
    outputs = ("sequence_output", "pooled_output")
    answers = run_frozen(tmp_path / "out" / "frozen_graph.pb", inputs, outputs)
    for key in outputs:
        np.testing.assert_allclose(answers[key], arrays["out/" + key], atol=1e-5)


def test_a_fine_tuned_model_exports_its_classifier_with_its_labels(classifier, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    exports.run(checkpoint=os.path.dirname(classifier), format="frozen", output_dir=tmp_path / "out")
    description = read_description(tmp_path / "out")
    assert description["head"] == "classifier" and description["labels"] == list(exports.LABELS)
    assert description["do_lower_case"] is False
    assert (tmp_path / "out" / "vocab.txt").exists()
    assert "11 of 11 labels agree" in caplog.text and "frozen_graph.pb" in caplog.text
    inputs = {name: np.ones([2, 5], np.int32) for name in exports.INPUT_NAMES}
    answers = run_frozen(tmp_path / "out" / "frozen_graph.pb", inputs, ("probabilities",))
    assert answers["probabilities"].shape == (2, 3)
    np.testing.assert_allclose(answers["probabilities"].sum(axis=1), 1.0, atol=1e-6)


def test_a_fixed_length_is_the_only_one(classifier, tmp_path):
    exports.run(checkpoint=classifier, format="frozen", output_dir=tmp_path / "out", max_seq_length=7)
    for length, is_right in ((7, True), (6, False)):
        inputs = {name: np.ones([2, length], np.int32) for name in exports.INPUT_NAMES}
        if is_right:
            run_frozen(tmp_path / "out" / "frozen_graph.pb", inputs, ("probabilities",))
        else:
            with pytest.raises(ValueError):
                run_frozen(tmp_path / "out" / "frozen_graph.pb", inputs, ("probabilities",))


def test_an_export_that_answers_otherwise_leaves_nothing(classifier, tmp_path, monkeypatch):
    answer = export_savedmodel._answer

    def wrong_answer(path, inputs):
        return {name: np.roll(value, 1, axis=-1) for name, value in answer(path, inputs).items()}

    monkeypatch.setattr(export_savedmodel, "_answer", wrong_answer)
    with pytest.raises(UserError, match="does not answer as its source: largest difference"):
        exports.run(checkpoint=classifier, format="savedmodel", output_dir=tmp_path / "new" / "out")
    assert os.listdir(str(tmp_path / "new")) == []


def test_an_export_is_replaced_only_on_demand(classifier, tmp_path):
    flags = {"checkpoint": classifier, "output_dir": tmp_path / "out"}
    exports.run(format="savedmodel", **flags)
    with pytest.raises(UserError, match="holds an export already: --overwrite replaces it"):
        exports.run(format="frozen", **flags)
    exports.run(format="frozen", overwrite=True, **flags)
    assert sorted(os.listdir(str(tmp_path / "out"))) == [
        "MODEL_CARD.md", "export.json", "frozen_graph.pb", "vocab.txt"
    ]  # fmt: skip
    assert os.listdir(str(tmp_path)) == ["out"]


def test_what_others_put_into_a_folder_is_never_replaced(classifier, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(UserError, match="is not an export and is not empty: name another --output_dir"):
        exports.run(checkpoint=classifier, format="frozen", output_dir=tmp_path, overwrite=True)
    assert os.listdir(str(tmp_path)) == ["mine.txt"]


def test_an_empty_folder_is_taken(classifier, tmp_path):
    (tmp_path / "out").mkdir()
    exports.run(checkpoint=classifier, format="frozen", output_dir=tmp_path / "out")
    assert (tmp_path / "out" / "frozen_graph.pb").exists()


@pytest.mark.parametrize("place", ["file", "file/out"])
def test_a_folder_that_cannot_be_made_is_named(classifier, tmp_path, place):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(UserError, match="file"):
        exports.run(checkpoint=classifier, format="frozen", output_dir=tmp_path / place)
    assert os.listdir(str(tmp_path)) == ["file"]


@pytest.mark.parametrize(
    "flags, error, message",
    [
        (
            {"head": "masked_lm"},
            UserError,
            "has no masked-LM head, which fine-tuning leaves out: it can be exported with --head=encoder, classifier",
        ),
        ({"max_seq_length": 21}, UserError, "--max_seq_length=21 is over the model's 20 positions"),
        ({"format": "pytorch", "max_seq_length": 9}, UsageError, "means nothing to --format=pytorch"),
        ({"bert_config_file": "a", "albert_config_file": "b"}, UsageError, "not both"),
        ({"vocab_file": "none.txt"}, UserError, "none.txt"),
        ({"format": "tensorflow"}, UserError, "is not a folder of transformers"),
        ({"format": "tensorflow", "head": "encoder"}, UsageError, "--head means nothing to --format=tensorflow"),
    ],
)
def test_what_cannot_be_done_is_said(classifier, tmp_path, flags, error, message):
    values = dict({"checkpoint": classifier, "format": "frozen", "output_dir": tmp_path / "out"}, **flags)
    with pytest.raises(error, match=message):
        exports.run(**values)
    assert os.listdir(str(tmp_path)) == []


@pytest.mark.slow
def test_every_family_exports_a_classifier(tmp_path):
    folder = exports.write_classifier(tmp_path / "google", families.GOOGLE)
    exports.run(checkpoint=folder, format="savedmodel", output_dir=tmp_path / "out")
    assert read_description(tmp_path / "out")["family"] == "google"


def test_parity_counts_labels_and_measures_logarithms():
    source = {"probabilities": np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]])}
    export = {"probabilities": np.array([[0.25, 0.5, 0.25], [0.1, 0.8, 0.1]])}
    parity = compare_outputs(source, export)
    assert (parity.agreeing, parity.labels) == (1, 2)
    assert parity.difference == pytest.approx(np.log(2))
    assert parity.share == pytest.approx(np.log(2) / np.log(source["probabilities"]).std())


def test_parity_leaves_out_padding_of_outputs_for_each_token():
    random = np.random.RandomState(0)
    source = {"sequence_output": random.randn(2, 3, 4), "pooled_output": random.randn(2, 4)}
    mask = np.array([[1, 1, 0], [1, 0, 0]])
    export = {name: value.copy() for name, value in source.items()}
    export["sequence_output"][mask == 0] += 100.0
    assert compare_outputs(source, export, mask).share == 0.0 and compare_outputs(source, export).share > 10.0
    export["sequence_output"][1, 0] += 1.0
    assert compare_outputs(source, export, mask).difference == pytest.approx(1.0)
    labels = {"probabilities": np.full([2, 3, 4], 0.25)}
    assert compare_outputs(labels, labels, mask).labels == 3


@pytest.mark.parametrize(
    "tolerance, is_right",
    [
        (0.5, True),
        (0.3, False),
        (Tolerance(0.5), True),
        (Tolerance(0.5, rms=0.15), True),
        (Tolerance(0.5, rms=0.05), False),
    ],
)
def test_parity_is_judged_by_the_largest_difference_and_by_the_mean(tolerance, is_right):
    parity = Parity(difference=1.0, share=0.4, rms=0.1, agreeing=0, labels=0)
    if is_right:
        check_parity(parity, tolerance)
        return
    with pytest.raises(
        UserError, match="does not answer as its source: .* 4.0e-01 of the outputs' spread .rms 1.0e-01"
    ):
        check_parity(parity, tolerance)


@pytest.mark.parametrize(
    "export, message",
    [
        ({}, "missing"),
        ({"pooled_output": np.zeros([1, 2])}, r"of shape \(1, 2\)"),
        ({"pooled_output": np.array([[1.0, np.nan, 2.0]])}, "pooled_output"),
    ],
)
def test_parity_refuses_outputs_of_another_kind(export, message):
    with pytest.raises(UserError, match=message):
        compare_outputs({"pooled_output": np.zeros([1, 3])}, export)


def test_probe_inputs_hold_padding_and_both_segments():
    inputs = probe_inputs(vocab_size=50, seq_length=9)
    mask, segments = inputs["input_mask"], inputs["segment_ids"]
    assert all(value.shape == (11, 9) and value.dtype == np.int32 for value in inputs.values())
    assert inputs["input_ids"].max() < 50 and (mask[:, 0] == 1).all() and 0 < mask.mean() < 1
    assert set(np.unique(segments)) == {0, 1} and (segments <= mask).all()
    assert (np.diff(mask, axis=1) <= 0).all()


@pytest.mark.slow
def test_the_published_freeze_graph_command_works(tmp_path):
    config = tiny_model.write_config(tmp_path)
    records = tiny_model.write_pretraining_records(tmp_path / "a.tfrecord", 8)
    flags = run_pretraining.declare_flags()
    flags.parse(
        [
            "--input_file=" + records,
            "--output_dir={}".format(tmp_path / "out"),
            "--bert_config_file=" + config,
            "--do_train=True",
            "--train_batch_size=4",
            "--max_seq_length={}".format(tiny_model.SEQ_LENGTH),
            "--max_predictions_per_seq={}".format(tiny_model.PREDICTIONS),
            "--num_train_steps=1",
            "--num_warmup_steps=0",
        ]
    )
    run_pretraining.main(flags)
    prefix = str(tmp_path / "out" / "model.ckpt-1")
    frozen = tmp_path / "albert_tiny_zh.pb"
    subprocess.check_call(
        [
            sys.executable,
            "-m",
            "tensorflow.python.tools.freeze_graph",
            "--input_checkpoint=" + prefix,
            "--output_graph={}".format(frozen),
            "--output_node_names=cls/predictions/truediv",
            "--checkpoint_version=1",
            "--input_meta_graph={}.meta".format(prefix),
            "--input_binary=true",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    graph_def = tf.GraphDef()
    graph_def.ParseFromString(frozen.read_bytes())
    assert "cls/predictions/truediv" in {node.name for node in graph_def.node}
