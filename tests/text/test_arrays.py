import unicodedata

import numpy as np

from albert.text.arrays import CharacterTable, code_points


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
