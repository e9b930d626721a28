import glob

from albert.files.record_sets import shard_paths
from albert.pretraining_data.report import files_text


def test_the_glob_stands_for_all_shards_and_nothing_else(tmp_path):
    name = str(tmp_path / "a-00000-of-2.zh.tfrecord")
    others = [str(tmp_path / "a-00000-of-2.dev-00000-of-00012.tfrecord"), name + ".json"]
    paths = shard_paths(name, 12)
    for path in paths + others:
        open(path, "w").close()
    assert sorted(glob.glob(files_text(name, 12))) == paths
    assert files_text(name, 1) == name
