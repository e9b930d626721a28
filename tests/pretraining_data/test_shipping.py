"""Work that travels to another machine, made here: the same bytes, and a sentence where that machine is another."""

import os
import pickle
import sys

import pytest

from albert.files.lock import hold_lock
from albert.pretraining_data import on_worker, shards, shipping
from albert.pretraining_data.plan import Outputs, plan_tasks
from albert.pretraining_data.shards import BuildSettings, ShardBuilder
from albert.text.segmentation import read_user_dictionary


@pytest.fixture
def settings(folder):
    (folder / "words.txt").write_text("风筝 100\n", encoding="utf-8")
    words = read_user_dictionary(str(folder / "words.txt"))
    return BuildSettings(vocab_file=str(folder / "vocab.txt"), whole_words="chinese", user_dictionary=words)


@pytest.fixture
def shipped(folder, settings):
    """The packed work, its only task, and that packed; the output is locked."""
    tasks = plan_tasks([str(folder / "text.txt")], Outputs(str(folder / "out" / "zh.tfrecord")), 1)
    with hold_lock([tasks[0].path]):
        yield shipping.pack_work(tasks, settings), tasks[0], shipping.pack_tasks(tasks)[0]


def test_a_worker_needs_no_file_of_the_driver_but_the_text(folder, settings, shipped):
    expected = ShardBuilder(settings).build(shipped[1]._replace(path=str(folder / "expected")))
    for name in ("vocab.txt", "words.txt"):
        (folder / name).unlink()
    made, sentence = on_worker.make_shard(shipped[0], shipped[2])
    assert sentence == ""
    result = shipping.result_of(shipped[1], made)
    assert result == expected._replace(path=shipped[1].path)
    assert (folder / "out" / "zh.tfrecord").read_bytes() == (folder / "expected").read_bytes()


def test_two_may_write_one_shard_at_once(folder, shipped, monkeypatch):
    """Even under one process number: one writes the whole shard while the other is half done."""
    write_records, writers = shards.write_records, []

    def interrupted(path, records, compression, writer):
        writers.append(writer)
        if len(writers) == 1:
            assert on_worker.make_shard(shipped[0], shipped[2])[1] == ""
        return write_records(path, records, compression, writer)

    monkeypatch.setattr(shards, "write_records", interrupted)
    made, sentence = on_worker.make_shard(shipped[0], shipped[2])
    assert made and not sentence and len(set(writers)) == 2
    assert sorted(os.listdir(str(folder / "out"))) == ["zh.tfrecord", "zh.tfrecord.lock"]


def sentence_of(shipped, work=None):
    made, sentence = on_worker.make_shard(work or shipped[0], shipped[2])
    assert made is None and not os.path.exists(shipped[1].path)
    return sentence


def test_another_folder(folder, shipped):
    (folder / "out" / "zh.tfrecord.lock").write_text("1\n")
    assert "does not see the driver's folder {}: give".format(folder / "out") in sentence_of(shipped)


@pytest.mark.parametrize(("content", "words"), [(b"\n", "bytes there"), (None, "cannot read the text")])
def test_another_text(folder, shipped, content, words):
    if content is None:
        (folder / "text.txt").unlink()
    else:
        with open(str(folder / "text.txt"), "ab") as file:
            file.write(content)
    assert words in sentence_of(shipped)


def test_a_text_of_the_same_size_and_another_time(folder, shipped):
    os.utime(str(folder / "text.txt"), ns=(1, 1))
    assert "is not the same file on host" in sentence_of(shipped)


def test_another_version_of_a_package(shipped):
    work = pickle.loads(shipped[0])
    other = pickle.dumps(work._replace(versions=dict(work.versions, jieba="0.1")))
    assert "has jieba 0.42.1, and the driver has 0.1: install" in sentence_of(shipped, other)


def test_a_package_that_is_missing(shipped, monkeypatch):
    monkeypatch.setitem(sys.modules, "albert.pretraining_data.shipping", None)
    monkeypatch.delattr("albert.pretraining_data.shipping")
    sentence = sentence_of(shipped)
    assert "lacks a package: " in sentence and sys.executable in sentence and "requirements/spark.txt" in sentence


def test_text_that_cannot_be_used_is_said_with_its_host(folder, settings):
    (folder / "text.txt").write_bytes("今天\n\n".encode("utf-8") + b"\xff\n")
    tasks = plan_tasks([str(folder / "text.txt")], Outputs(str(folder / "out" / "zh.tfrecord")), 1)
    with hold_lock([tasks[0].path]):
        made, sentence = shipping.make_packed(shipping.pack_work(tasks, settings), shipping.pack_tasks(tasks)[0], "w7")
    assert made is None and sentence.startswith("on host w7: ") and "line 3 is not UTF-8" in sentence
