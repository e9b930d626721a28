"""The strict reader of descriptions: whatever is wrong, one sentence."""

from __future__ import annotations

import json

import pytest

from albert.base.errors import UserError
from albert.files import json_reading
from albert.files.json_reading import Description, is_file_name, parse, parse_description, read_description


@pytest.mark.parametrize(
    "content, message",
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"\xff{}", "it is not UTF-8"),
        (b"[1]", "it holds no JSON object"),
        (b"null", "it holds no JSON object"),
        (b'{"a": 1, "a": 2}', "the key 'a' occurs twice"),
        (b'{"a": {"b": NaN}}', "it holds NaN, which is no number of JSON"),
        (b'{"a": -Infinity}', "it holds -Infinity"),
        (b'{"a": ' + b"9" * 10**6 + b"}", "it holds a number of 1,000,000 digits"),
        (b'{"a": "\\ud83d"}', "it holds half a surrogate pair"),
        (b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}", "it has more than 32 levels"),
        (b'{"a": ' + b"[" * 10**5 + b"]" * 10**5 + b"}", "it has more than 32 levels"),
        (b'{"a":' * 10**5 + b"1" + b"}" * 10**5, "it has more than 32 levels"),
    ],
)
def test_what_is_no_description_is_one_sentence(tmp_path, content, message):
    path = tmp_path / "export.json"
    path.write_bytes(content)
    with pytest.raises(UserError, match="export.json is not a description: {}".format(message)) as caught:
        read_description(str(path), "a description")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 300


def test_files_that_cannot_be_read_or_are_too_large(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="cannot read .*missing.json, a description: No such file"):
        read_description(str(tmp_path / "missing.json"), "a description")
    with pytest.raises(UserError, match="cannot read .*: Is a directory"):
        read_description(str(tmp_path), "a description")
    path = tmp_path / "x.json"
    path.write_text(json.dumps({"a": "b" * 100}))
    assert read_description(str(path), "a description").text("a") == "b" * 100
    with pytest.raises(UserError, match="it has more than 50 bytes"):
        json_reading.read_text(str(path), 50)


def test_a_byte_order_mark_is_no_fault(tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(b"\xef\xbb\xbf" + '{"名": 1}'.encode("utf-8"))
    assert read_description(str(path), "a description").count("名") == 1


VALUES = {
    "text": "x",
    "empty": "",
    "count": 3,
    "true": True,
    "texts": ["a", "b"],
    "mixed": ["a", 1],
    "object": {"inner": {}, "list": [{"n": 1}, {"n": "1"}]},
    "name": "vocab.txt",
    "path": "../vocab.txt",
    "null": None,
}


def test_values_by_type():
    description = Description(VALUES)
    assert description.text("text") == "x" and description.count("count") == 3 and description.flag("true")
    assert description.texts("texts") == ("a", "b") and description.file_name("name") == "vocab.txt"
    assert description.section("object").sections("list")[0].count("n") == 1
    assert "text" in description and "other" not in description


@pytest.mark.parametrize(
    "read, message",
    [
        (lambda d: d.text("other"), "the key 'other' is missing"),
        (lambda d: d.text("empty"), "'empty' must be a text, not \"\""),
        (lambda d: d.text("count"), "'count' must be a text, not 3"),
        (lambda d: d.count("true"), "'true' must be a whole number from 0 on, not true"),
        (lambda d: d.count("count", most=2), "'count' must be a whole number from 0 to 2, not 3"),
        (lambda d: d.count("null"), "not null"),
        (lambda d: d.flag("count"), "'count' must be true or false, not 3"),
        (lambda d: d.texts("mixed"), "'mixed' must be a list of texts"),
        (lambda d: d.texts("text"), "'text' must be a list of texts, not \"x\""),
        (lambda d: d.section("texts"), "'texts' must be an object"),
        (lambda d: d.section("object").text("inner"), "'object.inner' must be a text, not {}"),
        (lambda d: d.section("object").sections("list")[1].count("n"), r"'object.list\[1\].n' must be"),
        (lambda d: d.sections("mixed"), "'mixed' must be a list of objects"),
        (lambda d: d.file_name("path"), "'path' must be a plain file name, without folders, not \"../vocab.txt\""),
        (lambda d: d.check_keys(["text"]), "unknown key"),
    ],
)
def test_values_of_other_types(read, message):
    with pytest.raises(UserError, match=message):
        read(Description(VALUES))


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "/etc/passwd", "..\\a", "C:a", "a\0b", "a\nb", "字" * 100, "sub/vocab.txt"]
)
def test_names_that_lead_elsewhere(name):
    assert not is_file_name(name)


@pytest.mark.parametrize("name", ["vocab.txt", "..txt", "词表 [1].txt", ".hidden", "a:b"[:1]])
def test_plain_names(name):
    assert is_file_name(name)


def test_rows_of_data_are_read_less_strictly_than_descriptions():
    assert parse('{"a": 1, "a": NaN}')["a"] != 1
    assert parse('"\\ud83d"') == "\ud83d"
    with pytest.raises(ValueError):
        parse("{")
    for text in ("[" * 10**5, "[" * 50 + "]" * 50, "1" * 1000):
        with pytest.raises(UserError):
            parse(text)
    with pytest.raises(UserError):
        parse_description('{"a": 1, "a": 2}')


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_an_encoding_that_names_itself_is_read(tmp_path, encoding):
    path = tmp_path / "export.json"
    path.write_bytes('{"format": "冻结"}\r'.encode(encoding))
    assert read_description(str(path), "a description").values == {"format": "冻结"}
