import gzip
import json
import os
import subprocess
import sys

import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.files import tfrecords as record_files
from albert.files.tfrecords import CompleteFile, expand_globs, shard_paths, sidecar_path, write_records


def test_tensorflow_reads_the_file(tmp_path):
    path = str(tmp_path / "some.tfrecord")
    records = [b"", b"x", bytes(range(256)) * 300]
    assert write_records(path, iter(records)) == 3
    assert list(tf.io.tf_record_iterator(path)) == records
    with tf.Graph().as_default(), tf.Session() as session:
        following = tf.data.make_one_shot_iterator(tf.data.TFRecordDataset(path)).get_next()
        assert [session.run(following) for _ in records] == records
        with pytest.raises(tf.errors.OutOfRangeError):
            session.run(following)
    assert record_files.count_records(path) == 3
    assert record_files.first_record(path) == b""


def test_a_file_that_tensorflow_wrote_is_read(tmp_path):
    path = str(tmp_path / "some.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for record in (b"first", b"second"):
            writer.write(record)
    assert record_files.first_record(path) == b"first"
    spans = list(record_files.record_spans(path))
    content = (tmp_path / "some.tfrecord").read_bytes()
    assert [content[offset : offset + length] for offset, length in spans] == [b"first", b"second"]
    assert write_records(str(tmp_path / "same.tfrecord"), [b"first", b"second"]) == 2
    assert (tmp_path / "same.tfrecord").read_bytes() == content


def test_a_file_without_records(tmp_path):
    path = str(tmp_path / "empty.tfrecord")
    assert write_records(path, []) == 0
    assert record_files.count_records(path) == 0
    assert record_files.first_record(path) is None


def test_truncated_and_foreign_files(tmp_path):
    path = tmp_path / "some.tfrecord"
    write_records(str(path), [b"one", b"two"])
    content = path.read_bytes()
    for size in range(1, len(content)):
        path.write_bytes(content[:size])
        if size == len(content) // 2:
            assert record_files.count_records(str(path)) == 1  # cut exactly between two records
        else:
            with pytest.raises(UserError, match="cut off or no TFRecord"):
                record_files.count_records(str(path))
    path.write_text("label\ttext\n" * 10)
    with pytest.raises(UserError, match="no TFRecord"):
        record_files.first_record(str(path))
    with pytest.raises(UserError, match="cannot read"):
        record_files.count_records(str(tmp_path / "missing"))


def packed_by_tensorflow(path, records):
    options = tf.io.TFRecordOptions(compression_type=tf.io.TFRecordCompressionType.GZIP)
    with tf.io.TFRecordWriter(path, options) as writer:
        for record in records:
            writer.write(record)


def packed_by_us(path, records):
    assert write_records(path, records, record_files.GZIP) == len(records)


RECORDS = [b"", b"x", bytes(range(256)) * 300, b"y" * 70000, b"last"]


@pytest.mark.parametrize("write", [packed_by_tensorflow, packed_by_us])
def test_packed_files(tmp_path, write):
    path = str(tmp_path / "some.tfrecord")
    write(path, RECORDS)
    assert record_files.compression_of(path) == "gzip"
    options = tf.io.TFRecordOptions(compression_type=tf.io.TFRecordCompressionType.GZIP)
    assert list(tf.io.tf_record_iterator(path, options)) == RECORDS
    assert record_files.count_records(path) == 5
    assert record_files.first_record(path) == b""
    plain = str(tmp_path / "plain.tfrecord")
    write_records(plain, RECORDS)
    assert record_files.compression_of(plain) == "none"
    assert list(record_files.record_spans(path)) == list(record_files.record_spans(plain))
    with gzip.open(path) as packed:
        assert packed.read() == (tmp_path / "plain.tfrecord").read_bytes()


def test_packed_bytes_hold_neither_name_nor_time(tmp_path):
    contents = []
    for name in ("a.tfrecord", "b"):
        packed_by_us(str(tmp_path / name), RECORDS)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    assert contents[0][:8] == bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0))  # deflate, no flags, no time


def test_a_packed_file_without_records(tmp_path):
    path = str(tmp_path / "empty.tfrecord")
    packed_by_us(path, [])
    assert record_files.compression_of(path) == "gzip"
    assert record_files.count_records(path) == 0
    assert record_files.first_record(path) is None


def test_truncated_and_damaged_packed_files(tmp_path):
    path = tmp_path / "some.tfrecord"
    packed_by_us(str(path), RECORDS)
    content = path.read_bytes()
    for size in (2, 11, 20, len(content) // 2, len(content) - 8, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(UserError, match="some.tfrecord is (a gzip file that is )?cut off or"):
            record_files.count_records(str(path))
    path.write_bytes(gzip.compress(b"label\ttext\n" * 10))
    with pytest.raises(UserError, match="no TFRecord"):
        record_files.first_record(str(path))


def test_a_plain_file_that_begins_like_a_packed_one(tmp_path):
    path = str(tmp_path / "some.tfrecord")
    records = [b"x" * 0x088B1F, b"y"]
    write_records(path, records)
    assert (tmp_path / "some.tfrecord").read_bytes()[:3] == b"\x1f\x8b\x08"
    assert record_files.compression_of(path) == "none"
    assert record_files.count_records(path) == 2
    assert record_files.first_record(path) == records[0]


def test_complete_file_appears_at_the_end(tmp_path):
    path = tmp_path / "new" / "folder" / "file"
    with CompleteFile(str(path)) as file:
        file.write(b"half")
        assert not path.exists()
        file.write(b" whole")
    assert path.read_bytes() == b"half whole"
    assert os.listdir(str(path.parent)) == ["file"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, UserError])
def test_complete_file_leaves_nothing_after_an_error(tmp_path, error):
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(error), CompleteFile(str(path)) as file:
        file.write(b"new")
        raise error()
    assert path.read_bytes() == b"old"
    assert os.listdir(str(tmp_path)) == ["file"]


def test_places_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "below", tmp_path):
        with pytest.raises(UserError, match="cannot write"), CompleteFile(str(path)) as file:
            file.write(b"x")
    assert os.listdir(str(tmp_path)) == ["file"]


def test_a_killed_process_leaves_no_file_under_the_final_name(tmp_path):
    path = tmp_path / "[1].tfrecord"
    code = (
        "import os, sys\nfrom albert.files.tfrecords import CompleteFile\n"
        "with CompleteFile(sys.argv[1]) as f:\n f.write(b'x')\n os._exit(9)"
    )
    assert subprocess.call([sys.executable, "-c", code, str(path)], cwd=ROOT) == 9
    (left,) = os.listdir(str(tmp_path))
    assert left != path.name
    (tmp_path / "other").write_bytes(b"")
    record_files.remove_unfinished(str(path))
    assert os.listdir(str(tmp_path)) == ["other"]


def test_shard_names():
    assert shard_paths("a/zh.tfrecord", 1) == ["a/zh.tfrecord"]
    assert shard_paths("a.b/zh.x.tfrecord", 2) == [
        "a.b/zh.x-00000-of-00002.tfrecord",
        "a.b/zh.x-00001-of-00002.tfrecord",
    ]
    assert shard_paths("a.b/zh", 2)[1] == "a.b/zh-00001-of-00002"


@pytest.mark.parametrize(
    "name", ["zh.tfrecord", "a.b/zh", "a-00001-of-00002.d/zh", "zh.x.tfrecord", "zh-1-of-2.tfrecord"]
)
def test_all_shards_share_a_sidecar(name):
    assert {sidecar_path(path) for path in shard_paths(name, 3)} == {name + ".json"}
    assert sidecar_path(name) == name + ".json"


def test_sidecars(tmp_path):
    path = str(tmp_path / "zh.tfrecord")
    assert record_files.read_sidecar(path) is None
    record_files.write_json(sidecar_path(path), {"名": [1, None]})
    assert record_files.read_sidecar(shard_paths(path, 4)[3]) == {"名": [1, None]}
    assert json.loads((tmp_path / "zh.tfrecord.json").read_bytes().decode("utf-8")) == {"名": [1, None]}
    for content in ("{", "[]", "\xff"):
        (tmp_path / "zh.tfrecord.json").write_bytes(content.encode("latin-1"))
        with pytest.raises(UserError, match="cannot read the sidecar"):
            record_files.read_sidecar(path)


def test_globs(tmp_path):
    for name in ("a1.txt", "a2.txt", "b.txt", "[c].txt", "a3.txt.unfinished-77"):
        (tmp_path / name).write_text("x")
    (tmp_path / "a.txt").mkdir()
    base = str(tmp_path) + os.sep
    assert expand_globs(base + "b.txt," + base + "a*, " + base + "a1.txt") == [
        base + "a1.txt",
        base + "a2.txt",
        base + "b.txt",
    ]
    assert expand_globs(base + "[c].txt") == [base + "[c].txt"]
    with pytest.raises(UserError, match="no file matches .*nothing"):
        expand_globs(base + "b.txt," + base + "nothing*")
    with pytest.raises(UserError, match=r"no file matches .*a\.txt"):
        expand_globs(base + "a.txt")
    with pytest.raises(UserError, match="no input file"):
        expand_globs(" ,")
