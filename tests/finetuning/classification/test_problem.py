"""Classification as a problem: a teacher's file, weights of labels, and what checkpoints were trained with."""

import types

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.checkpoints import families
from albert.checkpoints.description import ModelFolder
from albert.finetuning.classification import problem as classification
from albert.finetuning.classification.problem import Classification
from albert.finetuning.problem import FineTuningRun, Split
from albert.finetuning.settings import ClassificationSettings
from albert.tasks.registry import get_task
from tests.support import tiny_model

ROWS = 13  # 7 with the label 0, 6 with the label 1


def problem_of(folder, predictions, **changes):
    """A problem whose teacher's file holds the predictions, and the rows that it reads."""
    tiny_model.write_pairs(folder / "data", train=ROWS)
    path = folder / "teacher.npy"
    np.save(str(path), predictions)
    settings = ClassificationSettings(
        str(folder / "out"), data_dir=str(folder / "data"), teacher_predictions=str(path), **changes
    )
    model = types.SimpleNamespace(use_pooled_output=True)
    problem = Classification(FineTuningRun(settings, families.ZH, model, get_task("lcqmc_pair"), None))
    return problem, problem.read_splits(["train"])["train"]


def answers(num_right):
    """Probabilities of 0.9 for the right label of the first rows, and of 0.1 for that of the others."""
    labels = np.arange(ROWS) % 2
    shown = np.where(np.arange(ROWS) < num_right, labels, 1 - labels)
    return np.where(np.arange(2) == shown[:, None], 0.9, 0.1)


@pytest.mark.parametrize("num_right,is_warned", [(13, False), (8, False), (7, True), (0, True)])
def test_a_teacher_no_better_than_the_commonest_label_is_warned_of(tmp_path, caplog, num_right, is_warned):
    caplog.set_level("INFO")
    problem_of(tmp_path, answers(num_right))
    accuracy = "{:.1f} %".format(100 * num_right / ROWS)
    assert "Teacher: probabilities of 13 rows in {}".format(tmp_path) in caplog.text
    assert "accuracy " + accuracy in caplog.text
    warned = "has an accuracy of {} on the train split, and the commonest label 53.8 %: are its rows".format(accuracy)
    assert (warned in caplog.text) == is_warned
    assert ("order of the labels 0, 1?" in caplog.text) == is_warned


def test_a_run_by_other_settings_keeps_what_was_read(tmp_path):
    problem, rows = problem_of(tmp_path, answers(10))
    (tmp_path / "teacher.npy").unlink()
    changed = problem.with_settings(
        ClassificationSettings("trial", teacher_predictions="teacher.npy", teacher_weight=1.0)
    )
    assert changed.run.settings.output_dir == "trial" and problem.run.settings.output_dir != "trial"
    split = Split(rows, None)
    soft = np.array([3.0, 1.0]) / 4  # 0.9 and 0.1 at a temperature of 2
    shares = np.array([(7 * soft + 6 * soft[::-1]) / 13, soft])  # 7 rows are said to have the label 1
    mean, own = (-(share * np.log(share)).sum() for share in shares)
    assert changed.guessing_loss(split) == pytest.approx(4 * (mean - own), rel=1e-5)
    assert problem.guessing_loss(split) == pytest.approx(
        0.5 * -sum(n / 13 * np.log(n / 13) for n in (7, 6)) + 2 * (mean - own), rel=1e-5
    )


def problem_with(folder, monkeypatch, trained=None, task=None, **changes):
    """A problem of a task whose output folder holds a trained model of this description, if any."""
    monkeypatch.setattr(classification, "_trained_description", lambda settings: trained)
    settings = ClassificationSettings(str(folder), given=frozenset(changes), **changes)
    model = types.SimpleNamespace(use_pooled_output=True)
    return Classification(FineTuningRun(settings, families.ZH, model, task or get_task("lcqmc_pair"), None))


FOLDER = ModelFolder("lcqmc_pair", ("0", "1"), "zh", "c.json", "v.txt", True, 8)


def test_a_trained_folder_says_how_long_texts_are_read(tmp_path, monkeypatch):
    trained = FOLDER._replace(long_text="windows_max")
    assert problem_with(tmp_path, monkeypatch, trained).description()["long_text"] == "windows_max"
    assert "long_text" not in problem_with(tmp_path, monkeypatch, FOLDER).description()
    with pytest.raises(UserError, match="were trained with --long_text=windows_max: give another --output_dir"):
        problem_with(tmp_path, monkeypatch, trained, long_text="cut")
    with pytest.raises(UserError, match="were trained with --long_text=cut"):
        problem_with(tmp_path, monkeypatch, FOLDER, long_text="head_tail")


def test_checkpoints_of_another_kind_are_refused(tmp_path, monkeypatch):
    several = get_task("lcqmc_pair")._replace(is_multilabel=True, metric="micro_f1")
    trained = FOLDER._replace(thresholds=(0.3, 0.6))
    assert problem_with(tmp_path, monkeypatch, trained, several).description()["thresholds"] == (0.3, 0.6)
    assert problem_with(tmp_path, monkeypatch, None, several).description()["thresholds"] == (0.5, 0.5)
    with pytest.raises(UserError, match="give a row several labels, the task lcqmc_pair has one: give another"):
        problem_with(tmp_path, monkeypatch, trained)
    with pytest.raises(UserError, match="give a row one label, the task lcqmc_pair has several: give another"):
        problem_with(tmp_path, monkeypatch, FOLDER, several)
    with pytest.raises(UserError, match="--teacher_predictions is for tasks of one label a row"):
        problem_with(tmp_path, monkeypatch, None, several, teacher_predictions="t.tsv")


def test_rows_with_choices_are_not_read_in_windows(tmp_path, monkeypatch):
    with pytest.raises(UserError, match="--long_text=windows_mean is not for the task copa, whose rows have choices"):
        problem_with(tmp_path, monkeypatch, None, get_task("copa"), long_text="windows_mean")


def test_balanced_weights_are_those_of_the_rows_that_are_trained_on(tmp_path, monkeypatch, caplog):
    caplog.set_level("INFO")
    tiny_model.write_pairs(tmp_path / "data", train=ROWS)
    problem = problem_with(tmp_path, monkeypatch, class_weights="balanced", data_dir=str(tmp_path / "data"))
    rows = problem.read_splits(["train"])["train"]
    assert "Weights of the labels in the loss: 0: 0.929, 1: 1.08" in caplog.text  # of 7 and 6 rows
    assert problem.guessing_loss(Split(rows, None)) == pytest.approx(np.log(2))
    of_fold = problem.with_rows(problem.run.settings, {"train": [row for row in rows if row.label == "1"] + rows[:1]})
    assert of_fold._label_loss().weights == (pytest.approx(3.5), pytest.approx(3.5 / 6))
