"""Sentence vectors of length 1, in file order, a block of texts at a time."""

from __future__ import annotations

from typing import Any, Iterator, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.inference.text_batches import Place

_LINES_AT_ONCE = 4096


def unit_vectors(embedder: Any, texts: Sequence[str], place: Place) -> np.ndarray:
    """Returns the vectors of texts, divided by their length: float32 [n, W].

    Args:
      embedder: an `Embedder`.
      texts: each one sentence or more.
      place: what messages call a text, by its number from 1.

    Raises:
      UserError: a text cannot be read, or its vector is no direction.
    """
    vectors = embedder.embed(texts, place)
    lengths = np.linalg.norm(vectors, axis=1)
    is_faulty = ~np.isfinite(lengths) | (lengths == 0)
    if is_faulty.any():
        raise UserError(
            "the model gives {} a vector without a direction (zeros, or numbers that are not finite): its weights "
            "are damaged, use another model".format(place(int(is_faulty.argmax()) + 1))
        )
    return vectors / lengths[:, None]


def blocks_of_vectors(embedder: Any, lines: Sequence[str], place: Place) -> Iterator[np.ndarray]:
    """Yields the vectors of many lines block by block; see `unit_vectors`."""
    for start in range(0, len(lines), _LINES_AT_ONCE):
        block = lines[start : start + _LINES_AT_ONCE]
        yield unit_vectors(embedder, block, lambda number: place(start + number))  # noqa: B023 (called at once)
