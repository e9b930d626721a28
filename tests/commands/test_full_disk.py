"""A disk that becomes full: nothing half-written, what is finished is kept, the message says how much is missing."""

import errno
import logging
import os
import re

import pytest

from albert.base.errors import UserError
from albert.files import complete
from albert.files.complete import CompleteFile
from albert.files.features import Feature, pretraining_features
from albert.files.record_sets import read_sidecar
from albert.files.space import DiskFullError, is_full_disk, reason_of, size_text
from albert.files.tfrecords import write_records
from albert.pretraining_data.output import add_to_journal, claim_output
from albert.pretraining_data.shards import COUNTS, DROP_REASONS, ShardResult
from albert.pretraining_data.size import estimated_rate
from tests.support.data_command import files_below, long_text, make, records_of, refusal
from tests.support.tiny_corpus import write_text


class FullAfter:
    """A file that takes so many bytes and no more, or that fails when it is closed."""

    def __init__(self, name, room, error):
        self.file = open(name, "wb")  # noqa: SIM115 (closed in close)
        self.room, self.error = room, error

    def write(self, data):
        self.room -= len(data)
        if self.room < 0:
            raise OSError(self.error, os.strerror(self.error))
        return self.file.write(data)

    def flush(self):
        self.file.flush()

    def fileno(self):
        return self.file.fileno()

    def close(self):
        self.file.close()
        if self.room == 0:
            raise OSError(self.error, os.strerror(self.error))


@pytest.mark.parametrize("room", [0, 2500, 16 + 4000])
@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EDQUOT])
def test_a_write_that_fails_leaves_nothing(tmp_path, monkeypatch, room, error):
    path = tmp_path / "some.tfrecord"
    path.write_bytes(b"old")
    monkeypatch.setattr(complete, "open", lambda name, _: FullAfter(name, room, error), raising=False)
    with pytest.raises(DiskFullError, match=r"some.tfrecord: its disk is full, .* free and more than .* are needed"):
        write_records(str(path), [b"x" * 1000] * 3 + [b"y" * 952])  # with four frames of 16 bytes: 4016
    assert path.read_bytes() == b"old"
    assert os.listdir(str(tmp_path)) == ["some.tfrecord"]


def test_another_error_of_the_disk(tmp_path, monkeypatch):
    monkeypatch.setattr(complete, "open", lambda name, _: FullAfter(name, 5, errno.EIO), raising=False)
    with pytest.raises(UserError, match="some: Input/output error; nothing was left") as raised:
        write_records(str(tmp_path / "some"), [b"x" * 1000])
    assert not isinstance(raised.value, DiskFullError)
    assert not os.listdir(str(tmp_path))


def test_a_file_on_a_full_disk(small_disk):
    folder = small_disk(64)
    (folder / "other").write_bytes(b"x" * 20000)
    with pytest.raises(DiskFullError) as raised, CompleteFile(str(folder / "big")) as file:
        for _ in range(100):
            file.write(b"y" * 1000)
    needed = re.search(r"its disk is full, 45.1 KB are free and more than (\d+).0 KB are needed", str(raised.value))
    assert 40 <= int(needed.group(1)) <= 60
    assert os.listdir(str(folder)) == ["other"]
    with CompleteFile(str(folder / "fits")) as file:
        file.write(b"y" * 40000)


def test_the_journal_on_a_full_disk(small_disk):
    folder = small_disk(16)
    output = str(folder / "zh.tfrecord")
    shard = ShardResult(str(folder / "zh-0"), 5, dict.fromkeys(COUNTS + DROP_REASONS, 0))
    claim_output([output], [shard.path], {"format_version": 1}, overwrite=False)
    added = 0
    with pytest.raises(DiskFullError, match="partial.jsonl: its disk is full"):
        while True:
            add_to_journal(output, shard)
            added += 1
    lines = (folder / "zh.tfrecord.partial.jsonl").read_bytes().splitlines(True)
    assert added > 3 and len(lines) == 1 + added and lines[-1] == lines[1]


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_run_on_a_full_disk_is_taken_up(folder, small_disk, capsys, caplog, num_workers):
    write_text(folder, long_text(400))
    options = {"num_shards": 6, "dupe_factor": 3, "num_workers": num_workers}
    make(folder, **options)
    whole = files_below(folder / "out")
    size = sum(map(len, whole.values()))
    disk = small_disk(int(size * 0.6) >> 10)
    caplog.clear()
    with caplog.at_level(logging.WARNING), pytest.raises(SystemExit) as end:
        make(folder, output_file=disk / "zh.tfrecord", **options)
    assert end.value.code == 1
    assert re.match(r".*small_disk has .* KB free, and 6 shards will need about .* KB", caplog.messages[0])
    error = capsys.readouterr().err.strip().splitlines()[-1]
    found = re.match(
        r"error: the disk of (\S+) is full: ([\d.]+) KB are free, and the (\d) missing shards need about ([\d.]+) KB; "
        "finished shards are kept, make room and run the same command again$",
        error,
    )
    missing = int(found.group(3))
    left = records_of(files_below(disk))
    assert sorted(files_below(disk)) == sorted([*left, "zh.tfrecord.partial.jsonl"])
    assert len(left) == 6 - missing >= 1
    assert all(whole[name] == content for name, content in left.items())
    really = sum(len(content) for name, content in records_of(whole).items() if name not in left)
    assert 0.7 < float(found.group(4)) * 1e3 / really < 1.4
    assert float(found.group(2)) < float(found.group(4))
    times = {name: os.stat(str(disk / name)).st_mtime_ns for name in left}
    small_disk((size >> 10) * 2)
    make(folder, output_file=disk / "zh.tfrecord", **options)
    assert files_below(disk) == whole
    assert {name: os.stat(str(disk / name)).st_mtime_ns for name in left} == times


def test_a_disk_that_is_certainly_too_small(folder, small_disk, capsys):
    disk = small_disk(64)
    for options in ({}, {"heldout_file": disk / "dev.tfrecord", "heldout_share": 0.4}):
        options = dict({"output_file": disk / "zh.tfrecord", "dupe_factor": 5000}, **options)
        error, status = refusal(folder, capsys, **options)
        assert re.search(r"small_disk has \d+.\d KB free, and . shards will need about \d+.\d MB: make room", error)
        assert status == 1
    error, _ = refusal(
        folder, capsys, heldout_file=disk / "dev.tfrecord", heldout_share=0.4, dupe_factor=5000
    )  # the training records have room
    assert "small_disk has" in error and "and 1 shards" in error


def test_a_disk_that_does_not_tell_its_room(folder, monkeypatch):
    def refuse(path):
        raise OSError(errno.ENOSYS, "not implemented")

    monkeypatch.setattr("shutil.disk_usage", refuse)
    make(folder)
    assert read_sidecar(str(folder / "out" / "zh.tfrecord"))["counts"]["documents"] == 5


# Text that repeats itself packs better than real text.
@pytest.mark.parametrize("compression, most", [("none", 1.5), ("gzip", 3.0)])
@pytest.mark.parametrize("length, predictions, passes", [(32, 5, 2), (128, 20, 1), (512, 51, 3)])
def test_the_estimate(folder, length, predictions, passes, compression, most):
    write_text(folder, long_text(300).replace("\n\n", "\n"))
    make(
        folder,
        max_seq_length=length,
        max_predictions_per_seq=predictions,
        dupe_factor=passes,
        compression=compression,
        num_shards=1,
    )
    rate = estimated_rate(pretraining_features(length, predictions), length, passes, compression)
    estimate = rate * (folder / "text.txt").stat().st_size
    assert 0.6 < estimate / (folder / "out" / "zh.tfrecord").stat().st_size < most


def test_the_estimate_of_records_without_padding():
    ids = Feature("ids", "int64", None)
    shorter, longer = (estimated_rate([ids], length, 1, "none") for length in (64, 512))
    assert longer < shorter < 2 * longer  # a token costs the same, a record's frame is shared by more of them


def test_sizes_as_text():
    assert [size_text(size) for size in (0, 999, 1000, 45056, 3100000000, 2 * 10**12)] == [
        "0 bytes",
        "999 bytes",
        "1.0 KB",
        "45.1 KB",
        "3.1 GB",
        "2,000.0 GB",
    ]


@pytest.mark.parametrize(
    "number,reason",
    [
        (errno.ENOSPC, r"the disk of {} is full \([\d.,]+ .B free\)"),
        (errno.EFBIG, r"a file in {} .* \(see `ulimit -f`\)"),
    ],
)
def test_a_limit_of_files_is_no_full_disk(tmp_path, number, reason):
    error = OSError(number, os.strerror(number))
    assert is_full_disk(error)
    assert re.fullmatch(reason.format(re.escape(str(tmp_path))), reason_of(error, str(tmp_path)))
