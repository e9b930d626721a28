import json

import pytest

from albert.base.errors import UserError
from albert.tasks.json_rows import json_rows, texts_of
from albert.tasks.rows import LeftOut, Row

PAIRS = json_rows(texts_of("a", "b"))


def read(folder, content, reader=PAIRS):
    path = folder / "rows.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))
    return list(reader(str(path)))


def message(folder, content, reader=PAIRS):
    with pytest.raises(UserError) as error:
        read(folder, content, reader)
    assert "\n" not in str(error.value)
    return str(error.value).replace(str(folder / "rows.json"), "FILE")


GOOD = '{"a": "甲", "b": "乙", "label": "1", "id": 3}\n'


def test_a_row(tmp_path):
    assert read(tmp_path, GOOD) == [Row(-1, "甲", "乙", "1", 1, 3)]


@pytest.mark.parametrize(
    "label, text", [("1", "1"), (1, "1"), (True, "true"), (False, "false"), (" x ", "x"), (None, None), (0, "0")]
)
def test_a_label_is_text(tmp_path, label, text):
    (row,) = read(tmp_path, json.dumps({"a": "甲", "b": "乙", "label": label}))
    assert row.label == text


def test_other_keys_of_label_and_id(tmp_path):
    line = '{"a": "甲", "label": "no", "gold": "x", "id": "no", "name": "r1"}'
    (row,) = read(tmp_path, line, json_rows(texts_of("a"), label="gold", id_keys=("name",)))
    assert (row.text_b, row.label, row.own_id) == (None, "x", "r1")
    (row,) = read(tmp_path, line.replace('"id"', '"idx"'), json_rows(texts_of("a")))
    assert (row.label, row.own_id) == ("no", "no")


def test_line_ends_and_marks(tmp_path):
    lines = '\ufeff{{"a": "甲\u2028\x85乙", "b": "{}"}}\r\n'.format("\u2029").encode("utf-8")
    assert [row[1:3] for row in read(tmp_path, lines + lines[3:] + b"\r\n")] == [("甲\u2028\x85乙", "\u2029")] * 2


def test_rows_in_another_language_are_left_out(tmp_path):
    reader = json_rows(texts_of("a"), language="zh")
    content = '{"a": "甲", "language": "zh"}\n{"a": "a", "language": "en"}\n{"a": "乙"}\n'
    assert [type(row) for row in read(tmp_path, content, reader)] == [Row, LeftOut, Row]
    assert read(tmp_path, content, reader)[1] == LeftOut(2, "with a language other than 'zh'")


@pytest.mark.parametrize(
    "line, expected",
    [
        ('{"a": "甲", "b": "乙"', "is not JSON (Expecting ',' delimiter at character 20): each line must be one whole"),
        ('{"a": "甲\tx"}', "is not JSON (Invalid control character at character 9)"),
        ("甲\t乙\t1", "is not JSON (Expecting value at character 1): each line must be one whole object"),
        ('["甲", "乙"]', 'is not a JSON object but ["甲", "乙"]'),
        ('{"a": "甲"}', "has no key 'b' (its keys: a)"),
        ("{}", "has no key 'a' (its keys: none)"),
        ('{"a": "甲", "B": "乙"}', "has no key 'b' (its keys: a, B)"),
        ('{"a": 5, "b": "乙"}', "has no text under 'a' but 5"),
        ('{"a": null, "b": "乙"}', "has no text under 'a' but null"),
        ('{"a": "甲", "b": ["乙"]}', "has no text under 'b' but [\"乙\"]"),
        ('{"a": "甲", "b": "乙", "label": 0.5}', "has no label under 'label' but 0.5"),
        ('{"a": "甲", "b": "乙", "id": [1]}', "has no id under 'id' but [1]"),
        ('{"a": "甲", "b": "乙", "id": true}', "has no id under 'id' but true"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, expected):
    assert message(tmp_path, GOOD + line + "\n" + GOOD).startswith("FILE line 2 " + expected)


def test_the_nearest_key_is_named(tmp_path):
    reader = json_rows(texts_of("sentence1"))
    assert message(tmp_path, '{"sentence_1": "x"}', reader) == (
        "FILE line 1 has no key 'sentence1' (its keys: sentence_1); did you mean 'sentence_1'?"
    )
