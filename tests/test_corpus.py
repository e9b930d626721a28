import hashlib

import pytest
from tiny_corpus import write_text

from corpus import ByteRange, describe_files, plan_shards, read_documents
from errors import UserError


def whole(path):
    return ByteRange(0, path, 0, len(open(path, "rb").read()))


def documents(ranges, **options):
    return [part.lines for part in read_documents(ranges, **options)]


def test_documents_and_their_offsets(tmp_path):
    path = write_text(tmp_path, "\n\nab\n c \n \t\u3000\n\n字\nd")
    first, second = read_documents([whole(path)])
    assert first == (0, 2, ["ab", "c"], 7, False)
    assert second == (0, 16, ["字", "d"], 5, False)


def test_lines_end_at_newlines_only(tmp_path):
    path = write_text(tmp_path, "a\u2028b\x0bc\x85d\r\ne\r\n\r\nf\r\n")
    assert documents([whole(path)]) == [["a\u2028b\x0bc\x85d", "e"], ["f"]]


def test_byte_order_mark(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes(b"\xef\xbb\xbf\n\xef\xbb\xbfa\n")
    assert documents([whole(str(path))]) == [["\ufeffa"]]  # only the one at the beginning of the file
    path.write_bytes(b"\xef\xbb\xbfa\n")
    assert documents(plan_shards([str(path)], 1)[0]) == [["a"]]


def test_a_long_document_is_read_in_parts(tmp_path):
    path = write_text(tmp_path, "aaaa\nbbbb\ncccccccccc\nd\n\ne\n")
    parts = list(read_documents([whole(path)], max_part_bytes=10))
    assert [(part.offset, part.lines, part.is_continuation) for part in parts] == [
        (0, ["aaaa", "bbbb"], False),
        (10, ["cccccccccc"], True),
        (21, ["d"], True),
        (24, ["e"], False),
    ]
    assert [part.num_bytes for part in parts] == [10, 11, 2, 2]


@pytest.mark.parametrize("num_shards", [1, 2, 3, 5, 50])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_shards_hold_every_document_once(tmp_path, num_shards, newline):
    texts = ["a\nb\n\nc\n\n\n\nd\ne\nf\n\ng", "\n\n \n字字字字字字字字字字\n\nh\n\n", "i\n"]
    paths = [
        write_text(tmp_path, text.replace("\n", newline), "{}.txt".format(number)) for number, text in enumerate(texts)
    ]
    shards = plan_shards(paths, num_shards)
    assert 1 <= len(shards) <= num_shards
    everything = [["a", "b"], ["c"], ["d", "e", "f"], ["g"], ["字" * 10], ["h"], ["i"]]
    assert [lines for shard in shards for lines in documents(shard)] == everything
    covered = [byte_range for shard in shards for byte_range in shard]
    for file_index, path in enumerate(paths):
        ranges = [r for r in covered if r.file_index == file_index]
        assert ranges[0].start == 0 and ranges[-1].end == whole(path).end
        assert all(left.end == right.start for left, right in zip(ranges, ranges[1:]))
    if num_shards == 50:
        assert len(shards) >= 6


def test_offsets_do_not_depend_on_the_plan(tmp_path):
    path = write_text(tmp_path, "".join("{}\n{}\n\n".format(n, "x" * n) for n in range(1, 40)))
    plans = [
        [part for shard in plan_shards([path], num_shards) for part in read_documents(shard)] for num_shards in (1, 7)
    ]
    assert plans[0] == plans[1]
    assert len(plans[0]) == 39


def test_shards_are_of_similar_size(tmp_path):
    path = write_text(tmp_path, "0123456789\n\n" * 1000)
    sizes = [sum(r.end - r.start for r in shard) for shard in plan_shards([path], 8)]
    assert len(sizes) == 8
    assert max(sizes) - min(sizes) < 50


def test_one_document_cannot_be_divided(tmp_path):
    path = write_text(tmp_path, "line\n" * 1000)
    assert plan_shards([path], 4) == [[ByteRange(0, path, 0, 5000)]]


def test_files_are_described_by_their_content(tmp_path):
    path = write_text(tmp_path, "字\n")
    digest = hashlib.sha256("字\n".encode("utf-8")).hexdigest()
    assert describe_files([path]) == [{"file": "text.txt", "bytes": 4, "sha256": digest}]


def test_bad_files(tmp_path):
    good = write_text(tmp_path, "a\n", "good.txt")
    empty = write_text(tmp_path, "", "empty.txt")
    with pytest.raises(UserError, match=r"empty\.txt is empty"):
        plan_shards([good, empty], 1)
    blank = tmp_path / "blank.txt"
    blank.write_bytes(b"\xef\xbb\xbf \n\t\n\xe3\x80\x80")
    with pytest.raises(UserError, match=r"blank\.txt holds only blank lines"):
        plan_shards([good, str(blank)], 1)
    with pytest.raises(UserError, match=r"cannot read .*missing\.txt: No such file"):
        plan_shards([good, str(tmp_path / "missing.txt")], 1)
    with pytest.raises(UserError, match=r"cannot read .*: Is a directory"):
        plan_shards([str(tmp_path)], 1)


@pytest.mark.parametrize(
    "content, message",
    [
        (b"a\n\n\xd6\xd0\xce\xc4\n", "line 3 is not UTF-8"),
        (b"a\nb\0c\n", "line 2 holds a NUL byte"),
        ("中文\n".encode("utf-16"), "line 1 is not UTF-8"),
        ("中".encode("utf-8")[:2], "line 1 is not UTF-8"),
        (b"a\n\xed\xa0\x80\n", "line 2 is not UTF-8"),
    ],
)
def test_bad_lines_are_named(tmp_path, content, message):
    path = tmp_path / "bad.txt"
    path.write_bytes(content)
    with pytest.raises(UserError, match="bad.txt " + message):
        documents([whole(str(path))])


def test_line_numbers_count_from_the_beginning_of_the_file(tmp_path):
    path = tmp_path / "bad.txt"
    path.write_bytes(b"a\n\n" * 500 + b"ok\n\xff\n")
    last = plan_shards([str(path)], 5)[-1]
    assert last[0].start > 0
    with pytest.raises(UserError, match="line 1002 is not UTF-8"):
        documents(last)


def test_a_file_that_got_shorter(tmp_path):
    path = write_text(tmp_path, "a\n")
    with pytest.raises(UserError, match="got shorter"):
        documents([ByteRange(0, path, 0, 10)])
