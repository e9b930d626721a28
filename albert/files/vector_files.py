"""Vector files: arrays [rows, width] of float16 or float32 in .npy files, mapped into memory; several count as one.

Needs NumPy, but no TensorFlow.
"""

from __future__ import annotations

from typing import Any, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from albert.base.errors import UserError

_MAGIC = b"\x93NUMPY"  # with which every .npy file begins
_ROWS_AT_ONCE = 1 << 14


def map_vectors(path: str) -> np.ndarray:
    """Maps the array [rows, width] of a .npy file into memory; only its header is read.

    Raises:
      UserError: there is no such file, it is cut off, or it holds something else.
    """
    _check_kind(path)
    try:
        # Mapping compares the shape in the header with the size of the file.
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # a damaged header raises nearly anything, and what differs between versions of NumPy
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError("cannot read the vectors {}: {}".format(path, reason)) from error
    if not isinstance(mapped, np.ndarray) or mapped.dtype.kind != "f":
        raise UserError("cannot read the vectors {}: it holds no array of numbers with a fraction".format(path))
    if mapped.ndim != 2:
        raise UserError("{} has the shape {}: vectors are rows of equal width".format(path, mapped.shape))
    return mapped


def _check_kind(path: str) -> None:
    """Raises `UserError` where a file that can be read is no .npy file, of which NumPy would speak of pickles."""
    try:
        with open(path, "rb") as file:
            start = file.read(len(_MAGIC))
    except OSError:
        return  # NumPy says why
    if start != _MAGIC:
        reason = "it is no .npy file, as numpy.save writes them" if start else "it is empty"
        raise UserError("cannot read the vectors {}: {}".format(path, reason))


class VectorStatistics(NamedTuple):
    """Statistics of vectors.

    Attributes:
      mean: of all rows, float32 [width].
      faulty_row: the first row that holds a value that is no finite number, or zeros alone; None where there is none.
    """

    mean: np.ndarray
    faulty_row: Optional[int]


def statistics_of(vectors: np.ndarray) -> VectorStatistics:
    """Reads all vectors once, block by block, for their mean and their first fault."""
    total = np.zeros([vectors.shape[1]], np.float64)
    for start, block in _blocks(vectors):
        is_faulty = ~np.isfinite(block).all(axis=1) | ~block.any(axis=1)
        if is_faulty.any():
            return VectorStatistics(total.astype(np.float32), start + int(is_faulty.argmax()))
        total += block.sum(axis=0, dtype=np.float64)
    return VectorStatistics((total / max(1, len(vectors))).astype(np.float32), None)


def _blocks(vectors: np.ndarray) -> Iterator[Tuple[int, np.ndarray]]:
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        yield start, np.asarray(vectors[start : start + _ROWS_AT_ONCE], np.float32)


class JoinedVectors:
    """Vectors of several files as one array that is read by row numbers.

    Attributes:
      shape: (rows, width).
    """

    def __init__(self, parts: Sequence[np.ndarray], center: Optional[np.ndarray] = None) -> None:
        """Joins arrays.

        Args:
          parts: [rows, width] each, of one width.
          center: [width], taken away from every row; None for nothing.
        """
        self._parts = parts
        self._center = center
        self._starts = np.cumsum([0] + [len(part) for part in parts])
        self.shape = (int(self._starts[-1]), parts[0].shape[1])

    def __getitem__(self, rows: Any) -> np.ndarray:
        """Reads the rows of an array of numbers [n]: float32 [n, width]."""
        numbers = np.asarray(rows)
        found = np.empty([len(numbers), self.shape[1]], np.float32)
        owners = np.searchsorted(self._starts, numbers, side="right") - 1
        for owner in np.unique(owners):
            at = owners == owner
            found[at] = self._parts[owner][numbers[at] - self._starts[owner]]
        return found if self._center is None else found - self._center


def joined_center(parts: Sequence[np.ndarray], means: Sequence[np.ndarray]) -> np.ndarray:
    """Mean of the rows of several arrays, from the mean of each: float32 [width]."""
    sizes: List[int] = [len(part) for part in parts]
    return np.average(np.stack(means), axis=0, weights=sizes).astype(np.float32)
