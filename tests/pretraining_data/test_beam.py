"""Apache Beam's own runner in this process; skipped where requirements/beam.txt is not installed."""

import json
import os

import pytest

from albert.base.flags import run_command
from tests.support.data_command import arguments, files_below, long_text, make
from tests.support.tiny_corpus import write_text, write_vocab

pytest.importorskip("apache_beam")

import create_pretraining_data_beam  # noqa: E402  (only where Beam is)


def make_with_beam(folder, **changes):
    create = create_pretraining_data_beam
    words = arguments(folder, num_workers=None, **changes)
    run_command(create.__doc__, create.declare_flags(), create.main, words)


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
def test_the_bytes_are_those_of_the_local_command(folder, changes):
    make(folder, heldout_file=folder / "out" / "held.tfrecord", heldout_share=0.2, **changes)
    beams = {"output_file": folder / "beam" / "zh.tfrecord", "heldout_file": folder / "beam" / "held.tfrecord"}
    make_with_beam(folder, heldout_share=0.2, **beams, **changes)
    made = files_below(folder / "beam")
    assert made == files_below(folder / "out")
    assert len(made) == 2 * changes["num_shards"] + 2
    report = json.loads((folder / "beam" / "zh.tfrecord.report.json").read_text())
    assert report["this_run"]["workers"] == "Apache Beam"


def test_finished_shards_are_kept(folder):
    make_with_beam(folder, num_shards=3)
    shards = sorted((folder / "out").glob("*.tfrecord"))
    before = [shard.stat().st_ino for shard in shards]
    shards[1].unlink()
    make_with_beam(folder, num_shards=3)
    after = [shard.stat().st_ino for shard in shards]
    assert after[::2] == before[::2]


def test_bad_text_ends_in_one_sentence_and_leaves_nothing(folder, capsys):
    (folder / "text.txt").write_bytes("今天\n\n".encode("utf-8") + b"\xff\n")
    with pytest.raises(SystemExit):
        make_with_beam(folder)
    error = capsys.readouterr().err.strip().splitlines()[-1]
    assert error.startswith("error: ") and error.endswith("save it as UTF-8") and "line 3 is not UTF-8" in error
    assert not os.path.exists(str(folder / "out")) or os.listdir(str(folder / "out")) == []
