"""Graphs whose weights have channels of one size answer as before."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.checkpoints.model import open_checkpoint
from albert.export.channel_scales import with_channel_scales
from albert.inference.graph import InferenceGraph, head_recipe
from albert.model.outputs import HEADS
from tests.support import exports


def weights_in(graph_def):
    """The large matrices that are constants, by name."""
    arrays = {node.name: tf.make_ndarray(node.attr["value"].tensor) for node in graph_def.node if node.op == "Const"}
    return {name: value for name, value in arrays.items() if value.ndim == 2 and value.size >= 1024}


@pytest.mark.parametrize("name", ["zh_postln", "google_g1"])
def test_a_scaled_graph_answers_the_same_with_channels_of_one_size(published, name):
    inputs, outputs = exports.inputs_of(name), HEADS["pretraining"].outputs
    with InferenceGraph(head_recipe(open_checkpoint(published[name]), "pretraining")) as graph:
        expected, frozen = graph.answer(inputs), graph.frozen()
    scaled = with_channel_scales(frozen)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.import_graph_def(scaled, name="")
        feed = {key + ":0": value for key, value in inputs.items()}
        answers = session.run({key: key + ":0" for key in outputs}, feed)
    for key, value in expected.items():
        np.testing.assert_allclose(np.log(answers[key]), np.log(value), atol=1e-4)
    before, after = weights_in(frozen), weights_in(scaled)
    changed = [key for key in before if not np.array_equal(before[key], after[key])]
    assert "bert/embeddings/word_embeddings" in changed and len([key for key in changed if "kernel" in key]) >= 7
    for key in changed:
        largest = [np.abs(after[key]).max(axis=axis) for axis in (0, 1)]
        assert any(np.allclose(values, 1.0) for values in largest)
    assert sorted(key for key in after if not key.startswith("channel_scales/")) == sorted(before)
