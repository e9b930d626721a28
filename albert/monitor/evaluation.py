"""Evaluation of a run's checkpoints, while it trains and at its end: each once, and the best kept.

What was measured stands in metrics.jsonl as evaluation records, with marks of the data and of the weights; by them a
resumed run knows which checkpoints are done and how good the best was.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import time
from typing import Any, Callable, Dict, List, Optional, Tuple

import tensorflow.compat.v1 as tf

from albert.checkpoints.description import ModelFolder, best_folder
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.folder import write_best
from albert.checkpoints.values import step_of
from albert.monitor.events import EVAL_FOLDER, EventLog
from albert.monitor.figures import EVAL, METRICS_FILE, insert_record, plain, read_records
from albert.monitor.goal import STEP, Baseline, Goal, Results, plain_name, to_record, value_text, words

_log = logging.getLogger(__name__)

_DATA, _WEIGHTS, _GOAL = "data", "weights", "goal"
_OF_RECORD = ("kind", "step", "time", _DATA, _WEIGHTS, _GOAL)  # the other keys are figures


class Evaluator:
    """Evaluates checkpoints of an output folder and keeps the weights of the best in <output_dir>/best."""

    def __init__(
        self,
        output_dir: str,
        *,
        name: str,
        data: Any,
        goal: Goal,
        measure: Callable[[str], Results],
        find_baseline: Callable[[], Optional[Baseline]] = lambda: None,
        describe: Callable[[str], Optional[ModelFolder]] = lambda prefix: None,
    ) -> None:
        """Creates the evaluator.

        Args:
          output_dir: the run's folder.
          name: what the figures are of, in what is logged.
          data: all that the figures depend on beside the weights, as JSON.
          goal: see `Goal`.
          measure: the figures of the checkpoint at a prefix, "global_step" among them.
          find_baseline: finds the baseline of the figure that is shown first; called once, and only where it is shown.
          describe: the description of the model at a prefix, where it differs from that of the run's folder.
        """
        self.name = name
        self.goal = goal
        self._output_dir = output_dir
        self._data = _digest(json.dumps(data, sort_keys=True).encode("utf-8"))
        self._measure = measure
        self._find_baseline = find_baseline
        self._describe = describe
        self._baseline: Optional[Tuple[Optional[Baseline]]] = None  # found, or not looked for yet
        self._events = EventLog(os.path.join(output_dir, EVAL_FOLDER))

    @property
    def baseline(self) -> Optional[Baseline]:
        """The baseline of the figure that is shown first, if it has one."""
        if self._baseline is None:
            self._baseline = (self._find_baseline(),)
        return self._baseline[0]

    def evaluate(self, prefix: str) -> Results:
        """Evaluates a checkpoint unless its figures are known, and keeps its weights if it is the best so far."""
        weights = _weights_mark(prefix)
        for record in reversed(self._records()):
            if record[_WEIGHTS] == weights:
                return _results(record)
        best_before = self.best()
        results = plain(self._measure(prefix))
        self._record(results, weights)
        is_better = best_before is None or self.goal.is_better(results, best_before)
        is_first = best_before is None or not best_before[STEP]  # nothing trained to compare with
        _log.info(
            "%s, step %s: %s%s",
            self.name,
            format(results[STEP], ","),
            self.goal.text(results, self.baseline),
            ", the best so far" if is_better and not is_first else "",
        )
        if best_before is None or self.goal.rank(results) > self.goal.rank(best_before):
            self._keep(prefix, results)
        return results

    def _record(self, results: Results, weights: str) -> None:
        marks = {_DATA: self._data, _WEIGHTS: weights, _GOAL: to_record(self.goal, self.baseline)}
        path = os.path.join(self._output_dir, METRICS_FILE)
        insert_record(path, EVAL, results[STEP], time.time(), dict(results, **marks))
        figures = {plain_name(name): value for name, value in results.items() if name != STEP}
        self._events.add(results[STEP], figures)

    def _keep(self, prefix: str, results: Results) -> None:
        write_best(self._output_dir, prefix, self.figures_in_words(results), self._describe(prefix))

    def figures_in_words(self, results: Results) -> List[Tuple[str, str]]:
        """Names and values of a checkpoint's figures, for people; the one that is shown first has its baseline."""
        first = self.goal.shown_first
        names = [first] + sorted(set(results) - {first, STEP})
        figures = [("{} {}".format(self.name, words(name)), value_text(name, results.get(name))) for name in names]
        if self.baseline:
            beside = " ({}: {})".format(self.baseline.name, value_text(first, self.baseline.value))
            figures[0] = (figures[0][0], figures[0][1] + beside)
        return figures

    def known(self) -> List[Results]:
        """The figures of all checkpoints evaluated so far, in the order of their steps; the last measured of each."""
        by_step = {record["step"]: _results(record) for record in self._records()}
        return [by_step[step] for step in sorted(by_step)]

    def best(self) -> Optional[Results]:
        """The figures of the best checkpoint so far; None where none was evaluated."""
        return self.goal.best(self.known())

    def evaluations_since_best(self) -> int:
        """Counts the evaluations since the best one; that of step 0, which nothing trained, is none."""
        best: Optional[Results] = None
        since = 0
        for results in self.known():
            if results[STEP] == 0:
                continue
            if best is None or self.goal.is_better(results, best):  # what is as good is nothing better
                best, since = results, 0
            else:
                since += 1
        return since

    def keep_best(self) -> Optional[str]:
        """Makes sure that <output_dir>/best holds the best known checkpoint; returns the prefix of its weights there.

        None where nothing was evaluated.
        """
        best = self.best()
        if best is None:
            return None
        folder = best_folder(self._output_dir)
        name = "model.ckpt-{}".format(best[STEP])
        source, kept = os.path.join(self._output_dir, name), os.path.join(folder, name)
        if not os.path.exists(kept + ".index") and os.path.exists(source + ".index"):
            self._keep(source, best)
        return kept if os.path.exists(kept + ".index") else find_checkpoint(folder)

    def _records(self) -> List[Dict[str, Any]]:
        path = os.path.join(self._output_dir, METRICS_FILE)
        return [r for r in read_records(path, EVAL) if r.get(_DATA) == self._data]


def last_evaluated_step(evaluator: Evaluator, until: int) -> int:
    """The last step up to another at which a checkpoint was evaluated; 0 where none was."""
    return max([results[STEP] for results in evaluator.known() if results[STEP] <= until], default=0)


def evaluate_missed(evaluator: Evaluator, prefix: str, every_steps: Optional[int]) -> None:
    """Evaluates the checkpoint with which a training goes on, if a kill came between its saving and its evaluation.

    Args:
      evaluator: what evaluates.
      prefix: of the checkpoint.
      every_steps: the least number of steps between two evaluations; None evaluates every checkpoint.
    """
    step = step_of(prefix)
    if step - last_evaluated_step(evaluator, step) >= (every_steps or 1):
        evaluator.evaluate(prefix)


class EarlyStopping:
    """Early stopping: training may end after a number of evaluations in a row without improvement."""

    def __init__(self, evaluator: Evaluator, evaluations: int) -> None:
        self._evaluator = evaluator
        self._evaluations = evaluations
        self._is_logged = False

    def is_due(self) -> bool:
        """Whether training may end; logged once. A run that ended so ends so again: its evaluations are on file."""
        is_due = self._evaluator.evaluations_since_best() >= self._evaluations
        if is_due and not self._is_logged:
            self._is_logged = True
            _log.info("Early stop: the last %d evaluations brought nothing better.", self._evaluations)
        return is_due


class EvaluationListener(tf.train.CheckpointSaverListener):
    """Evaluates checkpoints when they are saved, in the training process; its graph and session stay as they are."""

    def __init__(
        self,
        evaluator: Evaluator,
        output_dir: str,
        every_steps: Optional[int] = None,
        early_stopping: Optional[EarlyStopping] = None,
        last_step: Optional[int] = None,
    ) -> None:
        """Creates the listener.

        Args:
          evaluator: what evaluates.
          output_dir: where the checkpoints are.
          every_steps: the least number of steps between two evaluations; None evaluates every checkpoint.
          early_stopping: what says that training may end early; None lets it go on.
          last_step: the step from which steps are counted; None for that of the first checkpoint.
        """
        self._evaluator = evaluator
        self._early_stopping = early_stopping
        self._output_dir = output_dir
        self._every_steps = every_steps or 1
        self._last_step = last_step

    def after_save(self, session: Any, global_step_value: int) -> bool:
        """Evaluates the checkpoint of the step, except for the one with which a process begins.

        Returns whether training is to end, which the Estimator then does.
        """
        del session
        step = int(global_step_value)
        if self._last_step is None:
            self._last_step = step
        elif step - self._last_step >= self._every_steps:
            self._last_step = step
            self._evaluator.evaluate(os.path.join(self._output_dir, "model.ckpt-{}".format(step)))
            return self._early_stopping is not None and self._early_stopping.is_due()
        return False


def train_in_turns(
    train_until: Callable[[int], None],
    evaluator: Evaluator,
    *,
    first_step: int,
    last_step: int,
    every_steps: int,
    latest: Callable[[], Optional[str]],
    early_stopping: Optional[EarlyStopping] = None,
    is_interrupted: Callable[[], bool] = lambda: False,
) -> None:
    """Trains and evaluates in turn: on a TPU, whose training loop returns only at its end.

    Args:
      train_until: trains up to a step and saves a checkpoint.
      evaluator: what evaluates.
      first_step: the step at which training begins.
      last_step: the step at which it ends.
      every_steps: steps of a turn.
      latest: the prefix of the last checkpoint.
      early_stopping: what says that training may end early; None lets it go on.
      is_interrupted: whether a turn was interrupted; nothing follows it.
    """
    step = first_step
    while step < last_step and not (early_stopping and early_stopping.is_due()):
        step = min(step + every_steps, last_step)
        train_until(step)
        if is_interrupted():
            return
        checkpoint = latest()
        if checkpoint:
            evaluator.evaluate(checkpoint)


def _results(record: Dict[str, Any]) -> Results:
    return {key: value for key, value in record.items() if key not in _OF_RECORD}


def _weights_mark(prefix: str) -> str:
    """Hash of a checkpoint's weights: its index holds the checksum of every one."""
    with open(prefix + ".index", "rb") as file:
        return _digest(file.read())


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
