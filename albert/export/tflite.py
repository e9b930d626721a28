"""TFLite model: one row of ids in, the head's outputs out."""

from __future__ import annotations

import os
import shutil
import sys
from typing import Any, Callable, Dict, Sequence

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.base.terminal import silence
from albert.export.channel_scales import with_channel_scales
from albert.export.format import FLOAT32_TOLERANCE, Request, Written
from albert.export.parity import Tolerance, by_row
from albert.export.settings import FLOAT16, FLOAT32, INT8
from albert.inference.graph import freeze, head_recipe
from albert.inference.model_files import TFLITE_FILE
from albert.model.outputs import INPUT_NAMES, Arrays

# Types of the weights, and how far each may change an output, as shares of the output's spread. int8 is the dynamic
# range: weights in 8 bits with a scale for each channel, everything else in float32. Its errors are many and small, so
# that their mean says more than the largest.
TOLERANCES = {FLOAT32: Tolerance(FLOAT32_TOLERANCE), FLOAT16: Tolerance(0.03), INT8: Tolerance(1.0, rms=0.1)}
_OLD_CONVERTER_PROGRAM = "toco_from_protos"  # TensorFlow 1.15 runs it


def write_tflite(request: Request, folder: str) -> Written:
    """Writes <folder>/model.tflite.

    Raises:
      UserError: the converter is missing, does not take the length, or fails.
    """
    is_old = tf.__version__.startswith("1.")
    if is_old and request.seq_length is None:
        raise UserError(
            "the converter of TensorFlow {} takes no open length: name one with --max_seq_length, or export with "
            "TensorFlow 2.15".format(tf.__version__)
        )
    if is_old:
        _put_converter_on_path()
    path = os.path.join(folder, TFLITE_FILE)
    content = _convert(request)
    with open(path, "wb") as file:
        file.write(content)
    return Written(
        answer=_reader(content, request.outputs),
        tolerance=TOLERANCES[request.tflite_type],
        opened_by="tf.lite.Interpreter('{{}}/{}') or ai_edge_litert".format(TFLITE_FILE),
    )


def _put_converter_on_path() -> None:
    folders = [os.path.dirname(sys.executable), os.environ.get("PATH", "")]
    path = os.pathsep.join(folders)
    if shutil.which(_OLD_CONVERTER_PROGRAM, path=path) is None:
        raise UserError(
            "the program {} of TensorFlow {} is not on the PATH: activate its environment".format(
                _OLD_CONVERTER_PROGRAM, tf.__version__
            )
        )
    os.environ["PATH"] = path


def _convert(request: Request) -> bytes:
    graph_def = freeze(head_recipe(request.model, request.head, batch_size=1, seq_length=request.seq_length))
    if request.tflite_type == INT8:
        graph_def = with_channel_scales(graph_def)
    with tf.Graph().as_default() as graph, tf.Session(graph=graph) as session:
        tf.import_graph_def(graph_def, name="")
        inputs, outputs = (
            [graph.get_tensor_by_name(name + ":0") for name in names] for names in (INPUT_NAMES, request.outputs)
        )
        converter = tf.lite.TFLiteConverter.from_session(session, inputs, outputs)
    if request.tflite_type != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if request.tflite_type == "float16":
        converter.target_spec.supported_types = [tf.float16]
    try:
        with silence():
            return converter.convert()
    except Exception as error:  # the converters of both versions have errors of their own
        reason = str(error).strip().splitlines()[-1]
        raise UserError(
            "TensorFlow {} cannot convert this model to TFLite: {}".format(tf.__version__, reason)
        ) from error


def _reader(content: bytes, names: Sequence[str]) -> Callable[[Arrays], Arrays]:
    """Returns a function that answers rows of one length in TensorFlow's own interpreter."""
    with silence():
        interpreter = tf.lite.Interpreter(model_content=content)
    inputs = {_node(tensor): tensor["index"] for tensor in interpreter.get_input_details()}
    missing = sorted(set(names) - {_node(tensor) for tensor in interpreter.get_output_details()})
    if missing:
        raise UserError("the export is wrong: it has no output {}".format(missing[0]))

    def answer(row: Arrays) -> Arrays:
        for name, index in inputs.items():
            interpreter.resize_tensor_input(index, list(row[name].shape))
        with silence():
            interpreter.allocate_tensors()
        for name, index in inputs.items():
            interpreter.set_tensor(index, row[name])
        interpreter.invoke()
        outputs = {_node(tensor): tensor["index"] for tensor in interpreter.get_output_details()}
        return {name: interpreter.get_tensor(outputs[name]) for name in names}

    return by_row(answer)


def _node(tensor: Dict[str, Any]) -> str:
    return tensor["name"].split(":")[0]
