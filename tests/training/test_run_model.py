"""The model of a run, from flags and folders: what is found, what wins, and what is refused."""

import os

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.base.flags import UsageError
from albert.checkpoints import families
from albert.checkpoints.description import read_description
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.tokenizer_file import read_do_lower_case
from albert.training import run_model
from modeling import BertConfig
from tests.support import published_checkpoints, tiny_model
from tests.support.marks import slow
from tests.support.tiny_runs import CLASSIFICATION, PRETRAINING, classify, pretrain, publish, values_of, write_inputs

BOTH = pytest.mark.parametrize("family", [families.ZH, slow(families.GOOGLE)], ids=lambda family: family.name)


@pytest.fixture
def folder(tmp_path):
    """What the runs need."""
    return write_inputs(tmp_path)


@BOTH
def test_a_published_folder_is_all_that_a_run_needs(folder, family, caplog):
    caplog.set_level("INFO")
    place = publish(folder, family)
    pretrained = pretrain(folder, PRETRAINING[family], init_checkpoint=place, learning_rate=0)
    assert "missing, so newly initialised: none" in caplog.text
    assert (
        "Next: python {} --init_checkpoint={} --task_name".format(family.classification_runner, pretrained)
        in caplog.text
    )
    for name, value in values_of(place).items():
        np.testing.assert_array_equal(values_of(pretrained)[name], value)
    # Config and vocabulary went along, so the chain goes on without a flag.
    finetuned = classify(folder, CLASSIFICATION[family], init_checkpoint=pretrained, do_predict=False)
    model = open_checkpoint(finetuned)
    assert model.family is family and model.config == open_checkpoint(str(place)).config
    assert model.labels == ("0", "1") and model.vocab_file == os.path.join(finetuned, "best", "vocab.txt")
    classify(folder, CLASSIFICATION[family], do_train=False, do_eval=False)  # from the output folder alone
    with open(os.path.join(finetuned, "test_results.tsv")) as file:
        assert len(file.readlines()) == 3


@BOTH
def test_explicit_flags_win_and_contradictions_name_both_sides(folder, family):
    place = publish(folder, family)
    other = tiny_model.write_config(folder, hidden_act="relu")
    out = classify(
        folder, CLASSIFICATION[family], init_checkpoint=place, do_eval=False, do_predict=False,
        **{family.config_flag: other, "do_lower_case": False}
    )  # fmt: skip
    description = read_description(out)
    assert description.config_file == "tiny.json" and not description.do_lower_case
    assert open_checkpoint(out).config.hidden_act == "relu"
    tiny_model.write_config(folder, hidden_size=4)
    for run, runners in ((classify, CLASSIFICATION), (pretrain, PRETRAINING)):
        with pytest.raises(UserError, match="tiny.json says otherwise: hidden_size 8, not 4"):
            run(folder, runners[family], init_checkpoint=place, output_dir=folder / "x", **{family.config_flag: other})
    with pytest.raises(UserError, match="vocabulary .*short.txt has 5 tokens, .*albert_config_tiny.json says"):
        (folder / "short.txt").write_text("\n".join(tiny_model.VOCABULARY[:5]))
        classify(folder, CLASSIFICATION[family], init_checkpoint=place, vocab_file=folder / "short.txt", output_dir="x")


@BOTH
def test_the_other_familys_checkpoint_names_the_runners_that_take_it(folder, family):
    other = families.ZH if family is families.GOOGLE else families.GOOGLE
    place = publish(folder, other)
    message = "is {} with hidden_size 8, this command is for the {} family: {} and {} take it".format(
        other.name, family.name, other.pretraining_runner, other.classification_runner
    )
    for run, runners in ((classify, CLASSIFICATION), (pretrain, PRETRAINING)):
        with pytest.raises(UserError, match=message):
            run(folder, runners[family], init_checkpoint=place)


def test_an_output_folder_with_another_model_is_refused(folder):
    pretrain(folder, albert_config_file=folder / "g2.json")
    place = publish(folder, families.GOOGLE)
    with pytest.raises(UserError, match=r"--output_dir holds .*ckpt-1, .*num_hidden_groups 2, not 1\): give another"):
        pretrain(folder, init_checkpoint=place, num_train_steps=2)
    with pytest.raises(UserError, match="num_hidden_groups 2, not 1"):
        pretrain(folder, albert_config_file=folder / "g1.json", num_train_steps=2)


def test_a_damaged_checkpoint_file_in_the_output_folder_is_named(folder):
    for content in (b"", b"\xff"):
        (folder / "pretrained").mkdir(exist_ok=True)
        (folder / "pretrained" / "checkpoint").write_bytes(content)
        with pytest.raises(UserError, match="the file .*pretrained/checkpoint is damaged: write the line"):
            pretrain(folder, albert_config_file=folder / "g1.json")


@pytest.mark.parametrize("case", [True, False])
def test_the_case_of_a_pre_trained_folder_goes_on_from_run_to_run(tmp_path, case):
    model = run_model.RunModel(BertConfig(vocab_size=30), None, do_lower_case=case)
    run_model.keep_files(model, str(tmp_path))
    assert read_do_lower_case(str(tmp_path)) is case


def test_a_run_cannot_resume_from_half_precision_but_start_from_it(tmp_path):
    prefix = published_checkpoints.save(tmp_path / "model.ckpt-3", {"bert/x": np.zeros([2], np.float16)})
    with pytest.raises(UserError, match="not in float32 .bert/x.: a run cannot resume from it, but can start from it"):
        run_model._check_precision(prefix)
    run_model._check_precision(published_checkpoints.save(tmp_path / "b", {"bert/x": np.zeros([2], np.float32)}))


TAGS = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")


@pytest.mark.parametrize(
    "labels, is_wrong",
    [(TAGS, False), (TAGS[:1] + TAGS[3:] + TAGS[1:3], True), (TAGS[:3], False), (("0", "1"), False), ((), False)],
)
def test_a_head_whose_labels_stand_in_another_order_answers_only_after_training(labels, is_wrong, caplog):
    model = run_model.RunModel(BertConfig(vocab_size=30), None, labels=labels)
    run_model.check_label_order(model, TAGS, is_training=True)
    assert ("labels of the task in another order: O, B-LOC, I-LOC and 2 more" in caplog.text) == is_wrong
    if is_wrong:
        with pytest.raises(UserError, match="in another order: .*; train it on the task"):
            run_model.check_label_order(model, TAGS, is_training=False)
    else:
        run_model.check_label_order(model, TAGS, is_training=False)


def test_no_model_at_all_is_said(folder):
    for run in (pretrain, classify):
        with pytest.raises(UsageError, match="--albert_config_file must be given, or --init_checkpoint=FOLDER"):
            run(folder)
    with pytest.raises(UsageError, match="--vocab_file must be given .*no vocabulary stands beside the model"):
        classify(folder, albert_config_file=folder / "g1.json")
