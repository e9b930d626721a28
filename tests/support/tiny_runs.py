"""Runs of both families' runners on tiny models: what they need, and the commands with small defaults."""

import os

import run_classifier
import run_classifier_sp_google
import run_pretraining
import run_pretraining_google
from albert.checkpoints import families
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.values import read_weights
from tests.support import published_checkpoints, tiny_model

PRETRAINING = {families.ZH: run_pretraining, families.GOOGLE: run_pretraining_google}
CLASSIFICATION = {families.ZH: run_classifier, families.GOOGLE: run_classifier_sp_google}


def call(runner, values):
    flags = runner.declare_flags()
    flags.parse(["--{}={}".format(name, value) for name, value in values.items() if value is not None])
    runner.main(flags)


def pretrain(folder, runner=run_pretraining_google, **changes):
    """One or two steps."""
    values = {
        "input_file": folder / "train.tfrecord",
        "eval_input_file": folder / "heldout.tfrecord",
        "output_dir": folder / "pretrained",
        "max_seq_length": tiny_model.SEQ_LENGTH,
        "max_predictions_per_seq": tiny_model.PREDICTIONS,
        "do_train": True,
        "train_batch_size": 4,
        "eval_batch_size": 3,
        "num_train_steps": 1,
        "num_warmup_steps": 0,
        "log_every_steps": 1,
    }
    values.update(changes)
    call(runner, values)
    return str(values["output_dir"])


def classify(folder, runner=run_classifier_sp_google, **changes):
    """A few steps."""
    values = {
        "task_name": "lcqmc_pair",
        "data_dir": folder / "data",
        "output_dir": folder / "finetuned",
        "do_train": True,
        "do_eval": True,
        "do_predict": True,
        "max_seq_length": 16,
        "train_batch_size": 8,
        "num_train_epochs": 1,
        "learning_rate": 0.01,
    }
    values.update(changes)
    call(runner, values)
    return str(values["output_dir"])


def write_inputs(folder):
    """Records, pairs, a vocabulary, and configs of one and of two groups (g1.json, g2.json)."""
    tiny_model.write_pretraining_records(folder / "train.tfrecord", 8, seed=1)
    tiny_model.write_pretraining_records(folder / "heldout.tfrecord", 3, seed=2)
    tiny_model.write_pairs(folder / "data", train=8, dev=4, test=3)
    tiny_model.write_vocab(folder)
    for groups in (1, 2):
        sizes = {"num_hidden_groups": groups, "num_hidden_layers": groups}
        os.rename(tiny_model.write_config(folder, **sizes), str(folder / "g{}.json".format(groups)))
    return folder


def publish(folder, family):
    """Makes a published folder of a family's tiny model: checkpoint, config, vocabulary."""
    place = folder / ("published_" + family.name)
    place.mkdir()
    config = family.config_class.from_json_file(tiny_model.write_config(place, num_hidden_layers=1))
    os.rename(str(place / "tiny.json"), str(place / "albert_config_tiny.json"))
    tiny_model.write_vocab(place)
    published_checkpoints.save(place / "albert_model.ckpt", published_checkpoints.model_values(family, config))
    return place


def values_of(path):
    return read_weights(find_checkpoint(str(path)))
