"""Folds: their division, what is kept, and what all models predict together."""

import collections
import json

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.finetuning.classification import folds
from albert.finetuning.classification.labelling import labelling_of
from albert.finetuning.settings import ClassificationSettings
from albert.tasks.rows import Row
from albert.tasks.task import Task

TASK = Task("stars", ("a", "b"), {}, iter)
ROWS = [Row(n, "t%d" % n, None, "ab"[n % 3 == 0], n + 1) for n in range(11)]
TEST = [Row(n, "u%d" % n, None, None, n + 1) for n in range(3)]


@pytest.mark.parametrize("num_folds", [2, 3, 5])
def test_folds_have_the_same_sizes_and_shares(num_folds):
    strata = ["a"] * 17 + ["b"] * 9 + ["c"]
    found = folds.folds_of(strata, num_folds, seed=4)
    sizes = np.bincount(found)
    assert len(sizes) == num_folds and sizes.max() - sizes.min() <= 1
    for stratum in "ab":
        counts = collections.Counter(found[[s == stratum for s in strata]].tolist()).values()
        assert max(counts) - min(counts) <= 1
    assert (folds.folds_of(strata, num_folds, seed=4) == found).all()
    assert (folds.folds_of(strata, num_folds, seed=5) != found).any()


class Trainer:
    """Stands for training: remembers its folds, and answers a row by its number and the fold."""

    def __init__(self):
        self.folds = []

    def __call__(self, fold):
        self.folds.append(fold)
        assert [row.row_id for row in fold.rows["train"]] == list(range(len(fold.rows["train"])))
        values = {
            split: np.array([[int(row.text_a[1:]) / 20 + fold.number / 100] for row in rows])
            for split, rows in fold.rows.items()
            if split != "train"
        }
        answers = {split: np.concatenate([1 - value, value], axis=1) for split, value in values.items()}
        return folds.FoldPredictions({"eval_accuracy": 0.5, "global_step": 7}, answers)


def run(folder, train, rows=ROWS, **changes):
    settings = ClassificationSettings(str(folder), num_folds=3, do_eval=True, **changes)
    folds.run_folds(settings, TASK, labelling_of(TASK), {"train": rows, "test": TEST}, train)


def test_every_row_is_predicted_by_the_model_that_did_not_see_it(tmp_path, caplog):
    caplog.set_level("INFO")
    train = Trainer()
    run(tmp_path, train)
    seen = [{row.text_a for row in fold.rows["train"]} for fold in train.folds]
    held = [{row.text_a for row in fold.rows["dev"]} for fold in train.folds]
    assert [one | other for one, other in zip(seen, held)] == [{row.text_a for row in ROWS}] * 3
    assert not any(one & other for one, other in zip(seen, held)) and sum(map(len, held)) == len(ROWS)
    found = np.loadtxt(str(tmp_path / "train_out_of_fold.tsv"))
    expected = [n / 20 + next(f + 1 for f in range(3) if "t%d" % n in held[f]) / 100 for n in range(len(ROWS))]
    np.testing.assert_allclose(found[:, 1], expected, rtol=1e-6)
    np.testing.assert_allclose(np.loadtxt(str(tmp_path / "test_results.tsv"))[:, 1], [0.02, 0.07, 0.12], rtol=1e-6)
    answers = [json.loads(line) for line in (tmp_path / "stars_predict.json").read_text().splitlines()]
    assert [answer["label"] for answer in answers] == ["a", "a", "a"]
    assert "mean ± spread             50.0 % ± 0.0 %" in caplog.text
    assert "test, mean of 3 models: not labelled" in caplog.text


def test_a_finished_fold_is_kept_and_another_is_trained(tmp_path):
    run(tmp_path, Trainer())
    (tmp_path / "fold-2" / "fold.json").unlink()
    (tmp_path / "fold-3" / "test_probabilities.npy").unlink()
    again = Trainer()
    run(tmp_path, again, predict_batch_size=3)  # which changes no prediction
    assert [fold.number for fold in again.folds] == [2, 3]
    none = Trainer()
    run(tmp_path, none)
    assert none.folds == []


@pytest.mark.parametrize("change", [{"learning_rate": 1e-3}, {"label_smoothing": 0.1}, {"rows": ROWS[:-1]}])
def test_folds_of_other_rows_or_settings_are_refused(tmp_path, change):
    run(tmp_path, Trainer())
    with pytest.raises(UserError, match="fold-1 was trained on other rows or with other settings: give another"):
        run(tmp_path, Trainer(), **change)


def test_fewer_rows_than_folds_are_refused(tmp_path):
    with pytest.raises(UserError, match="--num_folds=3 needs as many rows, the train split has 2"):
        run(tmp_path, Trainer(), rows=ROWS[:2])
