"""Vectors have length 1 and stand in order; one without a direction is named."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.search import unit_vectors
from tests.support.tiny_search import LetterEmbedder

LINES = ["一丁", "丁七", "七", "万", "丈三"]


def test_blocks_hold_the_vectors_of_all_lines_in_order(monkeypatch):
    monkeypatch.setattr(unit_vectors, "_LINES_AT_ONCE", 2)
    embedder = LetterEmbedder()
    blocks = list(unit_vectors.blocks_of_vectors(embedder, LINES, "line {}".format))
    assert embedder.calls == [LINES[:2], LINES[2:4], LINES[4:]]
    plain = LetterEmbedder().embed(LINES)
    np.testing.assert_allclose(np.linalg.norm(np.concatenate(blocks), axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(np.concatenate(blocks), plain / np.linalg.norm(plain, axis=1)[:, None], atol=1e-6)


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_vector_without_a_direction_is_named_by_its_line(monkeypatch, value):
    monkeypatch.setattr(unit_vectors, "_LINES_AT_ONCE", 2)
    embedder = LetterEmbedder(faulty={"万": value})
    with pytest.raises(UserError, match="^the model gives line 4 a vector without a direction"):
        list(unit_vectors.blocks_of_vectors(embedder, LINES, "line {}".format))
