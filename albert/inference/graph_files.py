"""Graph files: frozen graphs, SavedModels and kept graphs, read so that a file of others can only compute.

A graph is a program. TensorFlow's operations read and write files, open sockets and load libraries; those of an export
only compute. So a graph is checked against the list of the operations that exports have before TensorFlow gets it, and
of a SavedModel only what leads to the output is taken: none of its operations for saving and restoring is ever run.
"""

from __future__ import annotations

import hashlib
import logging
import os
from typing import Any, Callable, Dict, Iterable, Optional

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import tensorflow.compat.v1 as tf
from tensorflow.core.protobuf import saved_model_pb2

from albert.base.errors import UserError
from albert.files.complete import CompleteFile
from albert.files.literal_paths import literal_path

_log = logging.getLogger(__name__)

# What the graphs of all heads, families and poolings consist of.
OPERATIONS = frozenset(
    (
        "AddV2 BatchMatMulV2 BiasAdd Cast ConcatV2 Const ExpandDims GatherV2 Identity MatMul Max Maximum Mean Mul Pack "
        "Pad Placeholder Range RealDiv Relu Reshape Rsqrt Shape Sigmoid Softmax Square SquaredDifference StopGradient "
        "StridedSlice Sub Sum Tanh Transpose ZerosLike"
    ).split()
)
# Of a SavedModel: variables of both kinds, and what reads them.
_OF_VARIABLES = ("VariableV2", "VarHandleOp", "ReadVariableOp", "ResourceGather")
_ASSIGNMENTS: Dict[str, Callable[[Any, Any], Any]] = {
    "VariableV2": lambda variable, value: tf.raw_ops.Assign(ref=variable, value=value),
    "VarHandleOp": lambda variable, value: tf.raw_ops.AssignVariableOp(resource=variable, value=value),
}
# What TensorFlow raises where a graph or its weights cannot be used.
_ERRORS_OF_GRAPHS = (OSError, ValueError, TypeError, KeyError, RuntimeError, AssertionError, tf.errors.OpError)
_SAVEDMODEL_FILE = "saved_model.pb"
_MOST_BYTES = (1 << 31) - 1  # of a protocol buffer, and of a constant in it

_KEPT_MARK = b"albert-zh graph 1\n"  # begins a kept graph; two lines follow, the key and the SHA-256 of the rest
_KEY_OF_OLD_FORMAT = b"made_from"  # a node of the graphs that earlier versions kept


def read_graph(path: str) -> tf.GraphDef:
    """Reads the GraphDef in a file.

    Raises:
      UserError: there is none, or it holds an operation that no export has.
    """
    return check_graph(_parse(tf.GraphDef(), _read(path), path, "graph"), path)


def read_savedmodel(folder: str, output: str) -> tf.GraphDef:
    """Reads what leads to an output of a SavedModel, as a GraphDef in which the weights are constants.

    Args:
      folder: holds saved_model.pb and variables/.
      output: name of the node.

    Raises:
      UserError: it cannot be read, lacks the output or a weight, or needs an operation that no export has.
    """
    path = os.path.join(folder, _SAVEDMODEL_FILE)
    saved = _parse(saved_model_pb2.SavedModel(), _read(path), path, "SavedModel")
    serving = {tf.saved_model.tag_constants.SERVING}
    meta = next((meta for meta in saved.meta_graphs if set(meta.meta_info_def.tags) == serving), None)
    if meta is None:
        raise UserError("the SavedModel {} has no graph for serving".format(folder))
    try:
        graph_def = tf.graph_util.extract_sub_graph(meta.graph_def, [output])
    except (AssertionError, KeyError, ValueError) as error:
        raise UserError("the SavedModel {} has no output {}".format(folder, output)) from error
    graph_def.library.CopyFrom(meta.graph_def.library)
    check_graph(graph_def, path, also=_OF_VARIABLES)
    try:
        return _with_weights(graph_def, meta.meta_info_def.stripped_op_list, folder, output)
    except _ERRORS_OF_GRAPHS as error:
        raise UserError("cannot read the SavedModel {}: {}".format(folder, first_line(error))) from error


def _with_weights(graph_def: tf.GraphDef, known: Any, folder: str, output: str) -> tf.GraphDef:
    """Returns the graph with its variables as constants; their values are read here, not by the graph."""
    reader = tf.train.load_checkpoint(literal_path(os.path.join(folder, "variables", "variables")))
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        tf.import_graph_def(graph_def, name="", producer_op_list=known)
        for node in graph_def.node:
            if node.op in _ASSIGNMENTS:
                tensor = graph.get_tensor_by_name(node.name + ":0")
                value = reader.get_tensor(node.attr["shared_name"].s.decode("utf-8") or node.name)
                placeholder = tf.placeholder(value.dtype, value.shape)
                session.run(_ASSIGNMENTS[node.op](tensor, placeholder), {placeholder: value})
                if node.op == "VarHandleOp":
                    _read_as_converter_does(graph, node.name, tensor, value.dtype)
        return tf.graph_util.convert_variables_to_constants(session, graph.as_graph_def(), [output])


def _read_as_converter_does(graph: tf.Graph, name: str, variable: Any, dtype: Any) -> None:
    """Adds the operation by which TensorFlow's conversion to constants reads a variable, where the graph lacks it."""
    reading = name + "/Read/ReadVariableOp"
    if reading not in {operation.name for operation in graph.get_operations()}:
        tf.raw_ops.ReadVariableOp(resource=variable, dtype=dtype, name=reading)


def check_graph(graph_def: tf.GraphDef, path: str, also: Iterable[str] = ()) -> tf.GraphDef:
    """Checks that a graph, functions of its library included, only computes; returns it.

    Args:
      graph_def: the graph.
      path: its file, for messages.
      also: operations that are allowed beside OPERATIONS.

    Raises:
      UserError: it holds an operation that no export has, or a constant larger than its file.
    """
    allowed = OPERATIONS.union(also)
    inside = [node for function in graph_def.library.function for node in function.node_def]
    for node in list(graph_def.node) + inside:
        if node.op not in allowed:
            raise UserError(
                "{} holds the operation {} ({}), which no export has: a graph is a program, and this one was not run; "
                "export the model again".format(path, node.op, node.name)
            )
        if node.op == "Const" and _constant_bytes(node) > _MOST_BYTES:
            raise UserError(
                "{} holds the constant {} of more than {:,} bytes, which no export has: it was not run".format(
                    path, node.name, _MOST_BYTES
                )
            )
    return graph_def


def _constant_bytes(node: Any) -> int:
    tensor = node.attr["value"].tensor
    num_values = 1
    for dim in tensor.tensor_shape.dim:
        num_values *= max(1, abs(dim.size))
    return num_values * 4


def kept_graph(path: str, key: str, make: Callable[[], tf.GraphDef]) -> tf.GraphDef:
    """Returns the graph that a file keeps; makes it, and keeps it there, where the file is not whole or of another key.

    Args:
      path: the file. Where it cannot be written, only time is lost.
      key: what the graph is made from: letters and digits.
      make: makes the graph.

    Raises:
      UserError: the file is something else than a kept graph, or an error of `make`.
    """
    graph_def = _read_kept(path, key)
    if graph_def is None:
        graph_def = make()
        _keep(graph_def, path, key)
    return graph_def


def _read_kept(path: str, key: str) -> Optional[tf.GraphDef]:
    """Returns the graph in a file; None where there is none that is whole and of this key."""
    if not os.path.exists(path):
        return None
    content = _read(path)
    mark, _, rest = content.partition(b"\n")
    if mark + b"\n" != _KEPT_MARK:
        if not content or _KEPT_MARK.startswith(content) or _KEY_OF_OLD_FORMAT in content:
            return None
        raise UserError("{} is not a graph that similarity.py kept: name another graph_file in args.py".format(path))
    kept_key, _, rest = rest.partition(b"\n")
    digest, _, graph = rest.partition(b"\n")
    if kept_key != key.encode("ascii") or digest != _digest(graph):
        return None
    return check_graph(_parse(tf.GraphDef(), graph, path, "graph"), path)


def _digest(content: bytes) -> bytes:
    return hashlib.sha256(content).hexdigest().encode("ascii")


def _keep(graph_def: tf.GraphDef, path: str, key: str) -> None:
    graph = graph_def.SerializeToString()
    try:
        with CompleteFile(path) as file:
            file.write(_KEPT_MARK + key.encode("ascii") + b"\n" + _digest(graph) + b"\n")
            file.write(graph)
    except UserError as error:
        _log.info("The graph is not kept for the next start: %s.", error)


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise UserError("cannot read {}: {}".format(path, error.strerror)) from error


def _parse(message: Any, content: bytes, path: str, kind: str) -> Any:
    try:
        message.ParseFromString(content)
    except Exception as error:  # the error of the protobuf library, which is not part of TensorFlow's interface
        raise UserError("{} holds no {}: {}".format(path, kind, first_line(error))) from error
    return message


def first_line(error: BaseException) -> str:
    """The first line of an error's message."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
