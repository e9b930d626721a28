"""Folders of weights: found again after a kill between two names."""

import os

import pytest

from albert.checkpoints.description import best_folder
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.folder import write_best
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
