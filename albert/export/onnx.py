"""ONNX model, by tf2onnx: any number of rows of ids in, the head's outputs out."""

from __future__ import annotations

import logging
import os
from typing import Any, Sequence

import tensorflow.compat.v1 as tf

from albert.export.format import FLOAT32_TOLERANCE, Request, Written
from albert.export.modules import required
from albert.export.onnx_int8 import with_int8_weights
from albert.export.parity import Tolerance
from albert.export.settings import INT8
from albert.inference.graph import InferenceGraph, head_recipe
from albert.inference.model_files import ONNX_FILE
from albert.model.outputs import INPUT_NAMES, SPANS, Arrays

# How far each type of the weights may change an output, as shares of the output's spread (see tflite.TOLERANCES).
_TOLERANCES = {"float32": Tolerance(FLOAT32_TOLERANCE), INT8: Tolerance(1.0, rms=0.1)}
_OPSET = 15  # the newest that the converters of both TensorFlows write and check
_AXES = ("batch", "length")  # names of the open axes of inputs and outputs
_SPAN_AXES = ("batch", "ends", "length")  # of the output that answers with spans
# All simplifications that this graph needs. BackToBackOptimizer is left out on purpose: it joins two reshapes although
# the shape of a third tensor is taken from the first.
_OPTIMIZERS = (
    "TransposeOptimizer",
    "ConstFoldOptimizer",
    "MergeDuplicatedNodesOptimizer",
    "ReshapeOptimizer",
    "IdentityOptimizer",
)


def write_onnx(request: Request, folder: str) -> Written:
    """Writes <folder>/model.onnx.

    Raises:
      UserError: the converter is not installed, or onnxruntime where it makes 8-bit weights.
    """
    path = os.path.join(folder, ONNX_FILE)
    with InferenceGraph(head_recipe(request.model, request.head, seq_length=request.seq_length)) as graph:
        model = _convert(graph.frozen(), request.head, request.outputs)
    if request.onnx_type == INT8:
        model = with_int8_weights(model)
    with open(path, "wb") as file:
        file.write(model.SerializeToString())
    return Written(
        answer=lambda inputs: _answer(path, inputs),
        tolerance=_TOLERANCES[request.onnx_type],
        opened_by="onnxruntime.InferenceSession('{{}}/{}')".format(ONNX_FILE),
    )


def _convert(graph_def: tf.GraphDef, head: str, output_names: Sequence[str]) -> Any:
    """Converts a frozen graph to a ModelProto."""
    converter, optimizer = (required("tf2onnx." + name) for name in ("tfonnx", "optimizer"))
    logging.getLogger("tf2onnx").setLevel(logging.ERROR)
    inputs, outputs = ([name + ":0" for name in names] for names in (INPUT_NAMES, output_names))
    with tf.Graph().as_default() as graph:
        tf.import_graph_def(graph_def, name="")
        onnx_graph = converter.process_tf_graph(
            graph,
            input_names=inputs,
            output_names=outputs,
            opset=_OPSET,
            tensors_to_rename={name: name[: -len(":0")] for name in inputs + outputs},
        )
        optimizers = {name: getattr(optimizer, name) for name in _OPTIMIZERS}
        model = optimizer.optimize_graph(onnx_graph, optimizers=optimizers).make_model("ALBERT, " + head)
    _name_axes(model.graph.input, _AXES)
    _name_axes(model.graph.output, _SPAN_AXES if head == SPANS else _AXES)
    return model


def _name_axes(values: Any, names: Sequence[str]) -> None:
    """Names the open axes of inputs or outputs of a graph."""
    for value in values:
        for name, dimension in zip(names, value.type.tensor_type.shape.dim):
            if not dimension.dim_value:
                dimension.dim_param = name


def _answer(path: str, inputs: Arrays) -> Arrays:
    """Computes the outputs in onnxruntime or, where that is not installed, in ONNX's own reference evaluator."""
    try:
        import onnxruntime
    except ImportError:
        session = required("onnx.reference").ReferenceEvaluator(path)
        names = list(session.output_names)
    else:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        names = [output.name for output in session.get_outputs()]
    return dict(zip(names, session.run(names, {name: inputs[name] for name in INPUT_NAMES})))
