"""Guards of a training run: numbers that are not finite, a loss that climbs, a disk without room for a checkpoint."""

from __future__ import annotations

import collections
import logging
import math
import os
from typing import Any, Deque, Dict, Optional

import numpy as np
import tensorflow.compat.v1 as tf

from albert.files.space import DiskFullError, free_bytes, size_text
from albert.model.config import LARGE_HIDDEN_SIZE
from albert.monitor.steps import StepHook

_log = logging.getLogger(__name__)

_GUARDED = ("loss", "gradient_norm")
_SKIPPED = "update_skipped"
_MOST_SKIPPED = 100
_WINDOW = 50  # steps
_LOST_SHARE = 1 / 3
_LEAST_RISE = 0.1
_STUCK_STEPS = 500
_STUCK_SHARE = 0.98


class NotFiniteError(Exception):
    """Error of a loss or gradient that is not finite; the message says which, and the step."""


class FiniteGuard(tf.train.SessionRunHook):
    """Raises `NotFiniteError` at the first step whose loss or gradient norm is no finite number.

    It must stand before the hook that saves checkpoints: hooks run in their order, and what a bad gradient did to the
    weights is then never saved. A session that ends by an error saves nothing at its end either. Given to the Estimator
    (rather than to the model_fn, which alone has the scalars), it also stands before the Estimator's own check of the
    loss, which names no step.

    Where "update_skipped" is watched (loss scaling leaves out an update whose float16 gradients overflow), the gradient
    norm of a skipped update may be infinite, until a hundred in a row are.
    """

    def __init__(self) -> None:
        """Creates a guard that watches nothing yet."""
        self._watched: Dict[str, Any] = {}
        self._skipped = 0  # in a row

    def watch(self, tensors: Dict[str, Any]) -> None:
        """Takes the scalars of a training graph, by name; it ignores those it does not know."""
        self._watched = {name: tensors[name] for name in _GUARDED + (_SKIPPED,) if name in tensors}

    def begin(self) -> None:
        """Finds the step counter."""
        self._global_step = tf.train.get_global_step()

    def before_run(self, run_context: Any) -> Any:
        """Asks for the guarded scalars."""
        del run_context
        return tf.train.SessionRunArgs(self._watched)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Checks them."""
        results = run_values.results
        self._skipped = self._skipped + 1 if results.get(_SKIPPED, 0) else 0
        if 0 < self._skipped <= _MOST_SKIPPED:
            return
        for name in _GUARDED:
            if name in results and not math.isfinite(results[name]):
                step = int(run_context.session.run(self._global_step))
                raise NotFiniteError(
                    "the {} is {} at step {:,}".format(name.replace("_", " "), float(results[name]), step)
                )


class LossTrend:
    """Trend of the loss, from the mean of 50 steps at a time.

    It climbs where it has lost a third of what it had gained: it is above the best mean by more than a third of the
    way from the first mean to the best, a tenth of the best, and the 50 losses' standard deviation. It is stuck where,
    500 steps after the warm-up, no mean was 2 % below the first; a resumed run cannot tell that.
    """

    def __init__(self, warmup_steps: int) -> None:
        self._warmup_steps = warmup_steps
        self._losses: Deque[float] = collections.deque(maxlen=_WINDOW)
        self._first: Optional[float] = None
        self._best: Optional[float] = None
        self._best_step = 0
        self._is_resumed = False

    def add(self, step: int, loss: float) -> Optional[str]:
        """Takes the loss of a step; returns what is wrong, again and again while it lasts."""
        self._losses.append(loss)
        if len(self._losses) < _WINDOW:
            return None
        mean = sum(self._losses) / _WINDOW
        if self._first is None:
            self._first = mean
            self._is_resumed = step > _WINDOW
        if self._best is None or mean < self._best:
            self._best, self._best_step = mean, step
        deviation = (sum((loss - mean) ** 2 for loss in self._losses) / _WINDOW) ** 0.5
        if mean - self._best > max(_LOST_SHARE * (self._first - self._best), _LEAST_RISE * self._best, deviation):
            return "The loss climbs: {:.3f} over the last {} steps, {:.3f} at best (step {:,})".format(
                mean, _WINDOW, self._best, self._best_step
            )
        is_late = step >= self._warmup_steps + _STUCK_STEPS and not self._is_resumed
        if is_late and self._best > _STUCK_SHARE * self._first:
            return "The loss has not fallen since the first steps: {:.3f} then, {:.3f} at best".format(
                self._first, self._best
            )
        return None


class DivergenceHint(StepHook):
    """Hint of divergence: one line of advice, once a run, where the loss climbs or is stuck."""

    def __init__(self, loss: Any, *, warmup_steps: int, advice: str) -> None:
        """Creates the hook of a scalar loss; `advice` is what the line says to do."""
        self._loss = loss
        self._trend = LossTrend(warmup_steps)
        self._advice = advice
        self._is_said = False

    def before_run(self, run_context: Any) -> Any:
        """Asks for the loss."""
        del run_context
        return tf.train.SessionRunArgs(self._loss)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Looks at it."""
        del run_context
        self._step += 1
        trouble = self._trend.add(self._step, float(run_values.results))
        if trouble and not self._is_said:
            _log.warning("Hint: %s; %s.", trouble, self._advice)
            self._is_said = True


class CheckpointRoom(tf.train.CheckpointSaverListener):
    """Check of the disk: ends training before a checkpoint that has no room; the first one is of step 0."""

    def __init__(self, output_dir: str) -> None:
        self._output_dir = output_dir
        self._needed = 0

    def begin(self) -> None:
        """Adds up what the variables of the graph take."""
        variables = tf.global_variables()
        self._needed = sum(
            int(np.prod(variable.shape.as_list())) * variable.dtype.base_dtype.size for variable in variables
        )

    def before_save(self, session: Any, global_step_value: int) -> None:
        """Looks for room.

        Raises:
          DiskFullError: there is none.
        """
        del session
        free = free_bytes(os.path.join(self._output_dir, "checkpoint"))
        if free is not None and free < self._needed:
            raise DiskFullError(
                "the checkpoint of step {} takes {}, and the disk of {} has {} free".format(
                    global_step_value, size_text(self._needed), self._output_dir, size_text(free)
                )
            )


def divergence_advice(*, hidden_size: int, learning_rate: float, warmup: str) -> str:
    """Advice for a training that diverges, by the model's size.

    Args:
      hidden_size: of the model.
      learning_rate: of the run, at its peak.
      warmup: the warm-up's flag with its value.
    """
    if hidden_size >= LARGE_HIDDEN_SIZE:
        return (
            "models of hidden size {} and above need a smaller --learning_rate (now {:g}) and more warm-up (now {}) "
            "than the published ones, and --preset=recommended sets both where they are not given".format(
                LARGE_HIDDEN_SIZE, learning_rate, warmup
            )
        )
    return "a smaller --learning_rate (now {:g}) or more warm-up (now {}) usually helps".format(learning_rate, warmup)
