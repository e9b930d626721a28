"""Cells of comma-separated lines: what another reader finds in them, and what it does not take."""

import csv
import random

import pytest

from albert.tasks.csv_cells import csv_cells


@pytest.mark.parametrize(
    "text, cells",
    [
        ("", [""]),
        ("1,好的\r不错", ["1", "好的\r不错"]),
        ('1,"好,的\r不错",', ["1", "好,的\r不错", ""]),
        ('"a""b","",c"d', ['a"b', "", 'c"d']),
        (' "a","""",x', [' "a"', '"', "x"]),
        ("a\u2028b,\x0b,\x85", ["a\u2028b", "\x0b", "\x85"]),
    ],
)
def test_cells(text, cells):
    assert csv_cells(text) == cells


def test_cells_of_any_length():
    long = "这是一篇很长的文章。" * 20000
    assert csv_cells("0," + long) == ["0", long]
    assert csv_cells('0,"{}"'.format(long + '""' * 100000)) == ["0", long + '"' * 100000]


def test_another_reader_finds_the_same():
    draw = random.Random(5)
    for _ in range(3000):
        text = "".join(draw.choice('ab,," "') for _ in range(draw.randint(1, 12)))
        try:
            expected = next(csv.reader([text], strict=True))
        except csv.Error:
            with pytest.raises(ValueError):
                csv_cells(text)
        else:
            assert csv_cells(text) == expected, text


@pytest.mark.parametrize(
    "text, fault",
    [
        ('1,"甲,乙', "the quote at character 3 is not closed"),
        ('"a""b","",c,"', "the quote at character 13 is not closed"),
        ('"甲"乙,1', "there is text behind the closing quote at character 3"),
    ],
)
def test_faults(text, fault):
    with pytest.raises(ValueError) as error:
        csv_cells(text)
    assert str(error.value) == fault
