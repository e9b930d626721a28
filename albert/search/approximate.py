"""Approximate search: a graph of near vectors (HNSW) by the library usearch, whose finds are scored exactly.

The graph holds vectors of int8. Each query gets more finds than it needs from it, and these are ordered by the vectors
of the index themselves, so rounding costs no order and scores are exact. The settings are those with which
`python -m benchmarks.search` found more than 0.95 of the ten nearest.
"""

from __future__ import annotations

from typing import Any, Callable, List, Optional

import numpy as np

from albert.base.errors import UserError
from albert.search.exact import Nearest, highest, scores_of
from albert.search.graph_file import GraphShape, is_sound_graph

NEEDS_LIBRARY = (
    "usearch is not installed, so every query is compared with all lines: `pip install -r requirements/search.txt` "
    "brings it"
)
_LIBRARY = "usearch"
_CONNECTIVITY = 16  # neighbours of a node above the lowest level, which has twice as many
_EXPANSION_ADD = 128  # nodes that are looked at where a vector is added
_EXPANSION_SEARCH = 256  # and where one is looked for
_LEAST_CANDIDATES = 64  # that are scored exactly
_CANDIDATES_PER_FIND = 4
_ROWS_AT_ONCE = 2000  # Ctrl-C waits for so many


def library_version() -> Optional[str]:
    """Returns the name of the library with its version; None where it is not installed."""
    try:
        import usearch.index
    except ImportError:
        return None
    return "{} {}".format(_LIBRARY, usearch.__version__)


def build_graph(vectors: np.ndarray, show: Callable[[int], None] = lambda rows: None) -> bytes:
    """Builds the graph of vectors of length 1, on all cores, as the content of a file.

    Args:
      vectors: [n, W], of any float type.
      show: receives the number of vectors that are in the graph.
    """
    graph = _empty_graph(vectors.shape[1])
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        rows = np.asarray(vectors[start : start + _ROWS_AT_ONCE], np.float32)
        graph.add(np.arange(start, start + len(rows), dtype=np.uint64), rows)
        show(start + len(rows))
    return graph.save()


def _empty_graph(width: int) -> Any:
    from usearch.index import Index

    return Index(
        ndim=width,
        metric="ip",
        dtype="i8",
        connectivity=_CONNECTIVITY,
        expansion_add=_EXPANSION_ADD,
        expansion_search=_EXPANSION_SEARCH,
    )


def load_graph(path: str, num_vectors: int, width: int) -> Any:
    """Loads the graph of a file.

    Raises:
      UserError: it is not a graph of so many vectors of this width that `build_graph` makes.
    """
    from usearch.index import Index

    graph = _empty_graph(width)
    try:
        expected = {"dimensions": width, "count_present": num_vectors, "count_deleted": 0}
        expected.update(kind_metric=graph.metric_kind, kind_scalar=graph.dtype, matrix_uses_64_bit_dimensions=False)
        found = Index.metadata(path) or {}
        shape = GraphShape(num_vectors, width, _CONNECTIVITY)
        content = np.memmap(path, np.uint8, mode="r")
        if any(found.get(name) != value for name, value in expected.items()) or not is_sound_graph(content, shape):
            raise ValueError("it is no graph of {:,} vectors of {} numbers".format(num_vectors, width))
        graph.load(path)
    except (OSError, ValueError, RuntimeError) as error:
        raise UserError("cannot read the graph {}: {}".format(path, error)) from error
    return graph


def approximate_nearest(graph: Any, queries: np.ndarray, vectors: np.ndarray, k: int) -> List[Nearest]:
    """Finds k vectors of about the highest inner product with each query; all where there are fewer.

    Args:
      graph: from `load_graph`.
      queries: float32 [B, W], of length 1.
      vectors: [n, W], those of the graph.
      k: at least 1.

    Raises:
      UserError: a vector holds a value that is no finite number.
    """
    count = min(len(vectors), max(_LEAST_CANDIDATES, _CANDIDATES_PER_FIND * k))
    nearest = []
    for query in queries:
        keys = graph.search(query, count).keys
        places = np.sort(keys.astype(np.int64))  # of equals the first
        candidates = np.asarray(vectors[places], np.float32)
        nearest.append(highest(places, scores_of(query[None], candidates)[0], k))
    return nearest
