"""The benchmark of search: what it draws, what it counts, and its table."""

import numpy as np
import pytest

from albert.base.errors import UserError
from benchmarks import search as benchmark
from tests.support.tiny_search import needs_usearch


def test_lines_and_queries_are_different_rows_of_the_file():
    vectors = np.arange(1, 31, dtype=np.float32)[:, None] * np.array([[1.0, 0.0]], np.float32)
    vectors[:, 1] = 1.0  # each row has a direction of its own
    drawn = benchmark.drawn_from(vectors, 20, 10, np.random.RandomState(0))
    everything = np.concatenate([drawn.lines.astype(np.float32), drawn.queries])
    np.testing.assert_allclose(np.linalg.norm(everything, axis=1), 1.0, atol=1e-3)
    ratios = sorted(everything[:, 0] / everything[:, 1])
    np.testing.assert_allclose(ratios, range(1, 31), rtol=0.05)
    with pytest.raises(UserError, match="has 30 rows, 25 lines and 10 queries need more: give fewer --lines"):
        benchmark.drawn_from(vectors, 25, 10, np.random.RandomState(0))


def test_made_up_vectors_are_in_clusters():
    drawn = benchmark.made_up(500, 40, 24, np.random.RandomState(0))
    assert drawn.lines.shape == (500, 24) and drawn.lines.dtype == np.float16 and drawn.queries.shape == (40, 24)
    best = (drawn.queries @ drawn.lines.astype(np.float32).T).max(axis=1).mean()
    shuffled = np.random.RandomState(1).permutation(drawn.lines.astype(np.float32).ravel()).reshape(500, 24)
    assert best > (drawn.queries @ shuffled.T).max(axis=1).mean() + 0.1


def test_recall_is_the_share_of_the_nearest():
    expected = [(np.array([1, 2, 3, 4]), None), (np.array([5, 6, 7, 8]), None)]
    found = [(np.array([4, 3, 9, 0]), None), (np.array([8, 7, 6, 5]), None)]
    assert benchmark.recall(found, expected) == 0.75


def test_the_table(capsys):
    pytest.importorskip("usearch", reason=needs_usearch)
    flags = benchmark.declare_flags()
    flags.parse(["--lines=300,1200", "--queries=5", "--width=8"])
    benchmark.main(flags)
    rows = [[cell.strip() for cell in line.strip("|\n").split("|")] for line in capsys.readouterr().out.splitlines()]
    assert rows[0] == benchmark.HEADER
    assert [row[0] for row in rows[2:]] == ["300", "1,200"]
    assert all(float(row[-1]) >= 0.95 and float(row[3]) > 0 for row in rows[2:])
