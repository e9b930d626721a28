"""The published implementations' outputs on tiny checkpoints, and the graph that they are compared with."""

import dataclasses
import json
import os
from typing import NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from albert.base.paths import ROOT
from albert.checkpoints import families
from albert.model import heads

FOLDER = os.path.join(ROOT, "tests", "fixtures")
FAMILY_OF = {
    "zh_postln": families.ZH,
    "zh_preln": families.ZH,
    "google_g1": families.GOOGLE,
    "google_g2": families.GOOGLE,
}


class PretrainingGraph(NamedTuple):
    """A model with both heads on placeholders."""

    model: object
    masked_lm: heads.MaskedLmOutput
    sentence_order: heads.ClassifierOutput
    total_loss: object
    feed: dict


def load(name):
    """The arrays of one fixture."""
    with np.load(os.path.join(FOLDER, name + ".npz")) as archive:
        return {key: archive[key] for key in archive.files}


def config_of(name, arrays):
    """The fixture's model configuration."""
    return FAMILY_OF[name].config_class.from_dict(json.loads(str(arrays["config"])))


def variables_of(arrays, prefix="var/"):
    """Arrays by checkpoint name."""
    return {key[len(prefix) :]: value for key, value in arrays.items() if key.startswith(prefix)}


def build(name, arrays, dynamic_shape=True, keeps_predictions_only=False):
    """Builds the fixture's model in the default graph; of the last layer all, or what is predicted from."""
    feed, inputs = {}, {}
    for key, value in variables_of(arrays, "in/").items():
        shape = [None] * value.ndim if dynamic_shape else value.shape
        inputs[key] = tf.placeholder(tf.as_dtype(value.dtype), shape, name=key)
        feed[inputs[key]] = value
    model = FAMILY_OF[name].model_class(
        config=config_of(name, arrays),
        is_training=False,
        input_ids=inputs["input_ids"],
        input_mask=inputs["input_mask"],
        token_type_ids=inputs["segment_ids"],
        scope="bert",
        kept_positions=inputs["masked_lm_positions"] if keeps_predictions_only else None,
    )
    masked_lm = heads.masked_lm(
        model, inputs["masked_lm_positions"], inputs["masked_lm_ids"], inputs["masked_lm_weights"]
    )
    sentence_order = heads.sentence_order(model, inputs["next_sentence_labels"])
    return PretrainingGraph(model, masked_lm, sentence_order, masked_lm.loss + sentence_order.loss, feed)


def set_variables(session, values):
    """Gives every trainable variable its value from a checkpoint, and fails where names or shapes differ."""
    variables = {variable.op.name: variable for variable in tf.trainable_variables()}
    assert {name: variable.shape.as_list() for name, variable in variables.items()} == {
        name: list(value.shape) for name, value in values.items()
    }
    # One run for all: each initializer takes the fed value in place of its own.
    feed = {variable.initializer.inputs[1]: values[name] for name, variable in variables.items()}
    session.run(tf.global_variables_initializer(), feed)


def build_encoder(name, **changes):
    """Builds the encoder of a fixture, with other values of its config, in the default graph."""
    config = dataclasses.replace(config_of(name, load(name)), **changes)
    return FAMILY_OF[name].model_class(config, False, tf.zeros([2, 3], tf.int32), scope="bert")
