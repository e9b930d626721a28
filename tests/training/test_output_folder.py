"""Folders that belong to something else are refused before anything is written into them."""

import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import run_classifier
import run_ner
import run_pretraining
from albert.base.errors import UserError
from albert.checkpoints.values import write_values
from albert.training.output_folder import check_export_dir, check_output_dir
from tests.support import tiny_runs

HEADS = {
    "pretraining": "cls/predictions/output_bias",
    "classifier": "output_weights",
    "spans": "cls/squad/output_weights",
    "tags": "cls/tagging/output_weights",
}


def save(folder, head, name="model.ckpt-7", is_named=True):
    """A checkpoint with a weight of a head."""
    folder.mkdir(exist_ok=True)
    values = {"bert/pooler/dense/bias": np.ones([3], np.float32), "global_step": np.int64(7)}
    if head:
        values[HEADS[head]] = np.ones([2, 3], np.float32)
    write_values(values, str(folder / name))
    if is_named:
        tf.train.update_checkpoint_state(str(folder), str(folder / name))
    return str(folder)


def test_a_folder_takes_checkpoints_of_its_own_kind_only(tmp_path):
    assert check_output_dir(str(tmp_path / "none"), "classifier") is None
    for theirs in HEADS:
        folder = save(tmp_path / theirs, theirs)
        for head in HEADS:
            if head == theirs:
                check_output_dir(folder, head)
                continue
            with pytest.raises(UserError, match="{} holds model.ckpt-7, a checkpoint of ".format(theirs)):
                check_output_dir(folder, head)


def test_the_sentence_says_how_to_start_from_it(tmp_path):
    folder = save(tmp_path / "pretrained", "pretraining")
    with pytest.raises(UserError) as error:
        check_output_dir(folder, "classifier")
    assert str(error.value) == (
        "--output_dir={0} holds model.ckpt-7, a checkpoint of pre-training: give the fine-tuning of a classifier a "
        "folder of its own; --init_checkpoint={0} starts from it".format(folder)
    )
    folder = save(tmp_path / "encoder", None)
    with pytest.raises(UserError, match="a model without a head: give pre-training a folder of its own$"):
        check_output_dir(folder, "pretraining")


def test_checkpoints_that_nothing_names_count_and_published_ones_do_not(tmp_path):
    folder = save(tmp_path / "copied", "pretraining", is_named=False)
    with pytest.raises(UserError, match="holds model.ckpt-7, a checkpoint of pre-training"):
        check_output_dir(folder, "tags")
    check_output_dir(save(tmp_path / "published", "pretraining", "albert_model.ckpt", is_named=False), "tags")


def test_the_folder_of_an_export(tmp_path):
    (tmp_path / "export.json").write_text("{}")
    with pytest.raises(UserError, match="--output_dir=.* holds an export: give pre-training a folder of its own"):
        check_output_dir(str(tmp_path), "pretraining")


@pytest.mark.parametrize("export_dir", ["out", "out/", ".", "link"])
def test_an_export_never_goes_into_the_folder_of_the_checkpoints(tmp_path, monkeypatch, export_dir):
    monkeypatch.chdir(tmp_path)
    os.makedirs("runs")
    os.symlink("runs", "link")
    if export_dir == ".":
        monkeypatch.chdir(tmp_path / "runs")
    with pytest.raises(UserError, match="is or holds --output_dir, the folder of the checkpoints"):
        check_export_dir(export_dir, {"link": "runs/out", ".": "out"}.get(export_dir, "out"))


def test_folders_for_exports(tmp_path):
    check_export_dir(None, "out")
    check_export_dir(str(tmp_path / "out" / "exported"), str(tmp_path / "out"))
    check_export_dir(str(tmp_path / "out2"), str(tmp_path / "out"))
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="--export_dir=.*file is a file: name a folder"):
        check_export_dir(str(tmp_path / "file"), "out")
    with pytest.raises(UserError, match="is not empty: name another folder"):
        check_export_dir(str(tmp_path), "out")


@pytest.mark.parametrize(
    "runner, theirs, values",
    [
        (run_classifier, "pretraining", {"task_name": "lcqmc", "data_dir": "none", "do_train": True}),
        (run_classifier, "tags", {"task_name": "lcqmc", "data_dir": "none", "do_predict": True}),
        (run_ner, "classifier", {"task_name": "msra_ner", "data_dir": "none", "do_train": True}),
        (run_pretraining, "classifier", {"input_file": "none", "do_train": True, "bert_config_file": "none"}),
    ],
)
def test_commands_refuse_before_they_write(tmp_path, runner, theirs, values):
    folder = save(tmp_path / "out", theirs)
    before = sorted(os.listdir(folder))
    with pytest.raises(UserError, match="out holds model.ckpt-7, a checkpoint of "):
        tiny_runs.call(runner, dict(values, output_dir=folder))
    assert sorted(os.listdir(folder)) == before
