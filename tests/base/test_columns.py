"""Widths and lines of texts, with Chinese characters in them."""

import pytest

from albert.base.columns import width_of, wrapped, wrapped_command, wrapped_description


def test_a_chinese_character_takes_two_columns():
    assert [width_of(text) for text in ("", "ab", "你好", "a，b")] == [0, 2, 4, 4]


@pytest.mark.parametrize(
    "text, lines",
    [
        ("one two  three\nfour", ["one two", "three", "four"]),
        ("a longerthanaline b", ["a", "longerthanaline", "b"]),
        ("明天会下雨吗？好", ["明天会下", "雨吗？好"]),
        ("明天会下，雨", ["明天会", "下，雨"]),
        ("see明天b", ["see明天b"]),
        ("", [""]),
    ],
)
def test_lines_fit(text, lines):
    assert wrapped(text, 8) == lines


def test_commands_are_broken_as_a_shell_reads_them():
    assert wrapped_command("python a.py --b=1", 40) == ["    python a.py --b=1"]
    command = "python a.py --b='1 2 3' --cc=4     what it does"
    assert wrapped_command(command, 26) == [
        "    python a.py \\",
        "      --b='1 2 3' --cc=4",
        "        what it does",
    ]


def test_a_description_keeps_its_commands_and_joins_its_lines():
    text = "Does\nit.\n\n    python a.py \\\n      --b=1\n    python a.py --help\n\nThe\nend."
    assert wrapped_description(text, 40) == "Does it.\n\n    python a.py --b=1\n    python a.py --help\n\nThe end."
