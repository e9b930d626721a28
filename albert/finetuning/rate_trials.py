"""Trials of learning rates: a short training with each, on the way to the whole one with the best."""

from __future__ import annotations

import dataclasses
import logging
import os
import shutil
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from albert.checkpoints.training_folder import latest_checkpoint
from albert.files.complete import write_json
from albert.files.json_reading import read_description
from albert.monitor.goal import Baseline, Goal, Results

_log = logging.getLogger(__name__)

TRIALS_FILE = "learning_rate_trials.json"
_TRIALS_FOLDER = "learning_rate_trials"
_SHARE, _LEAST_STEPS, _MOST_STEPS = 0.1, 50, 500  # of the whole training

S = Any  # FineTuningSettings, or a class that is made of it
RunTrial = Callable[[S], Results]


class TrialPlan(NamedTuple):
    """Plan of the trials of a run.

    Attributes:
      settings: of the run.
      num_rows: of the train split.
      goal: by which the trials are compared.
      baseline: what is reached without learning; None where that is not known.
    """

    settings: S
    num_rows: int
    goal: Goal
    baseline: Optional[Baseline] = None

    @property
    def steps(self) -> int:
        """Steps of a trial: a tenth of the run's, 50 at least and 500 at most."""
        total = self.settings.num_train_steps(self.num_rows)
        return min(total, max(_LEAST_STEPS, min(_MOST_STEPS, int(_SHARE * total))))

    def settings_of(self, learning_rate: float) -> S:
        """Settings of a trial: a training of its own with a schedule of its own, evaluated at its end."""
        folder = os.path.join(self.settings.output_dir, _TRIALS_FOLDER, "{:g}".format(learning_rate))
        return dataclasses.replace(
            self.settings,
            output_dir=folder,
            learning_rate=learning_rate,
            # Half a step more: whatever is rounded on the way, it makes these steps.
            num_train_epochs=(self.steps + 0.5) * self.settings.train_batch_size / self.num_rows,
            save_checkpoints_steps=self.steps,
            eval_every_steps=0,
            early_stopping_evals=None,
            eval_each_epoch=False,
            profile=False,
        )


def with_best_rate(plan: TrialPlan, run_trial: RunTrial) -> S:
    """Returns the run's settings with the best of the learning rates to try.

    A run that goes on keeps the rate that it began with. Trials that are done stand in the output folder.

    Args:
      plan: see `TrialPlan`.
      run_trial: trains by settings, and returns the dev figures of the last step.
    """
    settings = plan.settings
    path = os.path.join(settings.output_dir, TRIALS_FILE)
    done = _known_trials(path, plan)
    if latest_checkpoint(settings.output_dir) is None:
        for rate in settings.try_learning_rates:
            if _name(rate) not in done:
                done[_name(rate)] = _figures(run_trial, plan.settings_of(rate))
                write_json(path, {"steps": plan.steps, "trials": done})
        shutil.rmtree(os.path.join(settings.output_dir, _TRIALS_FOLDER), ignore_errors=True)
    tried = [(rate, done[_name(rate)]) for rate in settings.try_learning_rates if _name(rate) in done]
    if not tried:
        _log.info("No learning rate was tried before this run began: it goes on at %g.", settings.learning_rate)
        return settings
    best, _ = max(tried, key=lambda trial: _rank(plan.goal, trial[1]))
    for line in trial_lines(plan, tried, best):
        _log.info("%s", line)
    return dataclasses.replace(settings, learning_rate=best)


def _figures(run_trial: RunTrial, settings: S) -> Results:
    _log.info("Trial of --learning_rate=%g:", settings.learning_rate)
    results = run_trial(settings)
    shutil.rmtree(settings.output_dir, ignore_errors=True)
    return results


def _known_trials(path: str, plan: TrialPlan) -> Dict[str, Results]:
    """The trials of this plan that are done, by rate."""
    if not os.path.exists(path):
        return {}
    known = read_description(path, "a record of trials")
    return dict(known.section("trials").values) if known.count("steps") == plan.steps else {}


def _name(rate: float) -> str:
    return "{:g}".format(rate)


def _rank(goal: Goal, results: Results) -> Tuple[Any, ...]:
    """The goal's rank; of equals (often the commonest label, everywhere) the lower loss is the better."""
    loss = results.get("eval_loss")
    return (*goal.rank(results), -loss if loss is not None else 0.0)


def trial_lines(plan: TrialPlan, tried: List[Tuple[float, Results]], best: float) -> List[str]:
    """Lines on what each trial reached, and on the choice."""
    return ["Learning rates after {:,} steps each (* is the best):".format(plan.steps)] + [
        "{} --learning_rate={:g}: {}".format("*" if rate == best else " ", rate, plan.goal.text(results, plan.baseline))
        for rate, results in tried
    ]
