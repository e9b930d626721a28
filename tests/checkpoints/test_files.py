"""Checkpoints found by a folder, a file or a prefix."""

import json
import os
import shutil

import pytest

from albert.base.errors import UserError
from albert.checkpoints.files import find_checkpoint
from tests.support.published_checkpoints import copy_files


def test_a_prefix_that_does_not_exist_is_named(tmp_path):
    with pytest.raises(UserError, match=r"there is no checkpoint .*none.ckpt: the file .*none.ckpt.index does not"):
        find_checkpoint(str(tmp_path / "none.ckpt"))


def test_a_folder_an_index_and_a_prefix_name_the_same(prefixes):
    prefix = prefixes["zh_postln"]
    for path in (os.path.dirname(prefix), prefix + ".index", prefix):
        assert find_checkpoint(path) == prefix


def test_a_folder_without_its_checkpoint_file_is_understood_when_it_holds_one(prefixes, tmp_path):
    folder = tmp_path / "copied"
    shutil.copytree(os.path.dirname(prefixes["google_g1"]), str(folder))
    os.remove(str(folder / "checkpoint"))
    assert find_checkpoint(str(folder)) == str(folder / "albert_model.ckpt")
    (folder / "other.ckpt.index").write_bytes(b"")
    with pytest.raises(UserError, match="holds 2 checkpoints and no `checkpoint` file"):
        find_checkpoint(str(folder))


def test_a_checkpoint_file_of_another_place_is_understood(prefixes, tmp_path):
    folder = tmp_path / "unpacked"
    shutil.copytree(os.path.dirname(prefixes["google_g1"]), str(folder))
    (folder / "checkpoint").write_text('model_checkpoint_path: "/home/someone/else/albert_model.ckpt"\n')
    assert find_checkpoint(str(folder)) == str(folder / "albert_model.ckpt")


def test_an_empty_folder_is_named(tmp_path):
    with pytest.raises(UserError, match="holds no checkpoint: no file in it ends in .index"):
        find_checkpoint(str(tmp_path))


def test_what_is_no_checkpoint_is_called_what_it_is(tmp_path):
    (tmp_path / "model.safetensors").write_bytes(b"")
    with pytest.raises(UserError, match="holds no checkpoint: it holds a model of transformers .*export_model.py"):
        find_checkpoint(str(tmp_path))
    (tmp_path / "albert_tiny.zip").write_bytes(b"")
    with pytest.raises(UserError, match="albert_tiny.zip is no checkpoint: name a folder"):
        find_checkpoint(str(tmp_path / "albert_tiny.zip"))


@pytest.mark.parametrize(
    "name",
    ["model.safetensors", "model-00001-of-00002.safetensors", "pytorch_model.bin", "pytorch_model-00002-of-00002.bin"],
)
@pytest.mark.parametrize(
    "config, message",
    [
        ({"model_type": "albert"}, "a model of transformers .export_model.py --format=tensorflow makes"),
        ({"model_type": "bert"}, "of the type bert, which is no ALBERT: no command here takes it"),
        ({"architectures": []}, "a model of transformers .export_model.py --format=tensorflow makes"),
        (None, "a model of transformers .export_model.py --format=tensorflow makes"),
    ],
)
def test_a_model_of_transformers_is_sent_to_a_command_that_takes_it(tmp_path, name, config, message):
    (tmp_path / name).write_bytes(b"")
    if config:
        (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(
        UserError, match="holds no checkpoint: it holds {}".format(message.replace("of the", ".*of the"))
    ):
        find_checkpoint(str(tmp_path))


def test_weights_of_transformers_that_nothing_reads_are_named(tmp_path):
    (tmp_path / "tf_model.h5").write_bytes(b"")
    with pytest.raises(UserError, match="in weights that nothing here reads: save it as model.safetensors"):
        find_checkpoint(str(tmp_path))


def test_the_newest_checkpoint_half_copied_is_not_passed_over_for_an_older_one(prefixes, tmp_path):
    copy_files(prefixes["zh_postln"], tmp_path, "model.ckpt-5")
    copy_files(prefixes["zh_postln"], tmp_path, "model.ckpt-9", leave_out=[".index"])
    (tmp_path / "checkpoint").write_text('model_checkpoint_path: "model.ckpt-9"\n')
    with pytest.raises(UserError, match="model.ckpt-9 is incomplete: its index"):
        find_checkpoint(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"<html>not found</html>"])
def test_a_checkpoint_file_that_says_nothing_is_passed_over(prefixes, tmp_path, content):
    prefix = copy_files(prefixes["zh_postln"], tmp_path)
    (tmp_path / "checkpoint").write_bytes(content)
    assert find_checkpoint(str(tmp_path)) == prefix


def test_a_checkpoint_without_its_index_is_incomplete(prefixes, tmp_path):
    prefix = copy_files(prefixes["zh_postln"], tmp_path, leave_out=[".index"])
    for path in (prefix, prefix + ".data-00000-of-00001", str(tmp_path)):
        with pytest.raises(UserError, match="half.ckpt is incomplete: its index, .*half.ckpt.index, is missing"):
            find_checkpoint(path)
