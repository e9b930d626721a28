"""A SavedModel with one signature over raw ids, and a frozen graph: TensorFlow's own formats."""

from __future__ import annotations

import os
from typing import Any, Dict

import numpy as np
import tensorflow.compat.v1 as tf

from export_graph import INPUT_NAMES, Arrays, InferenceGraph

# TensorFlow Serving takes the parent folder and looks for versions, which are numbers.
VERSION_FOLDER = "1"
FROZEN_FILE = "frozen_graph.pb"


def write_savedmodel(folder: str, graph: InferenceGraph) -> None:
    """Writes <folder>/1 with the signature serving_default: int32 ids in, the head's outputs out."""
    path = os.path.join(folder, VERSION_FOLDER)
    with graph.session.graph.as_default():
        tf.saved_model.simple_save(graph.session, path, inputs=graph.inputs, outputs=graph.outputs)


def read_savedmodel(folder: str, inputs: Arrays) -> Arrays:
    """What the SavedModel answers by its signature, loaded into a session of its own."""
    with tf.Graph().as_default(), tf.Session() as session:
        path = os.path.join(folder, VERSION_FOLDER)
        meta_graph = tf.saved_model.loader.load(session, [tf.saved_model.tag_constants.SERVING], path)
        key = tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
        signature = meta_graph.signature_def[key]
        fetches = {name: tensor.name for name, tensor in signature.outputs.items()}
        return session.run(fetches, {signature.inputs[name].name: inputs[name] for name in INPUT_NAMES})


def write_frozen(folder: str, graph: InferenceGraph) -> None:
    """Writes the graph with its weights as constants."""
    with open(os.path.join(folder, FROZEN_FILE), "wb") as file:
        file.write(graph.frozen().SerializeToString())


def read_frozen(folder: str, inputs: Arrays, output_names: Any) -> Arrays:
    """What the frozen graph answers, imported into a session of its own."""
    graph_def = tf.GraphDef()
    with open(os.path.join(folder, FROZEN_FILE), "rb") as file:
        graph_def.ParseFromString(file.read())
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        tf.import_graph_def(graph_def, name="")
        fetches: Dict[str, str] = {name: name + ":0" for name in output_names}
        feed: Dict[str, np.ndarray] = {name + ":0": inputs[name] for name in INPUT_NAMES}
        return session.run(fetches, feed)
