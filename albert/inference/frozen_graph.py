"""Graphs that only answer: weights as constants, no variables, nothing to restore. Made, kept in a file, read back."""

from __future__ import annotations

import hashlib
import json
import logging
import os
from typing import Any, Callable, Dict, NamedTuple, Optional, Sequence

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints.model import CheckpointModel
from albert.checkpoints.values import restore_variables
from albert.files.complete import CompleteFile
from albert.model.outputs import INPUT_NAMES

_log = logging.getLogger(__name__)

OUTPUT = "answers"
_KEY = "made_from"  # a node that tells what the graph of a file was made from

# A model and its int32 inputs [B, S] by name -> what is asked of it.
Build = Callable[[CheckpointModel, Dict[str, Any]], Any]


class Recipe(NamedTuple):
    """What a graph is made from.

    Attributes:
      model: the checkpoint.
      build: makes the output.
      settings: what `build` was made with, fit for JSON; tells its graphs apart.
      inputs: names of the placeholders, all int32 [B, …] of rank 2.
    """

    model: CheckpointModel
    build: Build
    settings: Dict[str, Any]
    inputs: Sequence[str] = INPUT_NAMES


def freeze(recipe: Recipe) -> Any:
    """The GraphDef whose node OUTPUT holds the answers.

    Raises:
      UserError: the checkpoint cannot be read.
    """
    graph = tf.Graph()
    with graph.as_default(), tf.Session(graph=graph) as session:
        inputs = {name: tf.placeholder(tf.int32, [None, None], name) for name in recipe.inputs}
        tf.identity(recipe.build(recipe.model, inputs), OUTPUT)
        restore_variables(session, recipe.model.prefix)
        return tf.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), [OUTPUT])


def frozen(recipe: Recipe, graph_file: Optional[str] = None) -> Any:
    """The GraphDef of a recipe: from a file where that holds it, else made anew and kept there.

    Args:
      recipe: see `Recipe`.
      graph_file: where the graph is kept for the next start; one of other weights or settings is written over. None
        keeps it nowhere. A place that cannot be written costs time only.
    """
    if graph_file is None:
        return freeze(recipe)
    key = _key_of(recipe)
    graph_def = _read_kept(graph_file, key)
    if graph_def is None:
        graph_def = freeze(recipe)
        _keep(graph_def, graph_file, key)
    return graph_def


def read_graph(path: str) -> Any:
    """The GraphDef in a file.

    Raises:
      UserError: there is none.
    """
    graph_def = tf.GraphDef()
    try:
        with open(path, "rb") as file:
            graph_def.ParseFromString(file.read())
    except OSError as error:
        raise UserError("cannot read {}: {}".format(path, error.strerror)) from error
    except Exception as error:  # the error of the protobuf library, which is no part of TensorFlow's interface
        raise UserError("{} holds no graph: {}".format(path, error)) from error
    return graph_def


def _key_of(recipe: Recipe) -> str:
    """What changes with the weights, the settings or the TensorFlow that made the graph."""
    stamps = []
    for suffix in (".index", ".data-00000-of-00001"):
        path = recipe.model.prefix + suffix
        if os.path.exists(path):
            status = os.stat(path)
            stamps.append([os.path.abspath(path), status.st_size, status.st_mtime_ns])
    made_from = [tf.__version__, stamps, recipe.model.config.to_dict(), list(recipe.inputs), recipe.settings]
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode("utf-8")).hexdigest()


def _read_kept(path: str, key: str) -> Any:
    if not os.path.exists(path):
        return None
    graph_def = read_graph(path)
    kept = next((node for node in graph_def.node if node.name == _KEY), None)
    if kept is None:
        raise UserError("{} is no graph that was kept here: name another graph_file in args.py".format(path))
    if kept.attr["value"].tensor.string_val[0].decode("ascii") != key:
        return None
    graph_def.node.remove(kept)
    return graph_def


def _keep(graph_def: Any, path: str, key: str) -> None:
    kept = tf.GraphDef()
    kept.CopyFrom(graph_def)
    node = kept.node.add(name=_KEY, op="Const")
    node.attr["dtype"].type = tf.string.as_datatype_enum
    node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(key.encode("ascii")))
    try:
        with CompleteFile(path) as file:
            file.write(kept.SerializeToString())
    except UserError as error:
        _log.info("The graph is not kept for the next start: %s.", error)
