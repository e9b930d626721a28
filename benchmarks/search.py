"""Latency and recall of search among many vectors: exact by matrix product, and approximate by a graph.

    python -m benchmarks.search
    python -m benchmarks.search --lines=1000000 --width=384
    python -m benchmarks.search --lines=10000,100000 --vectors=sentences.npy --checkpoint=MODEL

Without --vectors they are made up: around one centre for every 1,000 lines, with spread and directions of unequal
weight, as sentence vectors have. With it, lines and queries are drawn from the rows of a file, no row twice. A query
comes alone. Recall@10 is the share of the ten nearest, found by exact search, that approximate search finds.
--checkpoint adds the time that a query's own vector takes.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from typing import Callable, List, NamedTuple, Sequence

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import numpy as np

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.terminal import say, table, time_text
from albert.files.space import size_text
from albert.files.vector_files import map_vectors
from albert.inference.encoder_model import open_encoder
from albert.search import approximate
from albert.search.exact import Nearest, exact_nearest
from albert.search.searcher import embedder_of

_TOP_K = 10
_LINES_PER_CLUSTER = 1000
_SPREAD = 1.0  # of a line around its centre; the centres' own is 1
_STORED = np.float16
_EMBEDDINGS = 100
_QUESTION = "怎么修改绑定的手机号码"  # of LCQMC's mean length

HEADER = [
    "lines",
    "graph built in",
    "graph",
    "exact, median ms",
    "approximate, median ms",
    "99th percentile",
    "recall@10",
]


class Drawn(NamedTuple):
    """Vectors of length 1: of lines, float16 [n, W], and of queries, float32 [m, W]."""

    lines: np.ndarray
    queries: np.ndarray


class Timed(NamedTuple):
    """Answers to queries, and the milliseconds of each."""

    nearest: List[Nearest]
    milliseconds: np.ndarray


def declare_flags() -> Flags:
    """Declares the flags of this command."""
    flags = Flags()
    flags.string("lines", "10000,100000", "numbers of lines, separated by commas")
    flags.integer("queries", 200, "number of queries", minimum=1)
    flags.integer("width", 312, "numbers of a vector that is made up", minimum=1)
    flags.location("vectors", None, "a .npy file of real vectors, [rows, width]")
    flags.location("checkpoint", None, "a model, whose time for the vector of a query is measured")
    flags.integer("seed", 0, "of what is drawn")
    return flags


def main(flags: Flags) -> None:
    """Measures each number of lines and prints a table."""
    if approximate.library_version() is None:
        raise UserError(approximate.NEEDS_LIBRARY)
    rows = []
    for num_lines in map(int, flags.lines.split(",")):
        random = np.random.RandomState(flags.seed)
        if flags.vectors:
            drawn = drawn_from(map_vectors(flags.vectors), num_lines, flags.queries, random)
        else:
            drawn = made_up(num_lines, flags.queries, flags.width, random)
        rows.append(measured(drawn))
        sys.stderr.write("{:,} lines are measured.\n".format(num_lines))
    sys.stdout.write(table(HEADER, rows))
    if flags.checkpoint:
        say(["The vector of a query takes {:.2f} ms (median).".format(embedding_milliseconds(flags.checkpoint))])


def made_up(num_lines: int, num_queries: int, width: int, random: np.random.RandomState) -> Drawn:
    """Draws lines and queries around the same centres."""
    weights = (1 + np.arange(width) / 16.0) ** -0.5
    centres = random.randn(max(10, num_lines // _LINES_PER_CLUSTER), width)

    def draw(count: int) -> np.ndarray:
        near = centres[random.randint(len(centres), size=count)]
        return _unit((near + _SPREAD * random.randn(count, width)) * weights)

    blocks = [draw(min(1 << 16, num_lines - start)).astype(_STORED) for start in range(0, num_lines, 1 << 16)]
    return Drawn(np.concatenate(blocks), draw(num_queries))


def drawn_from(vectors: np.ndarray, num_lines: int, num_queries: int, random: np.random.RandomState) -> Drawn:
    """Draws lines and queries from the rows of a file.

    Raises:
      UserError: it has fewer.
    """
    if len(vectors) < num_lines + num_queries:
        raise UserError(
            "the file of vectors has {:,} rows, {:,} lines and {:,} queries need more: give fewer --lines".format(
                len(vectors), num_lines, num_queries
            )
        )
    rows = random.permutation(len(vectors))[: num_lines + num_queries]
    queries = _unit(vectors[np.sort(rows[num_lines:])])
    return Drawn(_unit(vectors[np.sort(rows[:num_lines])]).astype(_STORED), queries)


def _unit(vectors: np.ndarray) -> np.ndarray:
    numbers = np.asarray(vectors, np.float32)
    return numbers / np.linalg.norm(numbers, axis=1, keepdims=True)


def measured(drawn: Drawn) -> List[str]:
    """Row of the table for some vectors."""
    with tempfile.TemporaryDirectory() as folder:
        path, start = os.path.join(folder, "graph"), time.perf_counter()
        with open(path, "wb") as file:
            file.write(approximate.build_graph(drawn.lines))
        seconds = time.perf_counter() - start
        graph = approximate.load_graph(path, *drawn.lines.shape)
        size = os.path.getsize(path)
    in_memory = drawn.lines.astype(np.float32)
    exact = timed(lambda query: exact_nearest(query, in_memory, _TOP_K), drawn.queries)
    found = timed(lambda query: approximate.approximate_nearest(graph, query, drawn.lines, _TOP_K), drawn.queries)
    return [
        "{:,}".format(len(drawn.lines)),
        time_text(seconds),
        size_text(size),
        "{:.2f}".format(np.median(exact.milliseconds)),
        "{:.2f}".format(np.median(found.milliseconds)),
        "{:.2f}".format(np.percentile(found.milliseconds, 99)),
        "{:.3f}".format(recall(found.nearest, exact.nearest)),
    ]


def timed(answer: Callable[[np.ndarray], List[Nearest]], queries: np.ndarray) -> Timed:
    """Answers queries one by one; the first once more before, since it warms up."""
    answer(queries[:1])
    nearest, milliseconds = [], []
    for number in range(len(queries)):
        start = time.perf_counter()
        nearest += answer(queries[number : number + 1])
        milliseconds.append((time.perf_counter() - start) * 1e3)
    return Timed(nearest, np.array(milliseconds))


def recall(found: Sequence[Nearest], expected: Sequence[Nearest]) -> float:
    """Mean share of the expected places that were found."""
    return float(np.mean([np.isin(places, others).mean() for (others, _), (places, _) in zip(found, expected)]))


def embedding_milliseconds(checkpoint: str) -> float:
    """Median time of the vector of one question."""
    embedder = embedder_of(open_encoder(checkpoint), 1)
    embedder.embed([_QUESTION])
    milliseconds = []
    for _ in range(_EMBEDDINGS):
        start = time.perf_counter()
        embedder.embed([_QUESTION])
        milliseconds.append((time.perf_counter() - start) * 1e3)
    return float(np.median(milliseconds))


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
