"""Check of a graph file of usearch: everything in it points inside, so that a file of others can only mislead.

The library follows the numbers in such a file without a look at their size. Layout, all little-endian: the matrix
(rows and columns, uint32; int8 numbers), a header of 64 bytes, the sizes of the graph (five uint64), the levels of the
nodes (int16 each), then the nodes: key (uint64), level (int16) and for each level up to its own a list of neighbours, a
count (uint32) and as many places (uint32) as the level may have.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_MATRIX_HEADER, _HEADER, _SIZES, _NODE_HEADER = 8, 64, 40, 10
_MAGIC = b"usearch"
_NODES_AT_ONCE = 1 << 16


class GraphShape(NamedTuple):
    """Shape of a graph: nodes, numbers of a vector, neighbours of a node above the lowest level."""

    num_nodes: int
    width: int
    connectivity: int


def is_sound_graph(content: np.ndarray, shape: GraphShape) -> bool:
    """Whether the bytes of a file (uint8) are a graph of a shape that points nowhere outside of itself."""
    graph_start = _MATRIX_HEADER + shape.num_nodes * shape.width + _HEADER
    nodes_start = graph_start + _SIZES + 2 * shape.num_nodes
    if len(content) < nodes_start or not _has_matrix(content, shape):
        return False
    header = content[graph_start - _HEADER : graph_start]
    if header[: len(_MAGIC)].tobytes() != _MAGIC:
        return False
    size, upper, base, top, entry = content[graph_start : graph_start + _SIZES].view("<u8").tolist()
    levels = np.frombuffer(content[graph_start + _SIZES : nodes_start].tobytes(), "<i2").astype(np.int64)
    if (size, upper, base) != (shape.num_nodes, shape.connectivity, 2 * shape.connectivity):
        return False
    if levels.min() < 0 or entry >= size or top != levels.max() or levels[entry] != top:
        return False
    return _has_sound_nodes(content[nodes_start:], levels, shape)


def _has_matrix(content: np.ndarray, shape: GraphShape) -> bool:
    return content[:_MATRIX_HEADER].view("<u4").tolist() == [shape.num_nodes, shape.width]


def _has_sound_nodes(content: np.ndarray, levels: np.ndarray, shape: GraphShape) -> bool:
    """Whether nodes of certain levels fill the content, and have keys and neighbours that exist."""
    base_bytes, upper_bytes = 4 + 8 * shape.connectivity, 4 + 4 * shape.connectivity
    starts = np.concatenate([[0], np.cumsum(_NODE_HEADER + base_bytes + levels * upper_bytes)])
    if starts[-1] != len(content):
        return False
    starts = starts[:-1]
    keys, own_levels = _read(content, starts, "<u8", 1)[:, 0], _read(content, starts + 8, "<i2", 1)[:, 0]
    if (keys >= shape.num_nodes).any() or (own_levels != levels).any():
        return False
    if not _has_sound_lists(content, starts + _NODE_HEADER, 2 * shape.connectivity, levels, 0):
        return False
    for level in range(1, int(levels.max()) + 1):
        reaching = starts[levels >= level] + _NODE_HEADER + base_bytes + (level - 1) * upper_bytes
        if not _has_sound_lists(content, reaching, shape.connectivity, levels, level):
            return False
    return True


def _has_sound_lists(content: np.ndarray, starts: np.ndarray, most: int, levels: np.ndarray, level: int) -> bool:
    """Whether lists of neighbours are short enough and name only nodes that reach a level."""
    for first in range(0, len(starts), _NODES_AT_ONCE):
        lists = _read(content, starts[first : first + _NODES_AT_ONCE], "<u4", 1 + most)
        counts, neighbours = lists[:, :1], lists[:, 1:]
        named = neighbours[np.arange(most) < counts]
        if (counts > most).any() or (named >= len(levels)).any() or (levels[named] < level).any():
            return False
    return True


def _read(content: np.ndarray, starts: np.ndarray, dtype: str, count: int) -> np.ndarray:
    """Reads `count` numbers from each start, all of which lie inside: [len(starts), count]."""
    width = np.dtype(dtype).itemsize * count
    windows = np.lib.stride_tricks.as_strided(content, (len(content) - width + 1, width), (1, 1), writeable=False)
    return windows[starts].view(dtype)
