"""Exact search: the vectors of the highest scores by matrix product, block by block."""

from __future__ import annotations

from typing import List, Tuple

import numpy as np

from albert.base.errors import UserError

_ROWS_AT_ONCE = 1 << 14  # of vectors that may be mapped from a file

# Places of vectors, int64 [k], and their scores, float32 [k]; the highest first, of equals the first.
Nearest = Tuple[np.ndarray, np.ndarray]


def exact_nearest(queries: np.ndarray, vectors: np.ndarray, k: int) -> List[Nearest]:
    """Finds the k vectors of the highest inner product with each query; all where there are fewer.

    Args:
      queries: float32 [B, W].
      vectors: [n, W] of any float type.
      k: at least 1.

    Raises:
      UserError: a vector holds a value that is no finite number.
    """
    found = [(np.zeros([0], np.int64), np.zeros([0], np.float32)) for _ in queries]
    for start in range(0, len(vectors), _ROWS_AT_ONCE):
        block = np.asarray(vectors[start : start + _ROWS_AT_ONCE], np.float32)
        places = np.arange(start, start + len(block))
        for number, scores in enumerate(scores_of(queries, block)):
            earlier, earlier_scores = found[number]
            found[number] = highest(np.concatenate([earlier, places]), np.concatenate([earlier_scores, scores]), k)
    return found


def scores_of(queries: np.ndarray, vectors: np.ndarray) -> np.ndarray:
    """Returns the inner products [B, n] of float32 queries [B, W] and vectors [n, W].

    Raises:
      UserError: one is no finite number.
    """
    scores = queries.dot(vectors.T)
    if not np.isfinite(scores).all():
        raise UserError("the vectors hold values that are no finite numbers")
    return scores


def highest(places: np.ndarray, scores: np.ndarray, k: int) -> Nearest:
    """Returns the k highest scores and their places, of equals those that stand first."""
    if k < len(scores):
        least = np.partition(scores, len(scores) - k)[len(scores) - k]
        chosen = np.flatnonzero(scores >= least)
        places, scores = places[chosen], scores[chosen]
    order = np.argsort(-scores, kind="stable")[:k]
    return places[order], scores[order]
