"""The graph of a head, which computes only what the head needs, against the whole model."""

import json
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.checkpoints import families
from albert.checkpoints.families import build_encoder
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.values import restore_variables
from albert.export.parity import probe_inputs
from albert.inference.graph import InferenceGraph, head_recipe
from albert.model import heads
from tests.support import exports
from tests.support.marks import slow


def write_model(folder, family, use_pooled_output=True, **sizes):
    """A model folder as run_classifier leaves it; returns what is in it."""
    path = exports.write_classifier(folder, family, **sizes)
    description = os.path.join(path, "task.json")
    with open(description, encoding="utf-8") as file:
        values = json.load(file)
    with open(description, "w", encoding="utf-8") as file:
        json.dump(dict(values, use_pooled_output=use_pooled_output), file)
    return open_checkpoint(path)


def whole_model_answers(model, inputs):
    """What the head answers on an encoder that computes its last layer for every token."""
    with tf.Graph().as_default(), tf.Session() as session:
        tensors = {name: tf.constant(value) for name, value in inputs.items()}
        encoder = build_encoder(model.family, model.config, tensors, is_training=False)
        output = heads.classifier(encoder, model.num_labels, False, None, model.use_pooled_output)
        restore_variables(session, model.prefix)
        assert encoder.get_sequence_output().shape.as_list()[1] == inputs["input_ids"].shape[1]
        return session.run(tf.nn.softmax(output.logits))


@pytest.mark.parametrize(
    "family, sizes, use_pooled_output",
    [
        (families.ZH, {}, True),
        slow(families.ZH, {"ln_type": "preln"}, True),
        slow(families.ZH, {}, False),
        slow(families.GOOGLE, {"num_hidden_groups": 2, "inner_group_num": 2}, True),
        (families.GOOGLE, {}, False),
    ],
)
def test_a_classifier_answers_as_on_the_whole_model(tmp_path, family, sizes, use_pooled_output):
    model = write_model(tmp_path / "m", family, use_pooled_output, **sizes)
    inputs = probe_inputs(model.config.vocab_size, 13)
    expected = whole_model_answers(model, inputs)
    assert expected.std(axis=0).min() > 1e-3
    for shape in ({}, {"seq_length": 13}):
        with InferenceGraph(head_recipe(model, "classifier", **shape)) as graph:
            np.testing.assert_allclose(graph.answer(inputs)["probabilities"], expected, atol=1e-6)


@pytest.mark.parametrize("family", [families.ZH, slow(families.GOOGLE)])
def test_the_last_layer_of_a_pooled_classifier_computes_the_first_token_alone(tmp_path, family):
    """Feed-forward products: two over all tokens in the first layer, two over one token a row in the last."""
    model = write_model(tmp_path / "m", family)
    assert rows_of_products(model, 13) == [13, 13, 1, 1]
    model = write_model(tmp_path / "mean", family, use_pooled_output=False)
    assert rows_of_products(model, 13) == [13, 13, 13, 13]


def rows_of_products(model, seq_length):
    """The rows of each product into or out of the intermediate width, in the graph's order, for one row of input."""
    with InferenceGraph(head_recipe(model, "classifier", batch_size=1, seq_length=seq_length)) as graph:
        shapes = [
            [tensor.shape.as_list() for tensor in operation.inputs]
            for operation in graph.session.graph.get_operations()
            if operation.type == "MatMul"
        ]
    width = model.config.intermediate_size
    return [left[0] for left, right in shapes if width in right]
