import gzip
import hashlib

import pytest

from albert.base.errors import UserError
from albert.files.reading import decoded_lines, describe_files, text_lines
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
        (b"a\n\xff\n", "text.txt line 2 is not UTF-8: convert the file"),
        (b"a\n\0\n", "text.txt line 2 holds a NUL byte"),
        (None, "cannot read .*text.txt: No such file"),
    ],
)
def test_bad_lines_are_named(tmp_path, content, message):
    if content is not None:
        (tmp_path / "text.txt").write_bytes(content)
    with pytest.raises(UserError, match=message):
        list(text_lines(str(tmp_path / "text.txt")))
