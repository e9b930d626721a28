"""Folds of the train split: a model for each, trained on the others, and what all of them predict together.

    <output_dir>/fold-1 …          a run of its own: checkpoints, best/, reports/; its dev split is the fold
    <output_dir>/train_out_of_fold.tsv    for each row of train the probabilities by the model that never saw it
    <output_dir>/test_results.tsv  the means of the models' probabilities

A fold that is finished has a fold.json and is kept; one that was interrupted goes on from its last checkpoint.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.files.complete import CompleteFile, write_json
from albert.files.json_reading import read_description
from albert.finetuning.classification.answers import write_probabilities
from albert.finetuning.classification.labelling import OneLabel
from albert.finetuning.settings import ClassificationSettings
from albert.monitor.figures import plain, write_results
from albert.monitor.goal import Goal, value_text, words
from albert.tasks.rows import Row
from albert.tasks.splits import DEV, TEST, TRAIN
from albert.tasks.task import Task

_log = logging.getLogger(__name__)

OUT_OF_FOLD = "train_out_of_fold"
TEST_RESULTS = "test_results"
FOLD_FILE = "fold.json"
_STEP = "global_step"
# Settings that change no prediction.
_FREE = ("output_dir", "do_predict", "predict_batch_size", "eval_batch_size", "given", "command_line", "devices",
         "log_every_steps", "profile", "keep_checkpoint_max")  # fmt: skip

Rows = Dict[str, List[Row]]  # by split


class Fold(NamedTuple):
    """Fold: the settings of its run, and its rows by split. `number` counts from 1."""

    number: int
    settings: ClassificationSettings
    rows: Rows


class FoldPredictions(NamedTuple):
    """Figures of a fold's best checkpoint on the fold, and its probabilities [rows, labels] of "dev" and "test"."""

    results: Dict[str, Any]
    probabilities: Dict[str, np.ndarray]


def folds_of(strata: Sequence[str], num_folds: int, seed: int) -> np.ndarray:
    """Divides rows into folds of the same size and with the same shares of each stratum, give or take one row.

    Args:
      strata: the stratum of each row.
      num_folds: how many.
      seed: of the shuffle within strata.

    Returns:
      The fold of each row, from 0: int64 [rows].
    """
    shuffled = np.random.RandomState(seed).permutation(len(strata))
    order = sorted(shuffled.tolist(), key=lambda row: strata[row])  # stable: shuffled within a stratum
    found = np.zeros(len(strata), np.int64)
    found[order] = np.arange(len(strata)) % num_folds
    return found


def run_folds(
    settings: ClassificationSettings,
    task: Task,
    labelling: OneLabel,
    rows: Rows,
    train: Callable[[Fold], FoldPredictions],
) -> None:
    """Trains the folds that are not finished, joins their predictions, and logs a table.

    Args:
      settings: of the run, with num_folds.
      task: the rows' task.
      labelling: of the task; learns its thresholds from the rows that the models did not see.
      rows: "train", and "test" where it is predicted.
      train: trains the model of a fold.

    Raises:
      UserError: there are fewer rows than folds, or the folder holds folds of other rows or settings.
    """
    num_folds, trained = settings.num_folds or 0, rows[TRAIN]
    if len(trained) < num_folds:
        raise UserError("--num_folds={} needs as many rows, the train split has {}".format(num_folds, len(trained)))
    numbers = folds_of(labelling.strata(trained), num_folds, settings.seed)
    done = [_fold_predictions(_fold(settings, rows, numbers, fold), train) for fold in range(num_folds)]
    out_of_fold = np.zeros([len(trained), len(task.labels)], np.float32)
    for fold, predictions in enumerate(done):
        out_of_fold[numbers == fold] = predictions.probabilities[DEV]
    answers = labelling.from_probabilities(out_of_fold)
    labelling.fit(trained, answers)
    whole = _write(settings, labelling, OUT_OF_FOLD, trained, out_of_fold)
    lines = table_lines(
        task.metric, [predictions.results for predictions in done], np.bincount(numbers).tolist(), whole
    )
    if TEST in rows:
        mean = np.mean([predictions.probabilities[TEST] for predictions in done], axis=0, dtype=np.float64)
        tested = _write(settings, labelling, TEST_RESULTS, rows[TEST], mean.astype(np.float32))
        written = labelling.write_labels(settings.output_dir, rows[TEST], labelling.from_probabilities(mean))
        lines.append("test, mean of {} models: {}".format(num_folds, _figures(task.metric, tested) or "not labelled"))
        lines.append("{}.tsv; {}".format(os.path.join(settings.output_dir, TEST_RESULTS), written))
    for line in lines:
        _log.info("%s", line)


def _fold(settings: ClassificationSettings, rows: Rows, numbers: np.ndarray, fold: int) -> Fold:
    folder = os.path.join(settings.output_dir, "fold-{}".format(fold + 1))
    parts = {
        TRAIN: [row for row, number in zip(rows[TRAIN], numbers) if number != fold],
        DEV: [row for row, number in zip(rows[TRAIN], numbers) if number == fold],
    }
    if TEST in rows:
        parts[TEST] = rows[TEST]
    renumbered = {
        split: [row._replace(row_id=index) for index, row in enumerate(found)] for split, found in parts.items()
    }
    return Fold(
        fold + 1, dataclasses.replace(settings, output_dir=folder, num_folds=None, do_predict=False), renumbered
    )


def _fold_predictions(fold: Fold, train: Callable[[Fold], FoldPredictions]) -> FoldPredictions:
    """Reads the predictions of a finished fold, else trains it and writes them."""
    key, splits = _key(fold), [split for split in (DEV, TEST) if split in fold.rows]
    known = _finished(fold, key, splits)
    if known:
        _log.info("fold %d is finished: kept.", fold.number)
        return known
    _log.info("fold %d: %s rows to train on, %s to compare.", fold.number,
              *("{:,}".format(len(fold.rows[split])) for split in (TRAIN, DEV)))  # fmt: skip
    found = train(fold)
    for split in splits:
        with CompleteFile(_array_path(fold, split)) as file:
            np.save(file, found.probabilities[split].astype(np.float32))
    write_json(os.path.join(fold.settings.output_dir, FOLD_FILE), {"key": key, "results": plain(found.results)})
    return found


def _finished(fold: Fold, key: str, splits: Sequence[str]) -> Optional[FoldPredictions]:
    path = os.path.join(fold.settings.output_dir, FOLD_FILE)
    if not os.path.exists(path):
        return None
    description = read_description(path, "a description of a fold")
    if description.text("key") != key:
        raise UserError(
            "{} was trained on other rows or with other settings: give another --output_dir, or remove it".format(
                fold.settings.output_dir
            )
        )
    if not all(os.path.exists(_array_path(fold, split)) for split in splits):
        return None  # the test split was not asked for: training goes on where it ended, and predicts
    arrays = {split: np.load(_array_path(fold, split), allow_pickle=False) for split in splits}
    are_whole = all(len(arrays[split]) == len(fold.rows[split]) for split in splits)
    return FoldPredictions(dict(description.section("results").values), arrays) if are_whole else None


def _array_path(fold: Fold, split: str) -> str:
    return os.path.join(fold.settings.output_dir, split + "_probabilities.npy")


def _key(fold: Fold) -> str:
    """Changes with the rows that the fold is trained and compared on, and with the settings of its training."""
    settings = {
        field.name: repr(getattr(fold.settings, field.name))
        for field in dataclasses.fields(fold.settings)
        if field.name not in _FREE
    }
    made_of = [settings, fold.rows[TRAIN], fold.rows[DEV]]
    return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode("ascii")).hexdigest()[:16]


def _write(
    settings: ClassificationSettings, labelling: OneLabel, name: str, rows: List[Row], probabilities: np.ndarray
) -> Dict[str, float]:
    """Writes probabilities, and the figures of rows that are labelled, which are returned."""
    write_probabilities(os.path.join(settings.output_dir, name + ".tsv"), probabilities)
    report = os.path.join(settings.output_dir, "reports", name + ".tsv")
    figures = labelling.score(rows, labelling.from_probabilities(probabilities), report_path=report)
    if figures:
        write_results(settings.output_dir, name, figures)
    return figures


def table_lines(
    metric: str, results: Sequence[Dict[str, Any]], num_rows: Sequence[int], whole: Dict[str, float]
) -> List[str]:
    """Formats a table: a line for each fold, their mean and spread, and all rows by the models that did not see them.

    Args:
      metric: the task's.
      results: figures of each fold's best checkpoint.
      num_rows: of each fold.
      whole: figures of all rows together.
    """
    name = "eval_" + metric
    values = [result[name] for result in results]
    lines = ["fold  rows      step      {}".format(words(metric))]
    for number, (rows, result) in enumerate(zip(num_rows, results), start=1):
        lines.append("{:<5} {:<9,} {:<9,} {}".format(number, rows, result[_STEP], value_text(name, result[name])))
    spread = "{} ± {}".format(*(value_text(name, float(of(values))) for of in (np.mean, np.std)))
    lines.append("{:<25} {}".format("mean ± spread", spread))
    lines.append("{:<25} {}".format("all rows, by unseen models", _figures(metric, whole)))
    return lines


def _figures(metric: str, figures: Dict[str, float]) -> str:
    if not figures:
        return ""
    return Goal(metric, is_higher_better=True).text(dict(figures, global_step=0))
