"""What a training run says while it runs: one progress line, and a JSON-lines file beside TensorBoard's events."""

from __future__ import annotations

import json
import sys
import time
from typing import Any, Callable, Dict, Optional, TextIO

import tensorflow.compat.v1 as tf

METRICS_FILE = "metrics.jsonl"
_PERIOD_SECONDS = 10.0  # between lines where the stream is no terminal


class TrainingLogHook(tf.train.SessionRunHook):
    """Reports loss, rate and time left every few steps.

    The loss is the mean since the last report; the other scalars are those of the reported step. The rate leaves
    out the first step of a run, which builds and warms up.
    """

    def __init__(
        self,
        tensors: Dict[str, Any],
        *,
        total_steps: int,
        examples_per_step: int,
        every_steps: int,
        metrics_path: str,
        stream: Optional[TextIO] = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Creates the hook.

        Args:
          tensors: scalars by name; "loss" is one of them.
          total_steps: the step at which training ends.
          examples_per_step: the batch size.
          every_steps: steps between two reports.
          metrics_path: the JSON-lines file that is appended to.
          stream: where the progress line goes; standard error by default.
          clock: seconds.
        """
        self._tensors = tensors
        self._total_steps = total_steps
        self._examples_per_step = examples_per_step
        self._every_steps = every_steps
        self._metrics_path = metrics_path
        self._stream = stream or sys.stderr
        self._clock = clock
        self._step = 0
        self._losses: list = []
        self._rate_start: Any = None  # (time, step) from which the rate is counted
        self._last_line_time = 0.0

    def begin(self) -> None:
        """Finds the step counter."""
        self._global_step = tf.train.get_global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Reads the step at which the run begins."""
        del coord
        self._step = int(session.run(self._global_step))
        self._metrics_file = open(self._metrics_path, "a", encoding="utf-8")  # noqa: SIM115 (closed in `end`)

    def before_run(self, run_context: Any) -> Any:
        """Asks for the loss, and for everything where a report is due."""
        del run_context
        tensors = self._tensors if self._is_due(self._step + 1) else {"loss": self._tensors["loss"]}
        return tf.train.SessionRunArgs(tensors)

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Counts the step, and reports where it is due."""
        del run_context
        now = self._clock()
        self._step += 1
        self._losses.append(float(run_values.results["loss"]))
        if self._is_due(self._step):
            self._report(run_values.results, now)
        if self._rate_start is None:
            self._rate_start = (now, self._step)

    def end(self, session: Any) -> None:
        """Ends the open line and closes the file."""
        del session
        if self._stream.isatty():
            self._stream.write("\n")
        self._metrics_file.close()

    def _is_due(self, step: int) -> bool:
        return step % self._every_steps == 0 or step == self._total_steps or self._rate_start is None

    def _report(self, results: Dict[str, Any], now: float) -> None:
        values = {name: float(value) for name, value in results.items()}
        values["loss"] = sum(self._losses) / len(self._losses)
        self._losses = []
        steps_per_second = self._steps_per_second(now)
        entry = dict(values, step=self._step, time=round(now, 3))
        if steps_per_second:
            entry["examples_per_second"] = steps_per_second * self._examples_per_step
        self._metrics_file.write(json.dumps(entry, sort_keys=True) + "\n")
        self._metrics_file.flush()
        self._show(progress_text(self._step, self._total_steps, values, steps_per_second, self._examples_per_step), now)

    def _steps_per_second(self, now: float) -> Optional[float]:
        if self._rate_start is None or now <= self._rate_start[0]:
            return None
        return (self._step - self._rate_start[1]) / (now - self._rate_start[0])

    def _show(self, text: str, now: float) -> None:
        if self._stream.isatty():
            self._stream.write("\r" + text.ljust(110))
        elif now - self._last_line_time >= _PERIOD_SECONDS or self._step == self._total_steps:
            self._stream.write(text + "\n")
            self._last_line_time = now
        self._stream.flush()


def progress_text(
    step: int, total_steps: int, values: Dict[str, float], steps_per_second: Optional[float], examples_per_step: int
) -> str:
    """The line: step, loss, accuracies, learning rate, examples/s, time left."""
    parts = ["step {:,}/{:,}".format(step, total_steps), "loss {:.4f}".format(values["loss"])]
    parts += ["{} {:.1%}".format(name, values[name]) for name in sorted(values) if name.endswith("accuracy")]
    if "learning_rate" in values:
        parts.append("lr {:.2e}".format(values["learning_rate"]))
    if steps_per_second:
        left = int((total_steps - step) / steps_per_second)
        parts.append("{:.1f} examples/s".format(steps_per_second * examples_per_step))
        parts.append("ETA {}:{:02d}:{:02d}".format(left // 3600, left // 60 % 60, left % 60))
    return " | ".join(parts)
