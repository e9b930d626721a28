"""8-bit weights for ONNX: what costs accuracy keeps its scale for each row or channel, or its float32 products.

Tables are kept in 8 bits with a scale for each row. Products are computed in 8 bits, weights with a scale for each
channel, inputs with a range that is found at each call. One kind is not: the product that follows the activation of a
feed-forward layer, whose few large inputs leave too little of a range for the others. It keeps 8-bit weights and
computes in float32.
"""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
from pathlib import Path
from typing import Any, Dict, Iterator, List, Tuple

import numpy as np

from albert.export.modules import required

_LEAST_VALUES = 1024  # of a weight that is worth it
_LEAST_SCALE = 1e-12  # of a row of zeros
_LARGEST = 127
_FLOAT_PRODUCT = "/output/dense/"  # part of the names of the products that stay in float32
_ATTENTION_OUTPUT = "/attention/output/"  # whose inputs are no activations


def with_int8_weights(model: Any) -> Any:
    """Returns a ModelProto that answers nearly the same with 8-bit weights.

    Raises:
      UserError: onnxruntime, which quantises, is not installed.
    """
    quantization = required("onnxruntime.quantization")
    rewriter = _Rewriter(model)
    rewriter.compress_tables()
    rewriter.compress_float_products()
    with tempfile.TemporaryDirectory() as folder, _quiet():
        source, target = (os.path.join(folder, name) for name in ("float.onnx", "int8.onnx"))
        onnx = required("onnx")
        onnx.save(model, source)
        quantization.quantize_dynamic(
            Path(source),
            Path(target),
            op_types_to_quantize=["MatMul"],
            per_channel=True,
            # Unsigned: products of signed weights overflow 16 bits on processors without VNNI.
            weight_type=quantization.QuantType.QUInt8,
            nodes_to_exclude=rewriter.float_products,
        )
        return onnx.load(target)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps advice to developers of the library off the screen."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


class _Rewriter:
    """Graph in which weights become 8 bits with scales."""

    def __init__(self, model: Any) -> None:
        self._graph = model.graph
        self._weights = {tensor.name: tensor for tensor in self._graph.initializer}
        self._numpy, self._helper = required("onnx.numpy_helper"), required("onnx.helper")
        self.float_products = [
            node.name
            for node in self._graph.node
            if node.op_type == "MatMul" and _FLOAT_PRODUCT in node.name and _ATTENTION_OUTPUT not in node.name
        ]

    def compress_tables(self) -> None:
        """Compresses matrices of which rows are gathered and that serve for nothing else."""
        gathers = [node for node in self._graph.node if node.op_type == "Gather" and self._is_large(node.input[0])]
        for node in gathers:
            users = [other for other in self._graph.node if node.input[0] in other.input]
            if all(user.op_type == "Gather" for user in users):
                self._gather_int8(node)

    def compress_float_products(self) -> None:
        """Compresses the weights of the products that stay in float32."""
        done: Dict[str, str] = {}
        for node in self._graph.node:
            if node.name in self.float_products and self._is_large(node.input[1]):
                name = node.input[1]
                if name not in done:
                    done[name] = self._dequantized(name)
                node.input[1] = done[name]

    def _is_large(self, name: str) -> bool:
        dims = list(self._weights[name].dims) if name in self._weights else []
        return len(dims) == 2 and dims[0] * dims[1] >= _LEAST_VALUES

    def _gather_int8(self, node: Any) -> None:
        values, scales = self._compressed(node.input[0], axis=1)
        output, ids = node.output[0], node.input[1]
        parts = [output + "/" + name for name in ("int8", "float", "scale")]
        make = self._helper.make_node
        new = [
            make("Gather", [values, ids], [parts[0]], parts[0], axis=0),
            make("Cast", [parts[0]], [parts[1]], parts[1], to=1),
            make("Gather", [scales, ids], [parts[2]], parts[2], axis=0),
            make("Mul", [parts[1], parts[2]], [output], output + "/product"),
        ]
        self._replace(node, new)

    def _dequantized(self, name: str) -> str:
        """Adds the node that makes a compressed weight float32 again; returns its output."""
        values, scales = self._compressed(name, axis=0)
        cast, output = name + "/float", name + "/product"
        make = self._helper.make_node
        self._graph.node.insert(0, make("Mul", [cast, scales], [output], output))
        self._graph.node.insert(0, make("Cast", [values], [cast], cast, to=1))
        return output

    def _compressed(self, name: str, axis: int) -> Tuple[str, str]:
        """Adds the 8-bit values of a matrix and its scales along an axis; returns their names."""
        values, scales = name + "/int8", name + "/scales"
        if values not in self._weights:
            matrix = self._numpy.to_array(self._weights[name])
            sizes = np.maximum(np.abs(matrix).max(axis=axis, keepdims=True) / _LARGEST, _LEAST_SCALE)
            self._add(values, np.rint(matrix / sizes).astype(np.int8))
            self._add(scales, sizes.astype(np.float32))
            self._graph.initializer.remove(self._weights[name])
        return values, scales

    def _add(self, name: str, values: np.ndarray) -> None:
        tensor = self._numpy.from_array(values, name)
        self._graph.initializer.append(tensor)
        self._weights[name] = tensor

    def _replace(self, node: Any, new: List[Any]) -> None:
        place = list(self._graph.node).index(node)
        self._graph.node.remove(node)
        for number, part in enumerate(new):
            self._graph.node.insert(place + number, part)
