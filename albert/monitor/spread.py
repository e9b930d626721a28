"""Watch of the spread of token vectors: says, once a run, that the encoder tells tokens apart no more."""

from __future__ import annotations

import logging
from typing import Any, Optional

import tensorflow.compat.v1 as tf

from albert.model.spread import TOKEN_SPREAD
from albert.monitor.figures import TRAIN, read_records
from albert.monitor.steps import StepHook

_log = logging.getLogger(__name__)

_COLLAPSED_SHARE = 0.1  # of the spread at the start


class SpreadWatch(StepHook):
    """Warns where the spread falls to a tenth of that of the run's first step."""

    def __init__(self, spread: Any, *, every_steps: int, metrics_path: str, cause: str) -> None:
        """Creates the hook.

        Args:
          spread: scalar tensor, see `albert.model.spread`.
          every_steps: steps between two looks.
          metrics_path: the run's file of records; of a resumed run it holds the spread at the start.
          cause: what makes it fall, and what to do.
        """
        self._spread = spread
        self._every_steps = every_steps
        self._metrics_path = metrics_path
        self._cause = cause
        self._first: Optional[float] = None
        self._is_said = False

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Reads the step at which the run begins, and the spread of its first step if that is past."""
        super().after_create_session(session, coord)
        records = read_records(self._metrics_path, TRAIN) if self._step else []
        known = [record[TOKEN_SPREAD] for record in records if record.get(TOKEN_SPREAD)]
        self._first = known[0] if known else None

    def before_run(self, run_context: Any) -> Any:
        """Asks for the spread where it is looked at."""
        del run_context
        is_due = self._first is None or (self._step + 1) % self._every_steps == 0
        return tf.train.SessionRunArgs(self._spread) if is_due and not self._is_said else None

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Looks at it."""
        del run_context
        self._step += 1
        if run_values.results is None:
            return
        spread = float(run_values.results)
        if self._first is None:
            self._first = spread
        elif spread <= _COLLAPSED_SHARE * self._first:
            self._is_said = True
            _log.warning(
                "Hint: the token vectors fall together: their spread is %.4f at step %s and was %.2f at the start, so "
                "the model hardly tells one token from another; %s.",
                spread,
                format(self._step, ","),
                self._first,
                self._cause,
            )


def collapse_cause(
    *,
    optimizer: str,
    has_bias_correction: bool,
    learning_rate: float,
    warmup_steps: int,
    is_from_published_start: bool = False,
) -> str:
    """Words for what makes token vectors fall together in a run, and what to do about it.

    Args:
      optimizer: "lamb" or "adamw".
      has_bias_correction: whether the bias of its moments is corrected.
      learning_rate: of the run, at its peak.
      warmup_steps: of its schedule.
      is_from_published_start: whether pre-training began at the published initial weights.
    """
    causes = []
    if optimizer == "adamw" and not has_bias_correction:
        causes.append(
            "without bias correction the first steps are several times --learning_rate={:g} "
            "(--bias_correction=True)".format(learning_rate)
        )
    if is_from_published_start:
        causes.append(
            "from the published initial weights a model first learns how frequent each token is, whatever the text "
            "(--initial_weights=balanced)"
        )
    causes.append(
        "steps that are too large (a smaller --learning_rate than {:g}, or a warm-up of more than {:,} steps)".format(
            learning_rate, warmup_steps
        )
    )
    return "known causes: " + "; ".join(causes)
