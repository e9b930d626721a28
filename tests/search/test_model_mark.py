"""Marks of models: a copy has the same one, and whatever changes the vectors changes it."""

import os
import shutil

import pytest

from albert.inference.encoder_model import open_encoder
from albert.search.model_mark import mark_of
from tests.support import exports, published_checkpoints
from tests.support.tiny_search import weights_of


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return exports.write_fixture(tmp_path_factory.mktemp("model"), "zh_postln")


def test_a_copy_has_the_same_mark_whatever_its_times(folder, tmp_path):
    copy = str(tmp_path / "copy")
    shutil.copytree(folder, copy)
    for name in os.listdir(copy):
        os.utime(os.path.join(copy, name), (1, 1))
    assert mark_of(open_encoder(copy)) == mark_of(open_encoder(folder))


def test_weights_vocabulary_and_case_change_the_mark(folder, tmp_path):
    values = weights_of(folder)
    name = next(name for name in values if name.endswith("word_embeddings"))
    values[name] = values[name] * 1.001  # of the same size
    changed = str(tmp_path / "changed")
    shutil.copytree(folder, changed)
    published_checkpoints.save(os.path.join(changed, "albert_model.ckpt"), values)
    vocabulary = tmp_path / "vocab.txt"
    vocabulary.write_text(open_vocabulary(folder).replace("一\n丁\n", "丁\n一\n"), encoding="utf-8")
    marks = {
        mark_of(open_encoder(folder)),
        mark_of(open_encoder(changed)),
        mark_of(open_encoder(folder, vocab_file=str(vocabulary))),
        mark_of(open_encoder(folder, do_lower_case=False)),
    }
    assert len(marks) == 4


def open_vocabulary(folder):
    with open(os.path.join(folder, "vocab.txt"), encoding="utf-8") as file:
        return file.read()
