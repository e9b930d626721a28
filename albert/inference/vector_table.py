"""Vectors of lines: nearest neighbours by cosine, and the two files in which vectors and lines are kept."""

from __future__ import annotations

import io
import os
from typing import List, NamedTuple, Sequence, Tuple

import numpy as np

from albert.base.errors import UserError
from albert.files.complete import CompleteFile
from albert.files.vector_files import map_vectors
from albert.inference.text_batches import read_texts

_LEAST_NORM = 1e-12


class Neighbour(NamedTuple):
    """Line that is near a sentence.

    Attributes:
      index: its place among the lines, from 0.
      cosine: of the angle between both vectors, -1 to 1.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls
    cosine: float


def nearest_vectors(vector: np.ndarray, vectors: np.ndarray, k: int) -> List[Neighbour]:
    """Finds the k vectors whose angle with a vector is smallest, the nearest first; of equals the first.

    Args:
      vector: [width].
      vectors: [n, width].
      k: the number of vectors; all where there are fewer.
    """
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    cosines = vectors.dot(vector) / np.maximum(norms, _LEAST_NORM)
    return [Neighbour(index, float(cosines[index])) for index in np.argsort(-cosines, kind="stable")[:k].tolist()]


def write_vectors(path: str, vectors: np.ndarray, lines: Sequence[str]) -> None:
    """Writes vectors as .npy and their lines beside them, each complete or absent."""
    content = io.BytesIO()
    np.save(content, vectors)
    with CompleteFile(_lines_path(path)) as file:
        file.write("".join(line + "\n" for line in lines).encode("utf-8"))
    with CompleteFile(path) as file:
        file.write(content.getvalue())


def read_vectors(path: str) -> Tuple[np.ndarray, List[str]]:
    """Reads vectors and lines that `write_vectors` wrote.

    Raises:
      UserError: a file is missing, or the two do not belong together.
    """
    vectors = np.array(map_vectors(path))
    lines = read_texts(_lines_path(path))
    if len(vectors) != len(lines):
        raise UserError(
            "{} of shape {} does not go with the {} lines of {}: write both again".format(
                path, vectors.shape, len(lines), _lines_path(path)
            )
        )
    return vectors, lines


def _lines_path(path: str) -> str:
    return os.path.splitext(path)[0] + ".txt"
