import json
import os

import pytest

from albert.base.errors import UserError
from albert.files.complete import write_json
from albert.files.record_sets import expand_globs, read_sidecar, shard_paths, sidecar_path


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
        with pytest.raises(UserError, match="cannot read the sidecar"):
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
    with pytest.raises(UserError, match=r"no file matches .*a\.txt"):
        expand_globs(base + "a.txt")
    with pytest.raises(UserError, match="no input file"):
        expand_globs(" ,")
