import glob
import io

import pytest

from albert.files.record_sets import shard_paths
from albert.pretraining_data.report import BuildProgress, files_text, next_step, progress_text
from albert.pretraining_data.shards import BuildSettings


def test_the_glob_stands_for_all_shards_and_nothing_else(tmp_path):
    name = str(tmp_path / "a-00000-of-2.zh.tfrecord")
    others = [str(tmp_path / "a-00000-of-2.dev-00000-of-00012.tfrecord"), name + ".json"]
    paths = shard_paths(name, 12)
    for path in paths + others:
        open(path, "w").close()
    assert sorted(glob.glob(files_text(name, 12))) == paths
    assert files_text(name, 1) == name


@pytest.mark.parametrize(
    "tokens, config",
    [
        (21128, "--bert_config_file=albert_config/albert_config_tiny.json "),
        (21120, "--bert_config_file=albert_config/albert_config_tiny.json "),
        (7239, "--bert_config_file=my_config.json "),
    ],
)
def test_the_next_command_names_a_config_of_the_same_vocabulary(tmp_path, tokens, config):
    vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + ["t{}".format(number) for number in range(5, tokens)]
    path = tmp_path / "vocab.txt"
    path.write_text("\n".join(vocabulary))
    command = next_step("a.tfrecord", None, 1, BuildSettings(vocab_file=str(path)))
    assert config in command
    hint = "(my_config.json: a copy of albert_config/albert_config_tiny.json with vocab_size 7239)"
    assert command.endswith(hint) == (tokens == 7239)


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
