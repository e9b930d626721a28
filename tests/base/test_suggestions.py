"""Suggestions for unknown flags: meanings first, then spelling, else nothing."""

import pytest

import run_classifier
from albert.base.suggestions import suggestion

FLAGS = sorted(run_classifier.declare_flags().as_dict())


@pytest.mark.parametrize(
    "name, near",
    [
        ("batch_size", "train_batch_size"),
        ("lr", "learning_rate"),
        ("LR", "learning_rate"),
        ("epochs", "num_train_epochs"),
        ("max_len", "max_seq_length"),
        ("model_name_or_path", "init_checkpoint"),
        ("fp16", "precision"),
        ("num_train_epoch", "num_train_epochs"),
        ("outputdir", "output_dir"),
        ("help_me", None),
        ("version", None),
        ("xyz", None),
    ],
)
def test_what_is_meant_or_spelled_alike_is_suggested(name, near):
    assert suggestion(name, FLAGS) == near


def test_only_known_flags_are_suggested():
    assert suggestion("batch_size", ["rows"]) is None


def test_the_beginning_of_one_flag_suggests_it():
    assert suggestion("out", ["output", "last"]) == "output"
    assert suggestion("out", ["output", "outline"]) is None
