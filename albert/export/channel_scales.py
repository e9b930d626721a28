"""One scale per channel for 8-bit weights, written into the graph: y = (x · W/s) · s.

The converters of both TensorFlows give a weight one scale for all its channels, so the largest channel decides how
coarse the others are. Here every channel of a kernel, and every row of a table, is divided by its largest value before
the conversion, and the outputs are multiplied by it again. Any interpreter runs it; it costs a product for each output.
"""

from __future__ import annotations

from typing import Any, Dict, Optional, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from albert.model.outputs import INPUT_NAMES

_LEAST_VALUES = 1024  # of a weight that the converters turn into 8 bits
_LEAST_SCALE = 1e-12  # of a channel of zeros
_GATHERS = ("Gather", "GatherV2")
_SCOPE = "channel_scales/"


def with_channel_scales(graph_def: tf.GraphDef) -> tf.GraphDef:
    """Returns a frozen graph that answers the same, whose large weights have channels of the same size.

    Args:
      graph_def: has the placeholder input_mask, and constants for weights.
    """
    return _Rewriter(graph_def).rewritten()


class _Rewriter:
    """Copy of a graph in which weights are scaled, each once."""

    def __init__(self, graph_def: tf.GraphDef) -> None:
        self._source = {node.name: node for node in graph_def.node}
        self._graph = tf.GraphDef()
        self._graph.CopyFrom(graph_def)
        self._nodes = {node.name: node for node in self._graph.node}
        self._scaled: Dict[str, Tuple[int, str]] = {}  # name of a weight -> axis of its channels, node of their scales

    def rewritten(self) -> tf.GraphDef:
        """Returns the graph."""
        self._add_zero()
        for node in self._source.values():
            if node.op == "MatMul":
                weight = self._weight(node.input[1])
                if weight is not None:
                    self._scale_product(node, weight, channel_axis=0 if node.attr["transpose_b"].b else 1)
            elif node.op in _GATHERS:
                weight = self._weight(node.input[0])
                if weight is not None:
                    self._scale_rows(node, weight)
        return self._graph

    def _weight(self, name: str) -> Optional[Any]:
        """Returns the constant that a node stands for if it is a large matrix, else None."""
        node = self._source[name.split(":")[0]]
        while node.op == "Identity":
            node = self._source[node.input[0].split(":")[0]]
        if node.op != "Const" or node.attr["dtype"].type != tf.float32.as_datatype_enum:
            return None
        sizes = [dim.size for dim in node.attr["value"].tensor.tensor_shape.dim]
        return node if len(sizes) == 2 and sizes[0] * sizes[1] >= _LEAST_VALUES else None

    def _scale_product(self, node: Any, weight: Any, channel_axis: int) -> None:
        axis, scales = self._scales_of(weight, channel_axis)
        if axis == channel_axis:  # x · W = (x · W/s) · s
            self._multiply_output(node, scales)
        else:  # the weight is scaled along its inputs, for its other use: x · W = (x · s) · W/s
            product = self._add(node.name + "/scaled", "Mul", scales, node.input[0])
            self._nodes[node.name].input[0] = product

    def _scale_rows(self, node: Any, table: Any) -> None:
        axis, scales = self._scales_of(table, channel_axis=0)
        if axis == 0:
            column = self._add_reshaped(scales)
            gathered = self._graph.node.add()
            gathered.CopyFrom(node)
            gathered.name = node.name + "/scales"
            gathered.input[0] = column
            self._multiply_output(node, gathered.name)
        else:  # the table is scaled along its width
            self._multiply_output(node, scales)

    def _scales_of(self, weight: Any, channel_axis: int) -> Tuple[int, str]:
        """Scales a weight where that is not done yet; returns the axis of its channels and the node of their scales."""
        if weight.name not in self._scaled:
            values = tf.make_ndarray(weight.attr["value"].tensor)
            scales = np.maximum(np.abs(values).max(axis=1 - channel_axis, keepdims=True), _LEAST_SCALE)
            scales = scales.astype(np.float32)
            tensor = tf.make_tensor_proto((values / scales).astype(np.float32))
            self._nodes[weight.name].attr["value"].tensor.CopyFrom(tensor)
            constant = self._add_constant(weight.name + "/constant", scales.reshape(-1))
            # The maximum with a zero that comes from the inputs: a converter would multiply constants into the weight.
            name = self._add(_SCOPE + weight.name, "Maximum", constant, _SCOPE + "zero")
            self._scaled[weight.name] = (channel_axis, name)
        return self._scaled[weight.name]

    def _multiply_output(self, node: Any, scales: str) -> None:
        """Gives the name of a node to its product with scales."""
        self._nodes[node.name].name = node.name + "/unscaled"
        # The scales first: converters look for a product of a dense layer and something, in this order.
        self._add(node.name, "Mul", scales, node.name + "/unscaled")

    def _add_zero(self) -> None:
        """Adds a zero that a converter cannot know: the mask is never below."""
        cast = self._add(_SCOPE + "mask", "Cast", INPUT_NAMES[1])
        for key, dtype in (("SrcT", tf.int32), ("DstT", tf.float32)):
            self._nodes[cast].attr[key].type = dtype.as_datatype_enum
        del self._nodes[cast].attr["T"]
        axes = self._add_constant("axes", np.array([0, 1], np.int32))
        largest = self._add(_SCOPE + "largest", "Max", cast, axes)
        self._nodes[largest].attr["Tidx"].type = tf.int32.as_datatype_enum
        self._nodes[largest].attr["keep_dims"].b = False
        self._add(_SCOPE + "zero", "Minimum", largest, self._add_constant("zero_constant", np.zeros([], np.float32)))

    def _add_reshaped(self, scales: str) -> str:
        """Adds the scales of rows as a column [V, 1], once."""
        name = scales + "/column"
        if name not in self._nodes:
            shape = self._add_constant(name + "/shape", np.array([-1, 1], np.int32))
            self._add(name, "Reshape", scales, shape)
            self._nodes[name].attr["Tshape"].type = tf.int32.as_datatype_enum
        return name

    def _add_constant(self, name: str, value: np.ndarray) -> str:
        node = self._graph.node.add(name=_SCOPE + name, op="Const")
        tensor = tf.make_tensor_proto(value)
        node.attr["value"].tensor.CopyFrom(tensor)
        node.attr["dtype"].type = tensor.dtype
        return node.name

    def _add(self, name: str, op: str, *inputs: str) -> str:
        node = self._graph.node.add(name=name, op=op)
        node.input.extend(inputs)
        node.attr["T"].type = tf.float32.as_datatype_enum
        self._nodes[name] = node
        return name
