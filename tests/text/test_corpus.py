import gzip
import itertools
import os
import tracemalloc

import pytest

from albert.base.errors import UserError
from albert.text.corpus import ByteRange, plan_shards, read_documents
from tests.support.tiny_corpus import write_text


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


@pytest.mark.parametrize("blank", ["\u200b", "\ufeff", "\xad", "\u3000", "\u2060 \u200d", "\u115f", "\x1f\U000e0020"])
def test_a_line_in_which_nothing_can_be_read_separates_documents(tmp_path, blank):
    path = write_text(tmp_path, "a\nb\n{0}\n{0}c{1}\n{0}\n".format(blank, "c" * 50))
    second = (blank + "c" * 51).strip()
    assert documents([whole(path)]) == [["a", "b"], [second]]
    assert [documents(shard) for shard in plan_shards([path], 30)] == [[["a", "b"]], [[second]]]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_any_line_end_and_any_encoding_that_names_itself(tmp_path, encoding, newline):
    text = "".join("{}号\n{}\n\n".format(n, "字" * n) for n in range(1, 40))
    plain = write_text(tmp_path, text, "plain.txt")
    path = tmp_path / "text.txt"
    path.write_bytes(text.replace("\n", newline).encode(encoding))
    packed = tmp_path / "text.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    expected = documents([whole(plain)])
    for found in (str(path), str(packed)):
        shards = plan_shards([found], 3)
        assert len(shards) == 3
        assert [lines for shard in shards for lines in documents(shard)] == expected


def test_a_return_within_a_line_ends_none(tmp_path):
    path = write_text(tmp_path, "a\rb\n\rc\n")
    assert documents([whole(path)]) == [["a\rb", "c"]]


def test_damaged_utf_16_is_named(tmp_path):
    path = tmp_path / "text.txt"
    path.write_bytes("中文\n".encode("utf-16")[:-1])
    with pytest.raises(UserError, match="text.txt is UTF-16 and is cut off or damaged: save it as UTF-8"):
        plan_shards([str(path)], 1)


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
    assert [[byte_range[:4] for byte_range in shard] for shard in plan_shards([path], 4)] == [[(0, path, 0, 5000)]]


def test_the_default_number_of_shards(tmp_path, monkeypatch):
    monkeypatch.setattr("albert.text.corpus.BYTES_PER_SHARD", 100)
    path = write_text(tmp_path, "0123456789\n\n" * 100)
    assert len(plan_shards([path])) == 12
    monkeypatch.setattr("albert.text.corpus.MAX_DEFAULT_SHARDS", 5)
    assert len(plan_shards([path])) == 5


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
        ("中文\n".encode("utf-16-le"), "line 1 is not UTF-8"),  # no byte order mark tells what it is
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
    with pytest.raises(UserError, match="became shorter"):
        documents([ByteRange(0, path, 0, 10)])


def cut_off(path):
    os.truncate(path, os.path.getsize(path) // 2 + 1)  # within a character


def rewrite(path):
    with open(path, "r+b") as file:
        file.write("天".encode("utf-8"))
    os.utime(path, ns=(1, 1))  # a clock tick later, as it were


@pytest.mark.parametrize(
    "change, message",
    [
        (os.remove, "text.txt vanished while it was read"),
        (cut_off, "text.txt was changed while it was read"),
        (rewrite, "text.txt was changed while it was read"),
        (lambda path: os.replace(path + ".new", path), "text.txt was changed while it was read"),
    ],
)
@pytest.mark.parametrize("when", ["before", "between", "at the end"])
@pytest.mark.parametrize("is_packed", [False, True])
def test_a_file_that_is_not_the_one_that_was_planned(tmp_path, change, message, when, is_packed):
    text = "".join("字字字{}\n\n".format(number) for number in range(20000)).encode("utf-8")
    path = tmp_path / "text.txt"
    path.write_bytes(gzip.compress(text) if is_packed else text)
    (tmp_path / "text.txt.new").write_bytes(b"a\n")
    ((byte_range,),) = plan_shards([str(path)], 1)
    parts = read_documents([byte_range])
    if when != "before":
        assert next(parts).lines == ["字字字0"]
    if when == "at the end":
        assert sum(1 for _ in itertools.islice(parts, 19998)) == 19998
    change(str(path))
    with pytest.raises(UserError, match=message):
        list(parts)


def write_gzip(folder, text, name="text.txt.gz"):
    path = folder / name
    path.write_bytes(gzip.compress(text.encode("utf-8")))
    return str(path)


@pytest.mark.parametrize("num_shards", [1, 4, 9])
def test_a_packed_corpus_is_divided_like_the_same_corpus_unpacked(tmp_path, num_shards):
    texts = ["".join("字{}\n{}\n\n".format(n, "x" * n) for n in range(size)) for size in (30, 5, 60)]
    plain = [write_text(tmp_path, text, "{}.txt".format(number)) for number, text in enumerate(texts)]
    mixed = [plain[0], write_gzip(tmp_path, texts[1]), write_gzip(tmp_path, texts[2], "no suffix")]
    shards = plan_shards(mixed, num_shards)
    assert len(shards) == num_shards
    places = [
        [[(r.file_index, r.start, r.end) for r in shard] for shard in plan]
        for plan in (shards, plan_shards(plain, num_shards))
    ]
    assert places[0] == places[1]
    assert [list(read_documents(shard)) for shard in shards] == [
        list(read_documents(shard)) for shard in plan_shards(plain, num_shards)
    ]


def test_gzip_files_are_told_by_their_content(tmp_path):
    path = write_text(tmp_path, "a\n\nb\n", "plain.gz")
    assert documents(plan_shards([path], 1)[0]) == [["a"], ["b"]]


def test_several_gzip_members(tmp_path):
    path = tmp_path / "text.gz"
    text = "\ufeff今天\n天气\n\n公园\n".encode("utf-8")
    members = [text[:5], text[5:14], b"", text[14:]]  # parted within characters
    path.write_bytes(b"".join(gzip.compress(member) for member in members) + bytes(7))  # and padded, as tar does
    assert [documents(shard) for shard in plan_shards([str(path)], 2)] == [[["今天", "天气"]], [["公园"]]]


def test_a_gzip_file_is_not_cut_too_often(tmp_path):
    text = "0123456789\n\n" * 1000
    shards = plan_shards([write_text(tmp_path, text), write_gzip(tmp_path, text)], 200)
    assert [len(shard) for shard in shards].count(2) <= 1
    packed = [byte_range for shard in shards for byte_range in shard if byte_range.file_index == 1]
    assert len(packed) == 17
    assert max(r.end - r.start for r in packed) - min(r.end - r.start for r in packed) < 150
    assert len(shards) == 100 + 16
    assert [lines for shard in shards for lines in documents(shard)] == [["0123456789"]] * 2000


@pytest.mark.parametrize(
    "spoil",
    [
        lambda packed: packed[:-1],
        lambda packed: packed[: len(packed) // 2],
        lambda packed: packed[:5],
        lambda packed: packed[:40] + b"\x55\xaa\x55" + packed[43:],
        lambda packed: packed[:-8] + b"0000" + packed[-4:],
        lambda packed: packed + b"more",
    ],
)
def test_damaged_gzip_files(tmp_path, spoil):
    path = tmp_path / "text.gz"
    path.write_bytes(spoil(gzip.compress("".join("{}\n".format(n * n) for n in range(5000)).encode("utf-8"))))
    with pytest.raises(UserError, match=r"text\.gz is a gzip file that is cut off or damaged"):
        plan_shards([str(path)], 1)


def test_bad_content_of_gzip_files(tmp_path):
    path = tmp_path / "text.gz"
    for content, message in ((b"", "is empty"), (b"\n \n", "holds only blank lines")):
        path.write_bytes(gzip.compress(content))
        with pytest.raises(UserError, match="text.gz " + message):
            plan_shards([str(path)], 1)
    path.write_bytes(gzip.compress(b"a\n\n" * 500 + b"ok\n\xff\n"))
    with pytest.raises(UserError, match="text.gz line 1002 is not UTF-8"):
        documents(plan_shards([str(path)], 5)[-1])


def test_large_gzip_files_are_read_in_constant_memory(tmp_path):
    path = write_gzip(tmp_path, "天天天天天天天天天天天天天天天\n\n" * 100000)  # 4.7 MB
    tracemalloc.start()
    shards = plan_shards([path], 3)
    assert sum(1 for shard in shards for _ in read_documents(shard)) == 100000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1e6
