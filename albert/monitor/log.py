"""Log of a training: the progress line, and the records of metrics.jsonl."""

from __future__ import annotations

import collections
import math
import time
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional

import tensorflow.compat.v1 as tf

from albert.base.terminal import Part, StatusLine, fitted, time_text
from albert.monitor.events import EventLog
from albert.monitor.figures import TRAIN, append_record, drop_after
from albert.monitor.steps import StepHook

_LEAST_WINDOW = 50  # steps over which the rate is taken; buckets of length make single steps differ by a factor
_TOKENS = "tokens"  # counted for the rate, not recorded
_SHORT_NAMES = {"accuracy": "acc", "masked_lm_accuracy": "mlm", "sentence_order_accuracy": "sop"}


class Rate(NamedTuple):
    """Rate of training steps, input included, without the evaluations and checkpoints between them."""

    steps: int
    seconds: float
    tokens: float  # real ones, without padding; 0 where they are not counted

    @property
    def steps_per_second(self) -> float:
        """0 where nothing was measured."""
        return self.steps / self.seconds if self.seconds > 0 else 0.0

    @property
    def tokens_per_second(self) -> float:
        """0 where nothing was measured."""
        return self.tokens / self.seconds if self.seconds > 0 else 0.0


class TrainingLogHook(StepHook):
    """Reports losses, accuracies, rates and time left every few steps.

    Losses and accuracies are means since the last report, the rates are those of the last steps (50 at least); the
    other scalars are those of the reported step. The first step of a process, which builds and warms up, counts for no
    rate.
    """

    def __init__(
        self,
        tensors: Dict[str, Any],
        *,
        total_steps: int,
        examples_per_step: int,
        every_steps: int,
        metrics_path: str,
        line: StatusLine,
        warmup_steps: int = 0,
        events: Optional[EventLog] = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Creates the hook.

        Args:
          tensors: scalars by name; "loss" is one of them, "tokens" (of the batch, without padding) may be.
          total_steps: the step at which training ends.
          examples_per_step: the batch size.
          every_steps: steps between two reports.
          metrics_path: the file of records. What is in it of steps after the one training begins at is removed.
          line: where progress is shown.
          warmup_steps: of the schedule.
          events: takes each record for TensorBoard; None for none.
          clock: seconds, for rates; records have the time of day.
        """
        self._tensors = tensors
        self._every_step = {name: tensor for name, tensor in tensors.items() if name == _TOKENS or _is_mean(name)}
        self._total_steps = total_steps
        self._examples_per_step = examples_per_step
        self._every_steps = every_steps
        self._metrics_path = metrics_path
        self._line = line
        self._warmup_steps = warmup_steps
        self._events = events
        self._clock = clock
        self._means = _Means()
        self._recent: Deque[Rate] = collections.deque(maxlen=max(every_steps, _LEAST_WINDOW))
        self._is_first = True  # of the process
        self._step_start = 0.0
        self.total = Rate(0, 0.0, 0.0)  # of this process

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Reads the step at which the run begins."""
        super().after_create_session(session, coord)
        drop_after(self._metrics_path, self._step)
        if self._events:
            self._events.begin_after(self._step)

    def before_run(self, run_context: Any) -> Any:
        """Asks for what a mean is taken of, and for everything where a report is due."""
        del run_context
        self._step_start = self._clock()
        is_due = self._is_first or self._is_recorded(self._step + 1)
        return tf.train.SessionRunArgs(self._tensors if is_due else self._every_step)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Counts the step, and reports where it is due."""
        del run_context
        now = self._clock()
        results = run_values.results
        self._step += 1
        self._means.add({name: float(value) for name, value in results.items() if _is_mean(name)})
        if not self._is_first:
            self._count(Rate(1, now - self._step_start, float(results.get(_TOKENS, 0.0))))
        if self._is_recorded(self._step):
            self._record(results, now)
        elif self._is_first:  # of a resumed run: shown at once, but not recorded
            self._show(self._figures(results), now)
        self._is_first = False

    def _is_recorded(self, step: int) -> bool:
        return step == 1 or step % self._every_steps == 0 or step == self._total_steps

    def _count(self, rate: Rate) -> None:
        self._recent.append(rate)
        self.total = _sum([self.total, rate])

    def _figures(self, results: Dict[str, Any]) -> Dict[str, float]:
        """The scalars of a report: those of its step, but the means of what means are taken of."""
        of_step = {name: float(value) for name, value in results.items() if name != _TOKENS}
        return dict(of_step, **self._means.values())

    def _record(self, results: Dict[str, Any], now: float) -> None:
        figures = self._figures(results)
        self._means = _Means()
        rate = _sum(list(self._recent))
        record = dict(figures)
        if rate.steps_per_second:
            record["examples_per_second"] = rate.steps_per_second * self._examples_per_step
        if rate.tokens_per_second:
            record["tokens_per_second"] = rate.tokens_per_second
        append_record(self._metrics_path, TRAIN, self._step, time.time(), record)
        if self._events:
            self._events.add(self._step, record)
        self._show(figures, now)

    def _show(self, figures: Dict[str, float], now: float) -> None:
        text = progress_text(
            self._step,
            self._total_steps,
            figures,
            rate=_sum(list(self._recent)),
            examples_per_step=self._examples_per_step,
            is_warm_up=self._step <= self._warmup_steps,
            room=self._line.room,
        )
        self._line.show(text, now, is_last=self._step == self._total_steps)


class _Means:
    """Means of scalars over steps."""

    def __init__(self) -> None:
        self._sums: Dict[str, float] = collections.defaultdict(float)
        self._steps = 0

    def add(self, scalars: Dict[str, float]) -> None:
        """Takes the scalars of a step."""
        self._steps += 1
        for name, value in scalars.items():
            self._sums[name] += value

    def values(self) -> Dict[str, float]:
        """The means by name."""
        return {name: total / self._steps for name, total in self._sums.items()}


def _is_mean(name: str) -> bool:
    """Whether a scalar is the batch's share in a mean over steps; the others are of one step."""
    return name == "loss" or name.endswith(("_loss", "accuracy"))


def _sum(rates: List[Rate]) -> Rate:
    return Rate(*map(sum, zip(*rates))) if rates else Rate(0, 0.0, 0.0)


def progress_text(
    step: int,
    total_steps: int,
    figures: Dict[str, float],
    *,
    rate: Optional[Rate] = None,
    examples_per_step: int = 1,
    is_warm_up: bool = False,
    room: Optional[int] = None,
) -> str:
    """Progress line: step, loss, accuracies, learning rate, spread of the token vectors, rates and time left.

    Args:
      step, total_steps: where training is.
      figures: what is shown, by name.
      rate: of the last steps.
      examples_per_step: the batch size.
      is_warm_up: whether the learning rate rises; it begins at 0.
      room: columns of the line; what matters least is left out where it does not fit. None for any number.
    """
    parts = [
        Part("step {:,}/{:,}".format(step, total_steps), 9),
        Part("loss {:.4f}".format(figures["loss"]), 8),
    ]
    for name in sorted(name for name in figures if name.endswith("accuracy")):
        parts.append(Part("{} {:.1%}".format(_SHORT_NAMES.get(name, name.replace("_", " ")), figures[name]), 7))
    if "learning_rate" in figures:
        parts.append(Part(_learning_rate_text(figures["learning_rate"], is_warm_up), 4))
    if math.isfinite(figures.get("token_spread", math.nan)):
        parts.append(Part("spread {:.2f}".format(figures["token_spread"]), 3))
    if rate and rate.steps_per_second:
        parts.append(Part("{} ex/s".format(_short(rate.steps_per_second * examples_per_step)), 5))
        if rate.tokens:
            parts.append(Part("{:,.0f} tok/s".format(rate.tokens_per_second), 2))
        parts.append(Part("ETA " + time_text((total_steps - step) / rate.steps_per_second), 6))
    return fitted(parts, room)


def _learning_rate_text(learning_rate: float, is_warm_up: bool) -> str:
    if learning_rate == 0.0 and is_warm_up:
        return "lr 0 (warm-up)"
    return "lr {:.1e}".format(learning_rate)


def _short(rate: float) -> str:
    return "{:,.0f}".format(rate) if rate >= 10.0 else "{:.1f}".format(rate)
