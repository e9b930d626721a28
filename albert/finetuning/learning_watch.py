"""Watch over what a fine-tuning learns: answers that are all the same, a loss as of guessing, and what to try next."""

from __future__ import annotations

import logging
import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional

from albert.finetuning.settings import FineTuningSettings
from albert.monitor.evaluation import Evaluator
from albert.monitor.figures import METRICS_FILE, TRAIN, read_records
from albert.monitor.goal import value_text, words

_log = logging.getLogger(__name__)

_LEAST_RECORDS = 3
_LEAST_STEPS = 100  # of a shorter training only the end is judged
_LATE_SHARE = 1 / 3  # of the steps after the warm-up: before, a model that will learn may look like this
_GUESSING_SHARE = 0.985
_RATES_TO_TRY = "2e-5,6e-5,1e-4,5e-4"


class Schedule(NamedTuple):
    """Steps of a training."""

    total_steps: int
    warmup_steps: int

    @property
    def late_step(self) -> float:
        """The step from which a model should have learned something."""
        return max(_LEAST_STEPS, self.warmup_steps + _LATE_SHARE * (self.total_steps - self.warmup_steps))


class LearningWatch:
    """Watch over the evaluations of a run: warns once where the model does not learn."""

    def __init__(self, settings: FineTuningSettings, *, guessing_loss: Optional[float] = None) -> None:
        """Creates the watch.

        Args:
          settings: of the run.
          guessing_loss: the mean loss of who knows only the labels' shares; None where there is no such thing.
        """
        self._settings = settings
        self._guessing_loss = guessing_loss
        self._schedule: Optional[Schedule] = None
        self._is_said = False

    def begin(self, schedule: Schedule) -> None:
        """Takes the schedule of the training."""
        self._schedule = schedule

    def look(self, step: int, find_sameness: Callable[[], Optional[str]]) -> None:
        """Looks at the evaluation of a step; warns where it shows, late enough, that nothing is learned.

        Args:
          step: of the checkpoint.
          find_sameness: finds words on answers that are all the same; None where they differ.
        """
        if self._is_said or step == 0 or (self._schedule and step < self._schedule.late_step):
            return
        records = read_records(os.path.join(self._settings.output_dir, METRICS_FILE), TRAIN)
        signs = [find_sameness(), guessing_sign(records, self._guessing_loss, self._schedule)]
        found = [sign for sign in signs if sign]
        if found:
            self._is_said = True
            _log.warning("It does not learn (step %s): %s.", format(step, ","), "; ".join(found))
            _log.warning("%s", advice(self._settings))

    def conclude(self, evaluator: Evaluator) -> None:
        """Warns where the best checkpoint of the run is no better than its baseline."""
        best, baseline = evaluator.best(), evaluator.baseline
        if self._schedule is None or best is None or baseline is None:
            return
        figure = evaluator.goal.shown_first
        if best[figure] is None or best[figure] > baseline.value:
            return
        _log.warning(
            "It did not learn: %s %s %s is no better than %s, %s.",
            evaluator.name,
            words(figure),
            value_text(figure, best[figure]),
            baseline.name,
            value_text(figure, baseline.value),
        )
        if not self._is_said:
            _log.warning("%s", advice(self._settings))
        self._is_said = True


def guessing_sign(
    records: List[Dict[str, Any]], guessing_loss: Optional[float], schedule: Optional[Schedule]
) -> Optional[str]:
    """Words on a training loss that stays where guessing is; None where it is lower.

    Args:
      records: of training.
      guessing_loss: see `LearningWatch`.
      schedule: of the training; None where nothing is trained.
    """
    if guessing_loss is None or schedule is None:
        return None
    late = [record for record in records if record["step"] > schedule.warmup_steps and record.get("loss") is not None]
    late = late[len(late) // 2 :]
    if len(late) < _LEAST_RECORDS:
        return None
    mean = sum(record["loss"] for record in late) / len(late)
    if mean < _GUESSING_SHARE * guessing_loss:
        return None
    return "the training loss is {:.3f} since step {:,}, and who guesses by the labels' shares has {:.3f}".format(
        mean, late[0]["step"], guessing_loss
    )


def advice(settings: FineTuningSettings) -> str:
    """What to try next, by flags that the run has and does not use."""
    tries = [
        "a smaller or larger --learning_rate (now {:g})".format(settings.learning_rate),
        "more warm-up (--warmup_proportion, now {:g})".format(settings.warmup_proportion),
    ]
    if getattr(settings, "bias_correction", True) is False:
        tries.append("--bias_correction=True")
    if not getattr(settings, "try_learning_rates", True):
        tries.append("--try_learning_rates={}, which goes on with the best of these".format(_RATES_TO_TRY))
    if settings.init_checkpoint is None:
        tries.append("pre-trained weights (--init_checkpoint; from random weights little is learned)")
    return "What to try next: {}.".format("; ".join(tries))
