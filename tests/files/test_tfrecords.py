import gzip
import struct

import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.files import tfrecords
from albert.files.tfrecords import write_records


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
    assert tfrecords.count_records(path) == 3
    assert tfrecords.first_record(path) == b""


def test_a_file_that_tensorflow_wrote_is_read(tmp_path):
    path = str(tmp_path / "some.tfrecord")
    with tf.io.TFRecordWriter(path) as writer:
        for record in (b"first", b"second"):
            writer.write(record)
    assert tfrecords.first_record(path) == b"first"
    spans = list(tfrecords.record_spans(path))
    content = (tmp_path / "some.tfrecord").read_bytes()
    assert [content[offset : offset + length] for offset, length in spans] == [b"first", b"second"]
    assert write_records(str(tmp_path / "same.tfrecord"), [b"first", b"second"]) == 2
    assert (tmp_path / "same.tfrecord").read_bytes() == content


def test_a_file_without_records(tmp_path):
    path = str(tmp_path / "empty.tfrecord")
    assert write_records(path, []) == 0
    assert tfrecords.count_records(path) == 0
    assert tfrecords.first_record(path) is None


def test_truncated_and_foreign_files(tmp_path):
    path = tmp_path / "some.tfrecord"
    write_records(str(path), [b"one", b"two"])
    content = path.read_bytes()
    for size in range(1, len(content)):
        path.write_bytes(content[:size])
        if size == len(content) // 2:
            assert tfrecords.count_records(str(path)) == 1  # cut exactly between two records
        else:
            with pytest.raises(UserError, match="cut off or no TFRecord"):
                tfrecords.count_records(str(path))
    path.write_text("label\ttext\n" * 10)
    with pytest.raises(UserError, match="no TFRecord"):
        tfrecords.first_record(str(path))
    with pytest.raises(UserError, match="cannot read"):
        tfrecords.count_records(str(tmp_path / "missing"))


def packed_by_tensorflow(path, records):
    options = tf.io.TFRecordOptions(compression_type=tf.io.TFRecordCompressionType.GZIP)
    with tf.io.TFRecordWriter(path, options) as writer:
        for record in records:
            writer.write(record)


def packed_by_us(path, records):
    assert write_records(path, records, tfrecords.GZIP) == len(records)


RECORDS = [b"", b"x", bytes(range(256)) * 300, b"y" * 70000, b"last"]


@pytest.mark.parametrize("write", [packed_by_tensorflow, packed_by_us])
def test_packed_files(tmp_path, write):
    path = str(tmp_path / "some.tfrecord")
    write(path, RECORDS)
    assert tfrecords.compression_of(path) == "gzip"
    options = tf.io.TFRecordOptions(compression_type=tf.io.TFRecordCompressionType.GZIP)
    assert list(tf.io.tf_record_iterator(path, options)) == RECORDS
    assert tfrecords.count_records(path) == 5
    assert tfrecords.first_record(path) == b""
    plain = str(tmp_path / "plain.tfrecord")
    write_records(plain, RECORDS)
    assert tfrecords.compression_of(plain) == "none"
    assert list(tfrecords.record_spans(path)) == list(tfrecords.record_spans(plain))
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
    assert tfrecords.compression_of(path) == "gzip"
    assert tfrecords.count_records(path) == 0
    assert tfrecords.first_record(path) is None


def test_truncated_and_damaged_packed_files(tmp_path):
    path = tmp_path / "some.tfrecord"
    packed_by_us(str(path), RECORDS)
    content = path.read_bytes()
    for size in (2, 11, 20, len(content) // 2, len(content) - 8, len(content) - 1):
        path.write_bytes(content[:size])
        with pytest.raises(UserError, match="some.tfrecord is (a gzip file that is )?cut off or"):
            tfrecords.count_records(str(path))
    path.write_bytes(gzip.compress(b"label\ttext\n" * 10))
    with pytest.raises(UserError, match="no TFRecord"):
        tfrecords.first_record(str(path))


def test_a_plain_file_that_begins_like_a_packed_one(tmp_path):
    path = str(tmp_path / "some.tfrecord")
    records = [b"x" * 0x088B1F, b"y"]
    write_records(path, records)
    assert (tmp_path / "some.tfrecord").read_bytes()[:3] == b"\x1f\x8b\x08"
    assert tfrecords.compression_of(path) == "none"
    assert tfrecords.count_records(path) == 2
    assert tfrecords.first_record(path) == records[0]


@pytest.mark.parametrize("length", [2**64 - 1, 2**63, 2**40, 2**30 + 1])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_impossible_lengths_are_refused_at_once(tmp_path, length, pack):
    path = tmp_path / "some.tfrecord"
    header = struct.pack("<Q", length)
    header += struct.pack("<I", tfrecords._masked_crc(header))
    path.write_bytes(pack(header + bytes(1000)))
    for read in (tfrecords.count_records, tfrecords.first_record):
        with pytest.raises(UserError, match="some.tfrecord is cut off or no TFRecord file: make it again"):
            read(str(path))


def test_most_records_of_a_file(tmp_path):
    path = str(tmp_path / "some.tfrecord")
    write_records(path, [b""] * 10)
    assert tfrecords.most_records(path) == 10
    write_records(path, [b""] * 100000, tfrecords.GZIP)
    assert tfrecords.most_records(path) >= 100000
