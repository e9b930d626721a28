"""Folders of weights: companions, and a new folder found again after a kill between two names."""

import os

import pytest

from albert.base.errors import UserError
from albert.checkpoints import families
from albert.checkpoints.description import ModelFolder, best_folder, read_description
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.folder import Companions, write_best, write_companions
from albert.checkpoints.model import find_weights, open_checkpoint
from albert.checkpoints.training_folder import mend_checkpoints
from albert.inference.predictor import find_model
from tests.support import exports


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    exports.write_classifier(folder)
    return str(folder)


@pytest.fixture
def set_aside(run):
    """The best folder of a run that was killed while it put a new one there."""
    best = os.path.join(run, "best")
    os.rename(best, best + ".unfinished-replaced")
    yield best
    assert os.listdir(best) and not os.path.exists(best + ".unfinished-replaced")


@pytest.mark.parametrize("reader", [find_weights, lambda run: find_model(run).checkpoint])
def test_readers_of_a_run_find_its_best_model(run, set_aside, reader):
    assert reader(run) == os.path.join(set_aside, "model.ckpt-9")


@pytest.mark.parametrize("name", ["", "model.ckpt-9", "model.ckpt-9.index"])
def test_a_reader_that_names_the_folder_finds_it(set_aside, name):
    assert find_checkpoint(os.path.join(set_aside, name)) == os.path.join(set_aside, "model.ckpt-9")


def test_the_next_training_finds_it(run, set_aside):
    mend_checkpoints(run)
    assert os.path.isdir(set_aside) and best_folder(run) == set_aside


def test_a_new_best_takes_the_place_of_the_old_one(run, set_aside):
    write_best(run, os.path.join(best_folder(run), "model.ckpt-9"))
    assert open_checkpoint(run).prefix == os.path.join(set_aside, "model.ckpt-9")
    assert sorted(name for name in os.listdir(run) if name.startswith("best")) == ["best"]


CONFIG = families.GOOGLE.config_class(
    vocab_size=7, hidden_size=4, num_hidden_layers=1, num_attention_heads=2, intermediate_size=6
)


@pytest.fixture
def vocabulary(tmp_path):
    path = tmp_path / "words.txt"
    path.write_text("[PAD]\n")
    return str(path)


def test_companions_of_a_pretrained_model_are_its_config_and_vocabulary(tmp_path, vocabulary):
    folder = tmp_path / "new"
    write_companions(str(folder), Companions(CONFIG, vocab_file=vocabulary))
    assert sorted(os.listdir(str(folder))) == ["albert_config.json", "words.txt"]
    assert families.GOOGLE.config_class.from_json_file(str(folder / "albert_config.json")) == CONFIG


def test_the_description_names_the_companions_of_a_fine_tuned_model(tmp_path, vocabulary):
    folder = tmp_path / "new"
    description = ModelFolder("lcqmc", ("0", "1"), "google", "c.json", "v.txt", True, 9)
    companions = Companions(CONFIG, "other.json", vocabulary, "other.txt", description)
    write_companions(str(folder), companions)
    assert sorted(os.listdir(str(folder))) == ["c.json", "task.json", "v.txt"]
    assert read_description(str(folder)) == description
    assert (folder / "v.txt").read_text() == "[PAD]\n"


def test_a_config_that_the_weights_hold_is_not_written(tmp_path, vocabulary):
    folder = tmp_path / "new"
    write_companions(str(folder), Companions(vocab_file=vocabulary, vocab_name="vocab.txt"))
    assert os.listdir(str(folder)) == ["vocab.txt"]


def test_a_vocabulary_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot copy .*none.txt: No such file"):
        write_companions(str(tmp_path / "new"), Companions(vocab_file=str(tmp_path / "none.txt")))
