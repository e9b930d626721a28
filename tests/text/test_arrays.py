import random
import unicodedata

import numpy as np
import pytest

from albert.text.arrays import CharacterTable, code_points, ranges, runs_of


def test_code_points():
    for text in ("", "a", "中a\n", "𠮷😂", "\ud800", "\ud83d\ude00", "\udfffa\x00\U0010ffff"):
        codes = code_points(text)
        assert codes.tolist() == [ord(char) for char in text]
        assert codes.dtype == np.uint32


def test_values_are_worked_out_once():
    asked = []

    def value_of(char):
        asked.append(char)
        return -ord(char)

    table = CharacterTable(value_of)
    text = "ab中ba\ud800\U0010ffff"
    values = table.look_up(code_points(text))
    assert values.tolist() == [-ord(char) for char in text]
    assert values.dtype == np.int32
    assert table.look_up(code_points("中x")).tolist() == [-ord("中"), -ord("x")]
    assert sorted(asked) == sorted({*text, "x"})


def test_no_character():
    assert CharacterTable(ord).look_up(code_points("")).tolist() == []


def test_every_character():
    table = CharacterTable(lambda char: unicodedata.category(char) == "Nd")
    text = "".join(map(chr, range(0x30000)))
    expected = [unicodedata.category(char) == "Nd" for char in text]
    assert table.look_up(code_points(text)).tolist() == expected
    assert table.look_up(code_points(text)).tolist() == expected


def plain_ranges(starts, lengths):
    return [number for start, length in zip(starts, lengths) for number in range(start, start + length)]


@pytest.mark.parametrize(
    "starts, lengths",
    [([], []), ([5], [0]), ([7], [3]), ([7, 7, 0], [2, 3, 1]), ([4, 2, 9], [0, 3, 0]), ([0, 10], [0, 2]), ([-2], [4])],
)
def test_ranges(starts, lengths):
    made = ranges(np.array(starts, np.int64), np.array(lengths, np.int64))
    assert made.tolist() == plain_ranges(starts, lengths)
    assert made.dtype.kind == "i"


def test_random_ranges():
    rng = random.Random(3)
    for _ in range(200):
        count = rng.randrange(9)
        starts = [rng.randrange(100) for _ in range(count)]
        lengths = [rng.randrange(5) for _ in range(count)]
        for dtype in (np.int32, np.int64):
            assert ranges(np.array(starts, dtype), np.array(lengths, dtype)).tolist() == plain_ranges(starts, lengths)


@pytest.mark.parametrize(
    "mask, starts, ends",
    [
        ("", [], []),
        (".", [], []),
        ("x", [0], [1]),
        ("xxx", [0], [3]),
        (".x.", [1], [2]),
        ("x.x", [0, 2], [1, 3]),
        ("..xx.xxx", [2, 5], [4, 8]),
    ],
)
def test_runs(mask, starts, ends):
    found = runs_of(np.array([mark == "x" for mark in mask], dtype=bool))
    assert [edges.tolist() for edges in found] == [starts, ends]


def test_ranges_of_runs_give_the_mask_back():
    rng = np.random.RandomState(1)
    for size in range(40):
        mask = rng.random_sample(size) < 0.6
        starts, ends = runs_of(mask)
        assert ranges(starts, ends - starts).tolist() == np.flatnonzero(mask).tolist()
