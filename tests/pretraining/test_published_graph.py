"""The graph in a pre-training checkpoint's .meta file: published names, the published loss, the published commands."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf
from tensorflow.python.tools import freeze_graph

from albert.checkpoints.values import write_values
from albert.pretraining import published_graph
from tests.support import model_fixtures

NAMES = "input_ids input_mask segment_ids masked_lm_positions masked_lm_ids masked_lm_weights".split()
LOSS = "cls/predictions/truediv"


def write_checkpoint(folder, name):
    """A fixture as a checkpoint with its graph; returns its prefix and the fixture's arrays."""
    arrays = model_fixtures.load(name)
    prefix = str(folder / "albert_model.ckpt")
    write_values(model_fixtures.variables_of(arrays), prefix)
    family, config = model_fixtures.FAMILY_OF[name], model_fixtures.config_of(name, arrays)
    published_graph.write_graph(prefix, published_graph.published_graph(family, config))
    return prefix, arrays


@pytest.mark.parametrize(
    "name", ["zh_postln", "google_g1", *(pytest.param(n, marks=pytest.mark.slow) for n in ("zh_preln", "google_g2"))]
)
def test_the_graph_takes_the_published_inputs_and_gives_the_published_loss(tmp_path, name):
    prefix, arrays = write_checkpoint(tmp_path, name)
    with tf.Graph().as_default() as graph, tf.Session() as session:
        saver = tf.train.import_meta_graph(prefix + ".meta")
        saver.restore(session, prefix)
        placeholders = {op.name: op.outputs[0].dtype for op in graph.get_operations() if op.type == "Placeholder"}
        feed = {key + ":0": arrays["in/" + key] for key in NAMES}
        np.testing.assert_allclose(session.run(LOSS + ":0", feed), arrays["out/masked_lm_loss"], rtol=2e-6)
    expected = dict.fromkeys(NAMES + ["next_sentence_labels"], tf.int32)
    assert placeholders == dict(expected, masked_lm_weights=tf.float32)


def test_the_weights_are_variables_that_tensorflow_1_15_knows(tmp_path):
    prefix, _ = write_checkpoint(tmp_path, "zh_postln")
    graph = tf.MetaGraphDef()
    with open(prefix + ".meta", "rb") as file:
        graph.ParseFromString(file.read())
    assert {node.op for node in graph.graph_def.node if "Var" in node.op} == {"VariableV2"}


def test_every_checkpoint_and_the_best_one_get_it(tmp_path):
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "model.ckpt-4.index").write_bytes(b"")
    published_graph.PublishedGraphListener(str(tmp_path), b"graph").after_save(None, 7)
    published_graph.write_graph_of_best(str(tmp_path), b"best")
    assert (tmp_path / "model.ckpt-7.meta").read_bytes() == b"graph"
    assert (tmp_path / "best" / "model.ckpt-4.meta").read_bytes() == b"best"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zh_postln", "google_g2"])
def test_the_published_freeze_graph_and_tflite_convert_work(tmp_path, name):
    prefix, arrays = write_checkpoint(tmp_path, name)
    frozen = str(tmp_path / "albert_tiny_zh.pb")
    with tf.Graph().as_default():
        freeze_graph.freeze_graph(
            input_graph=None, input_saver=None, input_binary=True, input_checkpoint=prefix, output_node_names=LOSS,
            restore_op_name=None, filename_tensor_name=None, output_graph=frozen, clear_devices=True,
            initializer_nodes="", input_meta_graph=prefix + ".meta", checkpoint_version=1,
        )  # fmt: skip
    shapes = {key: [1, *arrays["in/" + key].shape[1:]] for key in NAMES}
    with pytest.raises(ValueError, match="Shapes must be equal rank, but are 2 and 1"):  # as the document has it
        tf.lite.TFLiteConverter.from_frozen_graph(frozen, NAMES, [LOSS], dict(shapes, segment_ids=[24]))
    converter = tf.lite.TFLiteConverter.from_frozen_graph(frozen, NAMES, [LOSS], shapes)
    interpreter = tf.lite.Interpreter(model_content=converter.convert())
    interpreter.allocate_tensors()
    for tensor in interpreter.get_input_details():
        value = arrays["in/" + tensor["name"].split(":")[0]][:1]
        interpreter.set_tensor(tensor["index"], value.astype(tensor["dtype"]))
    interpreter.invoke()
    loss = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
    weights = arrays["in/masked_lm_weights"]
    example_loss = arrays["out/masked_lm_example_loss"].reshape(weights.shape)
    expected = (weights * example_loss)[0].sum() / (weights[0].sum() + 1e-5)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
