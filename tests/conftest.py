"""What all tests share."""

import os
import signal
import subprocess
import sys

import pytest
import sentencepiece  # noqa: F401 (training a model crashes where TensorFlow 1.15 was imported first)

from albert.base.paths import ROOT
from tests.support import quick_tensorflow, tiny_corpus

# Two tests run at a time on two cores: more threads than one each would only be in each other's way.
for _name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
    os.environ.setdefault(_name, "1")

# A shell that starts the tests in its background lets them and what they start ignore Ctrl-C, which some of them press.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_configure(config):
    """The default selection is the quick one; with another -m, TensorFlow is as its users have it."""
    quick_tensorflow.choose(config.getoption("markexpr") == "not slow")


def pytest_collection_finish():
    """Now it is imported if any test needs it."""
    if "tensorflow" in sys.modules:
        quick_tensorflow.apply()


@pytest.fixture(scope="session")
def vocab_file():
    """The path of the vocabulary of BERT-Base Chinese, which is not part of the repository."""
    path = os.path.join(ROOT, "albert_config", "vocab.txt")
    if not os.path.exists(path):
        pytest.fail("albert_config/vocab.txt is missing: `bash scripts/setup.sh` brings it")
    return path


@pytest.fixture(scope="session")
def tokenizer(vocab_file):
    """The tokenizer with that vocabulary."""
    from tokenization import FullTokenizer

    return FullTokenizer(vocab_file)


@pytest.fixture(scope="session")
def oracle(vocab_file):
    """The tokenizer of another library with that vocabulary."""
    from tests.support import odd_texts

    return odd_texts.build_oracle(vocab_file, do_lower_case=True)


@pytest.fixture
def folder(tmp_path):
    """A folder with a tiny corpus and its vocabulary."""
    tiny_corpus.write_text(tmp_path)
    tiny_corpus.write_vocab(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def published(tmp_path_factory):
    """Folders with checkpoint, config and vocabulary by the fixture's name; written when they are first asked for."""
    from tests.support import exports

    class Folders(dict):
        def __missing__(self, name):
            self[name] = exports.write_fixture(tmp_path_factory.mktemp(name), name)
            return self[name]

    return Folders()


@pytest.fixture
def small_disk(tmp_path):
    """A function from a size in KiB to an empty folder on a disk of that size; called again, the disk is resized."""
    folder = tmp_path / "small_disk"
    folder.mkdir()

    def resize(kibibytes):
        is_there = os.path.ismount(str(folder))
        options = "{}size={}k".format("remount," if is_there else "", kibibytes)
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        if subprocess.call(command, stderr=subprocess.DEVNULL):
            pytest.skip("mounting a file system needs more rights")
        return folder

    try:
        yield resize
    finally:
        if os.path.ismount(str(folder)):
            subprocess.call(["umount", "-l", str(folder)])
