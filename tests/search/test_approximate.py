"""Approximate search against exact search, and graph files that are not what their index needs."""

import sys

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.search.exact import exact_nearest
from tests.support.tiny_search import clustered, needs_usearch

pytest.importorskip("usearch", reason=needs_usearch)

from albert.search import approximate


def loaded(path, vectors):
    path.write_bytes(approximate.build_graph(vectors))
    return approximate.load_graph(str(path), *vectors.shape)


@pytest.mark.parametrize("k", [1, 10, 40])
def test_nearly_all_of_the_nearest_are_found_with_exact_scores(tmp_path, k):
    vectors, queries = clustered(3000, 24).astype(np.float16), clustered(40, 24, seed=5)
    graph = loaded(tmp_path / "graph", vectors)
    found = approximate.approximate_nearest(graph, queries, vectors, k)
    expected = exact_nearest(queries, vectors, k)
    shared = [len(set(places) & set(others)) / k for (places, _), (others, _) in zip(found, expected)]
    assert np.mean(shared) >= 0.95
    for query, (places, scores) in zip(queries, found):
        np.testing.assert_allclose(scores, vectors[places].astype(np.float32).dot(query), atol=1e-6)
        assert (np.diff(scores) <= 0).all()


def test_of_equals_the_first_and_no_more_than_there_are(tmp_path):
    vectors = np.repeat(clustered(3, 4), 4, axis=0)
    graph = loaded(tmp_path / "graph", vectors)
    ((places, _),) = approximate.approximate_nearest(graph, vectors[4:5], vectors, 3)
    assert places.tolist() == [4, 5, 6]
    ((places, _),) = approximate.approximate_nearest(graph, vectors[4:5], vectors, 100)
    assert sorted(places.tolist()) == list(range(12))


@pytest.mark.parametrize("fault", ["empty", "text", "cut", "more", "other width", "pointer", "missing"])
def test_what_is_no_such_graph_is_one_sentence(tmp_path, fault):
    vectors, path = clustered(300, 8), tmp_path / "graph"
    content = bytes(approximate.build_graph(vectors[:, :4] if fault == "other width" else vectors))
    at = 8 + 300 * 8 + 64 + 40 + 600 + 14  # the first neighbour of the first node
    damaged = bytearray(content)
    damaged[at : at + 4] = b"\xff\xff\xff\x7f"
    contents = {"empty": b"", "text": b"<html>" * 40, "cut": content[:-9], "more": content + b"1", "pointer": damaged}
    if fault != "missing":
        path.write_bytes(bytes(contents.get(fault, content)))
    with pytest.raises(UserError, match="^cannot read the graph ") as caught:
        approximate.load_graph(str(path), 300, 8)
    assert "\n" not in str(caught.value)


def test_another_kind_of_numbers_is_refused(tmp_path):
    from usearch.index import Index

    graph = Index(ndim=8, metric="ip", dtype="f32", connectivity=16)
    graph.add(np.arange(300, dtype=np.uint64), clustered(300, 8))
    graph.save(str(tmp_path / "graph"))
    with pytest.raises(UserError, match="it is no graph of 300 vectors of 8 numbers"):
        approximate.load_graph(str(tmp_path / "graph"), 300, 8)


def test_the_library_is_named_with_its_version(monkeypatch):
    assert approximate.library_version().startswith("usearch 2.")
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    assert approximate.library_version() is None
