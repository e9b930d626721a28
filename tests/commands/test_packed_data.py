"""Text and records packed with gzip, through the commands: the same examples as unpacked."""

import gzip

import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.files.record_sets import read_sidecar
from albert.files.tfrecords import compression_of
from albert.pretraining.inputs import check_records
from tests.support.data_command import files_below, long_text, make, records_of, refusal
from tests.support.tiny_corpus import write_text


def pack(path):
    path.with_name(path.name + ".gz").write_bytes(gzip.compress(path.read_bytes()))


@pytest.fixture
def texts(folder):
    """A folder with two texts."""
    write_text(folder, long_text())
    write_text(folder, long_text(7), "text2.txt")
    return folder


def test_a_packed_text_gives_the_same_records(texts):
    make(texts, input_file=texts / "text*.txt", num_shards=3, heldout_file=texts / "dev.tfrecord")
    pack(texts / "text.txt")
    output = texts / "of_packed"
    names = "{0}/text.txt.gz,{0}/text2.*".format(texts)  # one packed, one not
    make(
        texts,
        input_file=names,
        output_file=output / "zh.tfrecord",
        heldout_file=output / "dev.tfrecord",
        num_shards=3,
        num_workers=2,
    )
    plain = records_of(files_below(texts / "out"))
    packed = records_of(files_below(output))
    assert {name: packed[name] for name in plain} == plain
    assert len(plain) == 3 and len(packed) == 6
    described = read_sidecar(str(output / "zh.tfrecord"))["input"]
    assert [entry["file"] for entry in described] == ["text.txt.gz", "text2.txt"]
    assert described[0]["bytes"] == (texts / "text.txt.gz").stat().st_size


def test_a_damaged_packed_text(texts, capsys):
    pack(texts / "text.txt")
    path = texts / "text.txt.gz"
    path.write_bytes(path.read_bytes()[:-20])
    error, status = refusal(texts, capsys, input_file=path)
    assert "text.txt.gz is a gzip file that is cut off or damaged" in error and status == 1


def test_packed_records_hold_the_same_examples(texts):
    for compression in ("none", "gzip"):
        make(texts, output_file=texts / compression / "zh.tfrecord", num_shards=2, compression=compression)
    plain, packed = (records_of(files_below(texts / name)) for name in ("none", "gzip"))
    assert {name: gzip.decompress(content) for name, content in packed.items()} == plain
    sidecars = [read_sidecar(str(texts / name / "zh.tfrecord")) for name in ("none", "gzip")]
    assert [sidecar["settings"].pop("compression") for sidecar in sidecars] == ["none", "gzip"]
    assert sidecars[0]["counts"] == sidecars[1]["counts"]
    sizes = [sum(shard["bytes"] for shard in sidecar["shards"]) for sidecar in sidecars]
    assert sizes[1] < 0.5 * sizes[0]
    assert sidecars[1]["shards"][0]["bytes"] == len(packed["zh-00000-of-00002.tfrecord"])


def test_the_bytes_of_packed_shards_repeat(texts):
    for workers in (1, 2):
        make(texts, output_file=texts / str(workers) / "zh.tfrecord", num_workers=workers, compression="gzip")
    assert files_below(texts / "1") == files_below(texts / "2")


def test_another_compression_needs_overwrite(texts, capsys):
    make(texts)
    assert "(compression none, not gzip)" in refusal(texts, capsys, compression="gzip")[0]
    make(texts, compression="gzip", overwrite=True)
    assert compression_of(str(texts / "out" / "zh.tfrecord")) == "gzip"


def test_training_checks_packed_records(texts):
    make(texts, compression="gzip")
    path = texts / "out" / "zh.tfrecord"
    size = len((texts / "vocab.txt").read_text(encoding="utf-8").splitlines())
    check_records(str(path), 32, 5, size)
    with pytest.raises(UserError, match="made for max_seq_length 32, asked for 64"):
        check_records(str(path), 64, 5, size)
    content = path.read_bytes()
    path.write_bytes(content[:-5])
    with pytest.raises(
        UserError, match="zh.tfrecord has {} bytes, {} were written".format(len(content) - 5, len(content))
    ):
        check_records(str(path), 32, 5, size)
    (texts / "out" / "zh.tfrecord.json").unlink()
    with pytest.raises(UserError, match="zh.tfrecord is a gzip file that is cut off"):
        check_records(str(path), 32, 5, size)
    path.write_bytes(content)
    check_records(str(path), 32, 5, size)
    options = tf.io.TFRecordOptions(compression_type=tf.io.TFRecordCompressionType.GZIP)
    assert sum(1 for _ in tf.io.tf_record_iterator(str(path), options)) > 5
