"""SavedModel with one signature over raw ids, for TensorFlow Serving and every TensorFlow."""

from __future__ import annotations

import os

import tensorflow.compat.v1 as tf

from albert.export.format import FLOAT32_TOLERANCE, Request, Written
from albert.files.literal_paths import literal_path
from albert.inference.graph import InferenceGraph, head_recipe
from albert.inference.model_files import VERSION_FOLDER
from albert.model.outputs import INPUT_NAMES, Arrays

_SIGNATURE = tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY


def write_savedmodel(request: Request, folder: str) -> Written:
    """Writes <folder>/1 with the signature serving_default: int32 ids in, the head's outputs out."""
    path = os.path.join(folder, VERSION_FOLDER)
    with InferenceGraph(head_recipe(request.model, request.head, seq_length=request.seq_length)) as graph:
        graph.save(path)
    return Written(
        answer=lambda inputs: _answer(path, inputs),
        tolerance=FLOAT32_TOLERANCE,
        opened_by="tensorflow_model_server --model_base_path={{}}, or tf.saved_model.load('{{}}/{}')".format(
            VERSION_FOLDER
        ),
    )


def _answer(path: str, inputs: Arrays) -> Arrays:
    with tf.Graph().as_default(), tf.Session() as session:
        meta_graph = tf.saved_model.loader.load(session, [tf.saved_model.tag_constants.SERVING], literal_path(path))
        signature = meta_graph.signature_def[_SIGNATURE]
        fetches = {name: tensor.name for name, tensor in signature.outputs.items()}
        return session.run(fetches, {signature.inputs[name].name: inputs[name] for name in INPUT_NAMES})
