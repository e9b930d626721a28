"""Training without a command line: the example's steps, and whole runs made from settings."""

import json
import os

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints.families import ZH
from albert.finetuning.classification.model import Classifier, classification_objective
from albert.finetuning.classification.problem import Classification
from albert.finetuning.run import run_fine_tuning
from albert.finetuning.settings import ClassificationSettings
from albert.pretraining.model_fn import pretraining_objective
from albert.pretraining.run import run_pretraining
from albert.pretraining.settings import PretrainingSettings
from examples import train_from_a_program as example
from tests.support import tiny_model


def test_steps_of_both_phases_learn_a_batch_by_heart():
    generator = np.random.RandomState(3)
    pretraining = example.train(
        pretraining_objective(ZH, example.CONFIG), example.pretraining_batch(generator), steps=25
    )
    classifier = Classifier(ZH, example.CONFIG, num_labels=2)
    fine_tuning = example.train(classification_objective(classifier), example.classification_batch(generator), steps=25)
    # At the start both are guesses: ln V for a word and ln 2 for the order of sentences; ln 2 for one of two labels.
    assert pretraining[0] == pytest.approx(np.log(example.CONFIG.vocab_size) + np.log(2), rel=0.02)
    assert fine_tuning[0] == pytest.approx(np.log(2), rel=0.05)
    assert pretraining[-1] < 0.7 * pretraining[0] and fine_tuning[-1] < 0.5 * fine_tuning[0]


@pytest.fixture(scope="module")
def pretrained(tmp_path_factory):
    """The folder of a pre-training run of two steps that was made from settings."""
    folder = tmp_path_factory.mktemp("program")
    tiny_model.write_pretraining_records(folder / "train.tfrecord", 8)
    tiny_model.write_vocab(folder)
    settings = PretrainingSettings(
        output_dir=str(folder / "pretrained"),
        config_files={ZH.name: tiny_model.write_config(folder)},
        input_file=str(folder / "train.tfrecord"),
        eval_share=0.0,
        max_seq_length=tiny_model.SEQ_LENGTH,
        max_predictions_per_seq=tiny_model.PREDICTIONS,
        train_batch_size=4,
        num_train_steps=2,
        num_warmup_steps=1,
    )
    run_pretraining(settings, ZH)
    return folder


def test_a_whole_run_of_pretraining(pretrained):
    assert tf.train.latest_checkpoint(str(pretrained / "pretrained")).endswith("model.ckpt-2")
    saved = json.loads((pretrained / "pretrained" / "run_config.json").read_text(encoding="utf-8"))
    assert saved["flags"]["num_train_steps"] == 2 and saved["flags"]["optimizer"] == "lamb"


def test_a_whole_run_of_fine_tuning(pretrained):
    tiny_model.write_pairs(pretrained / "pairs", train=8, dev=4)
    settings = ClassificationSettings(
        output_dir=str(pretrained / "finetuned"),
        init_checkpoint=str(pretrained / "pretrained"),
        task_name="lcqmc_pair",
        data_dir=str(pretrained / "pairs"),
        vocab_file=str(pretrained / "vocab.txt"),
        do_eval=True,
        max_seq_length=16,
        train_batch_size=4,
        num_train_epochs=1.0,
    )
    run_fine_tuning(settings, Classification, ZH)
    assert os.path.exists(str(pretrained / "finetuned" / "best" / "task.json"))


def test_settings_are_refused_in_one_sentence(pretrained):
    settings = PretrainingSettings(output_dir=str(pretrained / "none"), input_file=str(pretrained / "train.tfrecord"))
    with pytest.raises(UserError, match="^--bert_config_file must be given, or --init_checkpoint=FOLDER"):
        run_pretraining(settings, ZH)
