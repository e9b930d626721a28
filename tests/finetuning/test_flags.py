"""Flags of classification: what goes together, in one sentence where it does not."""

import pytest

from albert.base.errors import UsageError
from albert.checkpoints import families
from albert.finetuning.flags import build_classification_settings, classifier_flags

TEACHER = "--teacher_predictions=train_results.tsv"


def settings_of(*words, family=families.ZH):
    flags = classifier_flags(family)
    flags.parse(["--task_name=lcqmc_pair", "--data_dir=lcqmc", "--output_dir=out", *words])
    return build_classification_settings(flags, family)


@pytest.mark.parametrize("family", [families.ZH, families.GOOGLE])
def test_a_teacher_has_half_the_loss_at_a_temperature_of_2_by_default(family):
    settings = settings_of("--do_train", TEACHER, family=family)
    assert settings.teacher_predictions == "train_results.tsv"
    assert (settings.teacher_weight, settings.teacher_temperature) == (0.5, 2.0)
    assert settings.predict_split == "test"


@pytest.mark.parametrize(
    "words,message",
    [
        (["--do_train", "--teacher_weight=0.3"], "--teacher_weight needs --teacher_predictions=FILE"),
        (["--do_train", "--teacher_temperature=4"], "--teacher_temperature needs --teacher_predictions=FILE"),
        (["--do_eval", TEACHER], "--teacher_predictions needs --do_train=True"),
        (["--do_train", "--use_tpu", TEACHER], "--teacher_predictions is not for a TPU"),
        (["--do_train", TEACHER, "--teacher_weight=1.5"], "teacher_weight.*1.5"),
        (["--do_train", TEACHER, "--teacher_weight=nan"], "--teacher_weight must be a number from 0 to 1"),
        (["--do_train", TEACHER, "--teacher_temperature=-1"], "teacher_temperature.*-1"),
        (["--do_train", TEACHER, "--teacher_temperature=0"], "--teacher_temperature must be a number over 0"),
        (["--do_train", TEACHER, "--teacher_temperature=inf"], "--teacher_temperature must be a number over 0"),
        (["--do_train", TEACHER, "--teacher_temperature=nan"], "--teacher_temperature must be a number over 0"),
        (["--do_train", "--predict_split=train"], "--predict_split needs --do_predict=True"),
        (["--do_predict", "--predict_split=trian"], "predict_split.*trian"),
        (["--do_eval", "--class_weights=balanced"], "--class_weights needs --do_train=True: only training uses it"),
        (["--do_eval", "--label_smoothing=0.1"], "--label_smoothing needs --do_train=True"),
        (["--do_train", "--label_smoothing=1"], "label_smoothing.*1"),
        (["--do_train", "--label_smoothing=nan"], "--label_smoothing must be a number from 0 to 0.99"),
        (["--do_train", "--long_text=all"], "long_text.*all"),
        (["--do_train", TEACHER, "--long_text=windows_max"], "--long_text=windows_max trains on parts of them"),
        (["--do_train", "--num_folds=3"], "--num_folds needs --do_train=True and --do_eval=True"),
        (["--do_train", "--do_eval", "--num_folds=1"], "num_folds.*1"),
        (["--do_train", "--do_eval", "--num_folds=3", TEACHER], "--num_folds takes no --teacher_predictions"),
        (
            ["--do_train", "--do_eval", "--num_folds=3", "--do_predict", "--predict_split=dev"],
            "--num_folds predicts the test split: leave --predict_split out",
        ),
    ],
)
def test_what_does_not_go_together_is_one_sentence(words, message):
    with pytest.raises(UsageError, match=message) as error:
        settings_of(*words)
    assert "\n" not in str(error.value)
