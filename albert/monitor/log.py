"""Log of a training: the progress line, and the records of metrics.jsonl."""

from __future__ import annotations

import collections
import time
from typing import Any, Callable, Deque, Dict, List, NamedTuple, Optional

import tensorflow.compat.v1 as tf

from albert.base.terminal import StatusLine, time_text
from albert.monitor.figures import TRAIN, append_record, drop_after

_LEAST_WINDOW = 50  # steps over which the rate is taken; buckets of length make single steps differ by a factor
_NOT_RECORDED = ("tokens",)


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


class TrainingLogHook(tf.train.SessionRunHook):
    """Reports loss, rates and time left every few steps.

    The loss is the mean since the last report, the rates are those of the last steps (50 at least); the other scalars
    are those of the reported step. The first step of a process, which builds and warms up, counts for no rate.
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
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Creates the hook.

        Args:
          tensors: scalars by name; "loss" is one of them, "tokens" (of the batch, without padding) may be.
          total_steps: the step at which training ends.
          examples_per_step: the batch size.
          every_steps: steps between two reports.
          metrics_path: the file of records. What is in it of steps after the one training begins at is removed.
          line: where progress is shown.
          clock: seconds.
        """
        self._tensors = tensors
        self._every_step = {name: tensors[name] for name in ("loss", "tokens") if name in tensors}
        self._total_steps = total_steps
        self._examples_per_step = examples_per_step
        self._every_steps = every_steps
        self._metrics_path = metrics_path
        self._line = line
        self._clock = clock
        self._step = 0
        self._losses: List[float] = []
        self._recent: Deque[Rate] = collections.deque(maxlen=max(every_steps, _LEAST_WINDOW))
        self._is_first = True  # of the process
        self._step_start = 0.0
        self.total = Rate(0, 0.0, 0.0)  # of this process

    def begin(self) -> None:
        """Finds the step counter."""
        self._global_step = tf.train.get_global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Reads the step at which the run begins."""
        del coord
        self._step = int(session.run(self._global_step))
        drop_after(self._metrics_path, self._step)

    def before_run(self, run_context: Any) -> Any:
        """Asks for the loss, and for everything where a report is due."""
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
        self._losses.append(float(results["loss"]))
        if not self._is_first:
            self._count(Rate(1, now - self._step_start, float(results.get("tokens", 0.0))))
        if self._is_recorded(self._step):
            self._record(results, now)
        elif self._is_first:  # of a resumed run: shown at once, but not recorded
            self._show(_figures(results, self._losses), now)
        self._is_first = False

    def _is_recorded(self, step: int) -> bool:
        return step == 1 or step % self._every_steps == 0 or step == self._total_steps

    def _count(self, rate: Rate) -> None:
        self._recent.append(rate)
        self.total = _sum([self.total, rate])

    def _record(self, results: Dict[str, Any], now: float) -> None:
        figures = _figures(results, self._losses)
        self._losses = []
        rate = _sum(list(self._recent))
        record = {name: value for name, value in figures.items() if name not in _NOT_RECORDED}
        if rate.steps_per_second:
            record["examples_per_second"] = rate.steps_per_second * self._examples_per_step
        if rate.tokens_per_second:
            record["tokens_per_second"] = rate.tokens_per_second
        append_record(self._metrics_path, TRAIN, self._step, now, record)
        self._show(figures, now)

    def _show(self, figures: Dict[str, float], now: float) -> None:
        text = progress_text(
            self._step,
            self._total_steps,
            figures,
            rate=_sum(list(self._recent)),
            examples_per_step=self._examples_per_step,
        )
        self._line.show(text, now, is_last=self._step == self._total_steps)


def _sum(rates: List[Rate]) -> Rate:
    return Rate(*map(sum, zip(*rates))) if rates else Rate(0, 0.0, 0.0)


def _figures(results: Dict[str, Any], losses: List[float]) -> Dict[str, float]:
    return dict({name: float(value) for name, value in results.items()}, loss=sum(losses) / len(losses))


def progress_text(
    step: int, total_steps: int, figures: Dict[str, float], *, rate: Optional[Rate] = None, examples_per_step: int = 1
) -> str:
    """Progress line: step, loss, accuracies, learning rate, examples/s, tokens/s, time left."""
    parts = ["step {:,}/{:,}".format(step, total_steps), "loss {:.4f}".format(figures["loss"])]
    parts += ["{} {:.1%}".format(name, figures[name]) for name in sorted(figures) if name.endswith("accuracy")]
    if "learning_rate" in figures:
        parts.append("lr {:.2e}".format(figures["learning_rate"]))
    if rate and rate.steps_per_second:
        parts.append("{:,.1f} examples/s".format(rate.steps_per_second * examples_per_step))
        if rate.tokens:
            parts.append("{:,.0f} tokens/s".format(rate.tokens_per_second))
        parts.append("ETA " + time_text((total_steps - step) / rate.steps_per_second))
    return " | ".join(parts)
