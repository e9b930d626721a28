import json
import os

import pytest

from albert.base.errors import UserError
from albert.files.complete import write_json
from albert.files.record_sets import (
    described_shard,
    expand_globs,
    read_sidecar,
    record_counts,
    shard_paths,
    sidecar_parts,
    sidecar_path,
)
from albert.files.tfrecords import write_records


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
    assert read_sidecar(path) is None
    write_json(sidecar_path(path), {"名": [1, None]})
    assert read_sidecar(shard_paths(path, 4)[3]) == {"名": [1, None]}
    assert json.loads((tmp_path / "zh.tfrecord.json").read_bytes().decode("utf-8")) == {"名": [1, None]}
    for content in ("{", "[]", "\xff"):
        (tmp_path / "zh.tfrecord.json").write_bytes(content.encode("latin-1"))
        with pytest.raises(UserError, match="zh.tfrecord.json is not a sidecar of records: it (is not|holds no)"):
            read_sidecar(path)


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
    with pytest.raises(UserError, match=r"a\.txt is a folder: name its files, for example .*a\.txt.\*"):
        expand_globs(base + "a.txt")
    with pytest.raises(UserError, match="no input file"):
        expand_globs(" ,")


SHARD = {"file": "zh.tfrecord", "bytes": 34, "records": 2}
SOUND = {
    "settings": {"max_seq_length": 128, "max_predictions_per_seq": 20},
    "vocabulary": {"size": 21128},
    "shards": [SHARD],
}


@pytest.mark.parametrize(
    "change, message",
    [
        ({"settings": None}, "'settings' must be an object, not null"),
        ({"settings": {"max_seq_length": 128}}, "the key 'settings.max_predictions_per_seq' is missing"),
        ({"settings": {"max_seq_length": 10**12, "max_predictions_per_seq": 1}}, "must be a whole number from 1 to"),
        ({"settings": {"max_seq_length": "128", "max_predictions_per_seq": 1}}, 'a whole number .*not "128"'),
        ({"vocabulary": {"size": True}}, "'vocabulary.size' must be a whole number from 1 on, not true"),
        ({"vocabulary": []}, "'vocabulary' must be an object"),
        ({"shards": 7}, "'shards' must be a list of objects, not 7"),
        ({"shards": [SHARD, 1]}, "'shards' must be a list of objects"),
    ],
)
def test_sidecars_of_another_form_are_refused(tmp_path, change, message):
    path = str(tmp_path / "zh.tfrecord")
    sidecar_parts(path, SOUND)
    with pytest.raises(UserError, match="zh.tfrecord.json is not a sidecar of records: .*" + message):
        sidecar_parts(path, dict(SOUND, **change))


@pytest.mark.parametrize(
    "shard, message",
    [
        ({"file": "zh.tfrecord", "bytes": 34}, "the key 'shards.0..records' is missing"),
        ({"file": "zh.tfrecord", "bytes": -1, "records": 2}, "'shards.0..bytes' must be a whole number from 0 on"),
        ({"bytes": 34, "records": 2}, "the key 'shards.0..file' is missing"),
    ],
)
def test_shards_of_another_form_are_refused(tmp_path, shard, message):
    path = str(tmp_path / "zh.tfrecord")
    assert described_shard(path, SOUND) == SHARD
    with pytest.raises(UserError, match=message):
        described_shard(path, dict(SOUND, shards=[shard]))


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_more_records_than_fit_into_a_file_are_not_believed(tmp_path, compression):
    path = str(tmp_path / "zh.tfrecord")
    write_records(path, [b"x", b"y"], compression)
    for described in (2, 10**12):
        write_json(sidecar_path(path), dict(SOUND, shards=[dict(SHARD, records=described)]))
        if described == 2:
            assert record_counts([path]) == [2]
        else:
            with pytest.raises(UserError, match="zh.tfrecord.json says that .* has 1,000,000,000,000 records, but"):
                record_counts([path])


@pytest.mark.parametrize("name", ["data[1]", "a*b", "what?", "a b", "[]"])
def test_patterns_in_a_folder_whose_name_looks_like_one(tmp_path, name):
    for folder in (name, "data1", "aXb", "what1"):
        (tmp_path / folder / "[x]").mkdir(parents=True)
        for file in ("1.txt", "2.txt", os.path.join("[x]", "3.txt")):
            (tmp_path / folder / file).touch()
    base = str(tmp_path / name)
    assert expand_globs(base + "/*.txt") == [base + "/1.txt", base + "/2.txt"]
    assert expand_globs(base + "/2.txt," + base + "/[x]/?.txt") == [base + "/2.txt", base + "/[x]/3.txt"]
    with pytest.raises(UserError, match="no file matches"):
        expand_globs(base + "/none/*.txt")
