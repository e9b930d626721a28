"""8-bit weights for ONNX: matrices are stored in 8 bits with scales, and answers are computed in float32.

Tables of which rows are gathered have a scale for each row. Weights of products have one for each channel in each block
of rows. A runtime makes the weights of products float32 again once, when it opens the file. Rounding the inputs of
products as well costs ten times the accuracy, and is no faster without VNNI (docs/en/checkpoints_and_exports.md).
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Tuple

import numpy as np

from albert.export.modules import required

_LEAST_VALUES = 1024  # of a matrix that is worth it
_LEAST_SCALE = 1e-12  # of a row of zeros
_LARGEST = 127
_LARGEST_BLOCK = 16  # rows of a weight that share their scales
_FLOAT = 1  # onnx.TensorProto.FLOAT


def with_int8_weights(model: Any) -> Any:
    """Changes a ModelProto: its large matrices become 8 bits with scales. Returns it."""
    rewriter = _Rewriter(model)
    rewriter.compress_tables()
    rewriter.compress_products()
    return model


class _Rewriter:
    """Graph in which matrices become 8 bits with scales."""

    def __init__(self, model: Any) -> None:
        self._graph = model.graph
        self._weights = {tensor.name: tensor for tensor in self._graph.initializer}
        self._numpy, self._helper = required("onnx.numpy_helper"), required("onnx.helper")

    def compress_tables(self) -> None:
        """Compresses matrices of which rows are gathered and that serve for nothing else."""
        gathers = [node for node in self._graph.node if node.op_type == "Gather" and self._is_large(node.input[0])]
        for node in gathers:
            users = [other for other in self._graph.node if node.input[0] in other.input]
            if all(user.op_type == "Gather" for user in users):
                self._gather_int8(node)

    def compress_products(self) -> None:
        """Compresses the weights of products; one that several layers share is made float32 once."""
        done: Dict[str, str] = {}
        for node in list(self._graph.node):
            if node.op_type == "MatMul" and self._is_large(node.input[1]):
                name = node.input[1]
                if name not in done:
                    done[name] = self._dequantized(name)
                node.input[1] = done[name]

    def _is_large(self, name: str) -> bool:
        dims = list(self._weights[name].dims) if name in self._weights else []
        return len(dims) == 2 and dims[0] * dims[1] >= _LEAST_VALUES

    def _gather_int8(self, node: Any) -> None:
        values, scales = self._compressed(node.input[0], lambda matrix: matrix, axis=1)
        output, ids = node.output[0], node.input[1]
        parts = [output + "/" + name for name in ("int8", "float", "scale")]
        make = self._helper.make_node
        new = [
            make("Gather", [values, ids], [parts[0]], parts[0], axis=0),
            make("Cast", [parts[0]], [parts[1]], parts[1], to=_FLOAT),
            make("Gather", [scales, ids], [parts[2]], parts[2], axis=0),
            make("Mul", [parts[1], parts[2]], [output], output + "/product"),
        ]
        self._replace(node, new)

    def _dequantized(self, name: str) -> str:
        """Adds the nodes that make a compressed weight float32 again; returns their output."""
        shape = list(self._weights[name].dims)
        values, scales = self._compressed(name, _in_blocks, axis=1)
        self._add(name + "/shape", np.array(shape, np.int64))
        cast, product, output = (name + "/" + part for part in ("float", "product", "whole"))
        make = self._helper.make_node
        new = [
            make("Cast", [values], [cast], cast, to=_FLOAT),
            make("Mul", [cast, scales], [product], product),
            make("Reshape", [product, name + "/shape"], [output], output),
        ]
        for place, node in enumerate(new):
            self._graph.node.insert(place, node)
        return output

    def _compressed(self, name: str, arranged: Callable[[np.ndarray], np.ndarray], axis: int) -> Tuple[str, str]:
        """Adds the 8-bit values of a matrix and its scales along an axis; returns their names."""
        values, scales = name + "/int8", name + "/scales"
        if values not in self._weights:
            matrix = arranged(self._numpy.to_array(self._weights[name]))
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


def _in_blocks(matrix: np.ndarray) -> np.ndarray:
    """Divides the rows of a matrix into equal blocks, as large as possible: [K, N] -> [K / b, b, N]."""
    rows, columns = matrix.shape
    block = max(size for size in range(1, _LARGEST_BLOCK + 1) if rows % size == 0)
    return matrix.reshape(rows // block, block, columns)
