"""Tagged lines of tasks of one's own: columns, schemes of tags, headers, places in words."""

import logging

import pytest

from tests.support.own_tasks import fault, read


def names(sentences):
    return [[(s.text[e.start : e.end], e.type) for e in s.entities] for s in sentences]


@pytest.mark.parametrize(
    "tags",
    [
        "O B-LOC I-LOC O S-PER",
        "O B-LOC E-LOC O S-PER",
        "O B-LOC L-LOC O U-PER",
        "O B-LOC E-LOC O W-PER",
        "O I-LOC I-LOC O I-PER",
    ],
)
def test_schemes_of_tags(tmp_path, tags):
    content = "".join("{}\t{}\n".format(*pair) for pair in zip("在北京见他", tags.split()))
    assert names(read(tmp_path, "a.bio", content, kind="tags")) == [[("北京", "LOC"), ("他", "PER")]]


@pytest.mark.parametrize(
    "content, values",
    [
        ("O x 在\nB-LOC y 北\nI-LOC z 京\n", {"text_a": 3, "label": 1}),
        ("word\ttag\tpos\n在\tO\tP\n北\tB-LOC\tN\n京\tI-LOC\tN\n", {"text_a": "word", "label": "tag"}),
        ("word tag\n在 O\n北 B-LOC\n京 I-LOC\n", {"header": True}),
        ("在    O\n北    B-LOC\n京    I-LOC\n", {}),
        ("\ufeff在 O\r\n北 B-LOC\r\n京 I-LOC\r\n", {}),
    ],
)
def test_columns(tmp_path, content, values):
    assert names(read(tmp_path, "a.txt", content, kind="tags", **values)) == [[("北京", "LOC")]]


def test_tokens_alone_in_a_test_file(tmp_path):
    first, second = read(tmp_path, "a.txt", "在\n北\n\n京\n", "test", kind="tags")
    assert (first.text, first.entities, second.text, second.line) == ("在北", None, "京", 4)


def test_places_in_words_are_left_out_only_where_all_tokens_have_one(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    assert read(tmp_path, "a.txt", "北0 B-LOC\n京1 I-LOC\n10 O\n", kind="tags")[0].text == "北京1"
    assert "each token ends with its place in a word, which is left out" in caplog.text
    assert read(tmp_path, "a.txt", "北0 B-LOC\n京1 I-LOC\n好 O\n", kind="tags")[0].text == "北0京1好"


@pytest.mark.parametrize(
    "content, values, expected",
    [
        ("在 O\n", {"label": 3}, "a.txt line 1 has 2 columns, and none with the number 3"),
        ("a b\n在 O\n", {"text_a": "a", "label": "c"}, "a.txt line 1 has no column 'c' (it has a, b)"),
        ("\tO\n", {}, "a.txt line 1 has no token before its tag 'O'"),
    ],
)
def test_columns_that_are_not_there(tmp_path, content, values, expected):
    assert fault(tmp_path, "a.txt", content, kind="tags", **values) == expected
