"""Apache Beam's own runner in this process; skipped where requirements/beam.txt is not installed."""

import glob
import json
import os

import pytest
import tensorflow.compat.v1 as tf

from albert.base.flags import run_command
from albert.files.tfrecords import compression_of
from tests.support.data_command import arguments, long_text, make
from tests.support.tiny_corpus import write_text, write_vocab

pytest.importorskip("apache_beam")

import create_pretraining_data_beam  # noqa: E402  (only where Beam is)


def make_with_beam(folder, **changes):
    create = create_pretraining_data_beam
    words = arguments(folder, num_workers=None, **changes)
    run_command(create.__doc__, create.declare_flags(), create.main, words)


def records_of(pattern):
    records = []
    for path in sorted(glob.glob(str(pattern))):
        options = tf.io.TFRecordOptions({"none": "", "gzip": "GZIP"}[compression_of(path)])
        records += list(tf.io.tf_record_iterator(path, options))
    return records


@pytest.fixture
def folder(tmp_path):
    write_text(tmp_path, long_text())
    write_vocab(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    "changes",
    [
        {"num_shards": 3, "do_whole_word_mask": True},
        {"num_shards": 1},
        {"num_shards": 2, "dynamic_masking": True, "dupe_factor": 1, "compression": "gzip"},
    ],
)
def test_the_examples_are_those_of_the_local_command(folder, changes):
    make(folder, heldout_file=folder / "out" / "held.tfrecord", heldout_share=0.2, **changes)
    make_with_beam(
        folder,
        output_file=folder / "beam" / "zh.tfrecord",
        heldout_file=folder / "beam" / "held.tfrecord",
        heldout_share=0.2,
        **changes,
    )
    for name in ("zh", "held"):
        local = records_of(folder / "out" / (name + "*.tfrecord"))
        assert len(local) > 5
        assert sorted(records_of(folder / "beam" / (name + "*.tfrecord"))) == sorted(local)
        sidecars = [json.loads((folder / made / (name + ".tfrecord.json")).read_text()) for made in ("out", "beam")]
        assert sidecars[1].pop("shards") == []
        assert sidecars[0].pop("shards") != []
        assert sidecars[1] == sidecars[0]
    report = json.loads((folder / "beam" / "zh.tfrecord.report.json").read_text())
    assert report["num_files"] == changes["num_shards"] == len(glob.glob(str(folder / "beam" / "zh*.tfrecord")))


def test_an_output_that_exists_is_kept(folder, capsys):
    make_with_beam(folder)
    with pytest.raises(SystemExit):
        make_with_beam(folder)
    assert "exists: name another --output_file or give --overwrite" in capsys.readouterr().err
    make_with_beam(folder, overwrite=True)


def test_bad_text_ends_in_one_sentence_and_leaves_nothing(folder, capsys):
    (folder / "text.txt").write_bytes("今天\n\n".encode("utf-8") + b"\xff\n")
    with pytest.raises(SystemExit):
        make_with_beam(folder)
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ") and error.endswith("-t utf-8`") and "line 3 is not UTF-8" in error
    assert not os.path.exists(str(folder / "out")) or os.listdir(str(folder / "out")) == []
