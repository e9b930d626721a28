"""Opened index folder: checked against its description and its source, ready to find the nearest lines."""

from __future__ import annotations

import logging
import os
from typing import Any, List, NamedTuple, Optional

import numpy as np

from albert.base.errors import UserError
from albert.files.vector_files import map_vectors
from albert.search import approximate, description
from albert.search.build import mark_of_file
from albert.search.description import GRAPH_FILE, LINES_FILE, VECTORS_FILE, IndexDescription, remedy
from albert.search.exact import Nearest, exact_nearest

_log = logging.getLogger(__name__)

_MOST_BYTES_IN_MEMORY = 1 << 30  # of vectors as float32; more stay in their file


class Match(NamedTuple):
    """Line that is near a question.

    Attributes:
      line: its number in the file that the index was built from.
      text: the line.
      score: the cosine of both vectors.
    """

    line: int
    text: str
    score: float


class SearchIndex:
    """Lines and vectors of an index. Safe to use from several threads.

    Attributes:
      description: of the index.
      folder: its path.
    """

    def __init__(self, folder: str) -> None:
        """Opens an index and checks that it is whole and of the lines that its source has now.

        Raises:
          UserError: there is no index, it is damaged, stale or of another format; says what to do.
        """
        self.folder = folder
        self.description = description.read(folder)
        _check_source(self.description, folder)
        try:
            for name, mark in self.description.files.items():
                if mark_of_file(os.path.join(folder, name)) != mark:
                    raise UserError("{} is not the file that was built".format(os.path.join(folder, name)))
            self._lines = _Lines(os.path.join(folder, LINES_FILE), self.description.num_lines)
            self._vectors = _read_vectors(os.path.join(folder, VECTORS_FILE), self.description)
            self._graph = _read_graph(folder, self.description)
            if not self.is_approximate and self._vectors.size * 4 <= _MOST_BYTES_IN_MEMORY:
                self._vectors = np.array(self._vectors, np.float32)
        except UserError as error:
            raise UserError("{}; {}".format(error, remedy(self.description, folder))) from error

    @property
    def is_approximate(self) -> bool:
        """Whether a graph answers, rather than a comparison with all lines."""
        return self._graph is not None

    def nearest(self, queries: np.ndarray, k: int) -> List[List[Match]]:
        """Finds the k lines nearest to each query, the nearest first; all where there are fewer.

        Args:
          queries: float32 [B, W], of length 1.
          k: at least 1.

        Raises:
          UserError: the vectors hold values that are no finite numbers.
        """
        try:
            found = self._find(queries, k)
        except UserError as error:
            path = os.path.join(self.folder, VECTORS_FILE)
            raise UserError("{}: {}; {}".format(path, error, remedy(self.description, self.folder))) from error
        first = self.description.source.first_line
        return [
            [
                Match(place + first, self._lines.text(place), score)
                for place, score in zip(places.tolist(), scores.tolist())
            ]
            for places, scores in found
        ]

    def _find(self, queries: np.ndarray, k: int) -> List[Nearest]:
        if self._graph is None:
            return exact_nearest(queries, self._vectors, k)
        return approximate.approximate_nearest(self._graph, queries, self._vectors, k)


def _check_source(found: IndexDescription, folder: str) -> None:
    """Compares the file of lines with what was read from it; one that is not there any more is only said."""
    source = found.source
    path = next(filter(os.path.exists, (source.absolute_path, source.path)), None)
    if path is None:
        _log.info("%s is not there: the index %s answers from its own copy of the lines.", source.path, folder)
    elif os.path.getsize(path) != source.mark.num_bytes or mark_of_file(path) != source.mark:
        raise UserError(
            "{} was changed after the index {} was built: {}".format(source.path, folder, remedy(found, folder))
        )


class _Lines:
    """Lines of a file in memory, decoded one by one."""

    def __init__(self, path: str, num_lines: int) -> None:
        with open(path, "rb") as file:
            self._content = file.read()
        self._ends = np.flatnonzero(np.frombuffer(self._content, np.uint8) == ord("\n"))
        if len(self._ends) != num_lines:
            raise UserError("{} holds {:,} lines, not {:,}".format(path, len(self._ends), num_lines))

    def text(self, place: int) -> str:
        start = int(self._ends[place - 1]) + 1 if place else 0
        return self._content[start : int(self._ends[place])].decode("utf-8", "replace")


def _read_vectors(path: str, found: IndexDescription) -> np.ndarray:
    vectors = map_vectors(path)
    expected = (found.num_lines, found.width)
    if vectors.shape != expected or vectors.dtype.itemsize not in (2, 4):
        raise UserError("{} holds {} {}, not float16 {}".format(path, vectors.dtype, vectors.shape, expected))
    return vectors


def _read_graph(folder: str, found: IndexDescription) -> Optional[Any]:
    if not found.has_graph:
        return None
    if approximate.library_version() is None:
        _log.warning("%s.", approximate.NEEDS_LIBRARY)
        return None
    return approximate.load_graph(os.path.join(folder, GRAPH_FILE), found.num_lines, found.width)
