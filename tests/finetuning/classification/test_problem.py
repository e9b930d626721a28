"""A teacher's file in a run of classification: read with the rows, checked against them, kept in changed runs."""

import types

import numpy as np
import pytest

from albert.checkpoints import families
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
