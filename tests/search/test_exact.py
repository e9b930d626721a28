"""Exact search against plain Python, in one block and in several."""

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.search import exact
from tests.support.tiny_search import clustered


def brute_force(query, vectors, k):
    scores = [sum(float(a) * float(b) for a, b in zip(query, row)) for row in vectors]
    return sorted(range(len(scores)), key=lambda place: (-scores[place], place))[:k]


@pytest.mark.parametrize("rows_at_once", [7, 1 << 14])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_the_nearest_are_those_of_brute_force(monkeypatch, rows_at_once, dtype):
    monkeypatch.setattr(exact, "_ROWS_AT_ONCE", rows_at_once)
    vectors, queries = clustered(50, 5).astype(dtype), clustered(4, 5, seed=1)
    for k in (1, 6, 50, 70):
        for query, (places, scores) in zip(queries, exact.exact_nearest(queries, vectors, k)):
            assert places.tolist() == brute_force(query, vectors, k)
            np.testing.assert_allclose(scores, vectors[places].astype(np.float32).dot(query), atol=1e-6)


@pytest.mark.parametrize("rows_at_once", [2, 100])
def test_of_equals_the_first_is_found(monkeypatch, rows_at_once):
    monkeypatch.setattr(exact, "_ROWS_AT_ONCE", rows_at_once)
    vectors = np.array([[0.5], [1.0], [0.5], [1.0], [1.0], [0.5]], np.float32)
    ((places, scores),) = exact.exact_nearest(np.ones([1, 1], np.float32), vectors, 4)
    assert places.tolist() == [1, 3, 4, 0] and scores.tolist() == [1.0, 1.0, 1.0, 0.5]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_what_is_no_number_is_said(value):
    vectors = clustered(9, 3)
    vectors[8, 1] = value
    with pytest.raises(UserError, match="no finite numbers"):
        exact.exact_nearest(clustered(1, 3), vectors, 2)
