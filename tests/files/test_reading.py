import gzip
import hashlib
import os

import pytest

from albert.base.errors import UserError
from albert.files import reading
from albert.files.reading import decoded_lines, describe_files, is_unpacked, opened, text_lines
from tests.support.tiny_corpus import write_text


def test_files_are_described_by_their_content(tmp_path):
    path = write_text(tmp_path, "字\n")
    digest = hashlib.sha256("字\n".encode("utf-8")).hexdigest()
    assert describe_files([path]) == [{"file": "text.txt", "bytes": 4, "sha256": digest}]


def test_gzip_files_are_described_as_they_stand(tmp_path):
    path = tmp_path / "text.txt.gz"
    content = gzip.compress("字\n".encode("utf-8"))
    path.write_bytes(content)
    assert describe_files([str(path)]) == [
        {"file": "text.txt.gz", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    ]


def test_lines_end_at_line_feeds_only(tmp_path):
    path = write_text(tmp_path, "\ufeff一\r\n二\u2028三\n四\x0b五\n\n")
    assert list(decoded_lines(path)) == [(1, "一"), (2, "二\u2028三"), (3, "四\x0b五"), (4, "")]
    assert list(text_lines(path)) == [(1, "一"), (2, "二\u2028三"), (3, "四\x0b五")]


@pytest.mark.parametrize(
    "content,message",
    [
        ("一\n\n二\n".encode("utf-8"), "text.txt line 2 is blank: remove it or fill it in"),
        ("a\n好\n".encode("gbk"), "text.txt line 2 is not UTF-8: convert the file, for example with `iconv -f gb18030"),
        (b"a\n\xff\n", "text.txt line 2 is not UTF-8: is it a text file\\? Then save it as UTF-8"),
        (b"a\n\xba\xc3\0\n", "text.txt line 2 is not UTF-8: is it a text file"),
        (b"a\n\0\n", "text.txt line 2 holds a NUL byte"),
        (None, "cannot read .*text.txt: No such file"),
    ],
)
def test_bad_lines_are_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / "text.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        list(text_lines(str(tmp_path / "text.txt")))


def test_tables_that_other_programs_save(tmp_path):
    lines = ["label\ttext", "1\t好 的", "0\t差"]
    for encoding in ("utf-16", "utf-8-sig"):
        for newline in ("\r\n", "\r"):
            path = tmp_path / "table.tsv"
            path.write_bytes((newline.join(lines) + newline).encode(encoding))
            assert list(text_lines(str(path))) == list(enumerate(lines, start=1))


@pytest.mark.parametrize("blank", ["\u200b", "\ufeff", "\xad", "\u3000"])
def test_lines_in_which_nothing_can_be_read_are_blank(tmp_path, blank):
    path = write_text(tmp_path, "一\n二\n{0}\n{0}{0}\n".format(blank))
    assert list(text_lines(path)) == [(1, "一"), (2, "二")]
    path = write_text(tmp_path, "一\n{}\n二\n".format(blank))
    with pytest.raises(UserError, match="text.txt line 2 is blank: remove it or fill it in"):
        list(text_lines(path))


def test_a_gzip_file_made_to_fill_memory_is_not_unpacked_to_its_end(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "_MOST_RATIO", 100)  # so that zeros packed quickly are over it
    monkeypatch.setattr(reading, "_BYTES_BEFORE_RATIO", 1 << 20)
    path = str(tmp_path / "text.gz")
    with gzip.open(path, "wb", compresslevel=1) as file:
        for _ in range(16):
            file.write(bytes(1 << 20))
    for read in (lambda file: file.read(), lambda file: file.readline(), lambda file: file.seek(0, os.SEEK_END)):
        with pytest.raises(UserError, match="text.gz unpacks to over 100 times its size"), opened(path) as file:
            read(file)
    with opened(path) as file:
        assert file.read(1 << 19) == bytes(1 << 19)


def test_places_in_gzip_files(tmp_path):
    content = "".join("第 {} 行\n".format(number) for number in range(200000)).encode("utf-8")
    path = tmp_path / "text.gz"
    path.write_bytes(gzip.compress(content[:1000000]) + gzip.compress(content[1000000:]))
    with opened(str(path)) as file:
        assert is_unpacked(file)
        assert file.seek(0, os.SEEK_END) == len(content)
        for place in (1500000, 5, 999990, 0):
            assert file.seek(place) == place == file.tell()
            assert file.read(20) == content[place : place + 20]
        file.seek(0)
        assert list(file) == content.splitlines(keepends=True)
