import glob
import io

from albert.files.record_sets import shard_paths
from albert.pretraining_data.report import BuildProgress, files_text, progress_text


def test_the_glob_stands_for_all_shards_and_nothing_else(tmp_path):
    name = str(tmp_path / "a-00000-of-2.zh.tfrecord")
    others = [str(tmp_path / "a-00000-of-2.dev-00000-of-00012.tfrecord"), name + ".json"]
    paths = shard_paths(name, 12)
    for path in paths + others:
        open(path, "w").close()
    assert sorted(glob.glob(files_text(name, 12))) == paths
    assert files_text(name, 1) == name


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress_text():
    text = progress_text(3_000_000, 12_000_000, 1234, 50_000, 10.0)
    assert text == "25.0 % | 1,234 documents | 0.30 MB/s | 5,000 examples/s | ETA 0:00:30"
    assert progress_text(0, 0, 0, 0, 0.0) == "100.0 % | 0 documents | 0.00 MB/s | 0 examples/s | ETA ?"
    assert progress_text(10, 40_000, 1, 1, 1.0).endswith("ETA 1:06:39")
    assert progress_text(20, 10, 1, 1, 1.0).startswith("100.0 %")


def test_a_file_gets_a_line_of_progress_every_ten_seconds():
    stream, times = io.StringIO(), iter([0.0, 1.0, 9.9, 10.1, 15.0, 20.2])
    progress = BuildProgress(stream, 100, lambda: next(times))
    for num_bytes in (1, 9, 10, 15, 20):
        progress.update(num_bytes, num_bytes, num_bytes)
    progress.close()
    lines = stream.getvalue().splitlines()
    assert [line[:6] for line in lines] == ["10.0 %", "20.0 %"]


def test_a_terminal_gets_one_line_of_progress():
    stream, times = Terminal(), iter([0.0, 0.5, 1.0])
    progress = BuildProgress(stream, 100, lambda: next(times))
    progress.update(10, 1, 1)
    progress.update(20, 2, 2)
    progress.close()
    assert stream.getvalue().count("\n") == 1
    assert stream.getvalue().count("\r") == 2
