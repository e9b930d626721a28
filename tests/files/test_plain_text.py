"""Text as machines write it: encodings, line ends, and lines in which nothing can be read."""

import io

import pytest

from albert.base.errors import UserError
from albert.files import plain_text
from albert.files.plain_text import as_utf8, as_utf8_lines, is_blank

TEXT = "标签\t句子\n好\t今天\u2028天气\n坏\t\U0001f602 不好\n"


@pytest.mark.parametrize(
    "text",
    ["", " ", "\t", "\u3000", "\u200b", "\ufeff", "\xad", "\u200b\u3000 \u2060", "\x1f\x85", "\u115f\ufe0f", "\u034f"],
)
def test_nothing_can_be_read(text):
    assert is_blank(text)


@pytest.mark.parametrize(
    "text", ["字", "\u200b字", "字\u200b", "\u3000.", "\u200d👩", "\ufffd", "[MASK]", "-", "\u0301"]
)
def test_something_can_be_read(text):
    assert not is_blank(text)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "utf-16-be", "utf-32-be"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_content_and_lines_of_any_encoding_with_a_mark(encoding, newline):
    text = TEXT.replace("\n", newline)
    content = (("\ufeff" + text) if encoding.endswith("be") else text).encode(encoding)
    expected = (text if newline == "\r\n" else TEXT).encode("utf-8")
    assert as_utf8(content) == expected
    lines = list(as_utf8_lines(io.BytesIO(content), "a.txt"))
    assert b"".join(lines).replace(b"\xef\xbb\xbf", b"") == expected
    assert len(lines) == 3


def test_returns_end_lines_only_where_no_line_feed_does():
    assert as_utf8(b"a\rb\r\nc\r") == b"a\rb\r\nc\r"
    assert list(as_utf8_lines(io.BytesIO(b"a\rb\nc\r"), "a.txt")) == [b"a\rb\n", b"c\r"]
    assert list(as_utf8_lines(io.BytesIO(b"a"), "a.txt")) == [b"a"]
    assert list(as_utf8_lines(io.BytesIO(b""), "a.txt")) == []


def test_a_line_feed_is_looked_for_in_the_first_megabyte(monkeypatch):
    monkeypatch.setattr(plain_text, "_LOOK_BYTES", 8192)
    beginning = b"a\r" + b"b" * 8192
    assert len(list(as_utf8_lines(io.BytesIO(beginning[:6000] + b"\n" + beginning), "a.txt"))) == 2
    assert len(list(as_utf8_lines(io.BytesIO(beginning + b"\n"), "a.txt"))) == 2  # the line feed stands too far behind


@pytest.mark.parametrize("content", ["字".encode("utf-16") + b"\x00", b"\xff\xfe\x00\xd8a\x00"])
def test_damaged_utf_16(content):
    with pytest.raises(UserError, match="a.txt is UTF-16 and is cut off or damaged: save it as UTF-8"):
        list(as_utf8_lines(io.BytesIO(content), "a.txt"))
    with pytest.raises(UnicodeDecodeError):
        as_utf8(content)
