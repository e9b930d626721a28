"""The check of graph files: what the library writes is sound, and what points outside is not."""

import numpy as np
import pytest

from albert.search.graph_file import GraphShape, is_sound_graph
from tests.support.tiny_search import clustered, needs_usearch

pytest.importorskip("usearch", reason=needs_usearch)

from albert.search import approximate

NODES, WIDTH = 600, 6
SHAPE = GraphShape(NODES, WIDTH, 16)
GRAPH = 8 + NODES * WIDTH + 64  # where the sizes of the graph begin
LEVELS = GRAPH + 40
NODE = LEVELS + 2 * NODES  # where the first node begins


@pytest.fixture(scope="module")
def content():
    return np.frombuffer(bytes(approximate.build_graph(clustered(NODES, WIDTH))), np.uint8)


def test_what_the_library_writes_is_sound(content):
    assert is_sound_graph(content, SHAPE)
    levels = content[LEVELS:NODE].view("<i2")
    assert levels.max() > 0  # lists of higher levels are read, too


@pytest.mark.parametrize(
    "shape", [GraphShape(NODES + 1, WIDTH, 16), GraphShape(NODES, WIDTH + 1, 16), GraphShape(NODES, WIDTH, 8)]
)
def test_another_shape_is_none(content, shape):
    assert not is_sound_graph(content, shape)


@pytest.mark.parametrize("size", [0, 7, GRAPH - 1, GRAPH + 3, NODE - 1, NODE + 5, -1])
def test_what_is_cut_off_is_none(content, size):
    assert not is_sound_graph(content[:size], SHAPE)


@pytest.mark.parametrize(
    "place,dtype,value",
    [
        (0, "<u4", NODES + 1),  # rows of the matrix
        (4, "<u4", WIDTH * 2),
        (GRAPH - 64, "u1", 0),  # the mark of the header
        (GRAPH, "<u8", 1 << 60),  # nodes
        (GRAPH + 8, "<u8", 1 << 40),  # neighbours
        (GRAPH + 16, "<u8", 33),
        (GRAPH + 24, "<u8", 90),  # the highest level
        (GRAPH + 32, "<u8", NODES),  # the first node of a search
        (LEVELS, "<i2", -1),
        (LEVELS, "<i2", 32000),
        (NODE, "<u8", NODES),  # the key of the first node
        (NODE + 8, "<i2", 9),  # its level
        (NODE + 10, "<u4", 33),  # the number of its neighbours
        (NODE + 14, "<u4", NODES),  # the first of them
        (NODE + 14, "<u4", (1 << 32) - 1),
    ],
)
def test_what_points_outside_is_not_sound(content, place, dtype, value):
    damaged = content.copy()
    damaged[place : place + np.dtype(dtype).itemsize] = np.array([value], dtype).view(np.uint8)
    assert not is_sound_graph(damaged, SHAPE)


def test_a_neighbour_that_does_not_reach_the_level_is_not_sound(content):
    levels = content[LEVELS:NODE].view("<i2").astype(int)
    entry = int(content[GRAPH + 32 : GRAPH + 40].view("<u8")[0])
    start = NODE + sum(10 + 4 + 4 * 32 + level * (4 + 4 * 16) for level in levels[:entry])
    first_list = start + 10 + 4 + 4 * 32  # of the entry's level 1
    damaged = content.copy()
    assert damaged[first_list : first_list + 4].view("<u4")[0] > 0
    damaged[first_list + 4 : first_list + 8] = np.array([levels.argmin()], "<u4").view(np.uint8)
    assert not is_sound_graph(damaged, SHAPE)
