"""Timeline of a training step (--profile), op by op, as a Chrome trace."""

from __future__ import annotations

import logging
import os
from typing import Any

import tensorflow.compat.v1 as tf
from tensorflow.python.client import timeline  # the public way to it, tf.train.ProfilerHook, traces again and again

from albert.files.complete import CompleteFile
from albert.monitor.steps import StepHook

_log = logging.getLogger(__name__)

_WARM_UP_STEPS = 3  # left out: the first builds, the next settle memory and threads


class TimelineHook(StepHook):
    """Traces one step, the fourth of the process (or the last, if that comes before), into timeline-<step>.json."""

    def __init__(self, output_dir: str, total_steps: int) -> None:
        """Creates the hook of a run that ends at `total_steps`."""
        self._output_dir = output_dir
        self._total_steps = total_steps

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Chooses the step."""
        super().after_create_session(session, coord)
        self._traced_step = min(self._step + _WARM_UP_STEPS + 1, self._total_steps)

    def before_run(self, run_context: Any) -> Any:
        """Asks for a trace where it is due."""
        del run_context
        if self._step + 1 != self._traced_step:
            return None
        return tf.train.SessionRunArgs([], options=tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE))

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Writes the trace."""
        del run_context
        self._step += 1
        if self._step != self._traced_step:
            return
        path = os.path.join(self._output_dir, "timeline-{}.json".format(self._step))
        trace = timeline.Timeline(run_values.run_metadata.step_stats)
        with CompleteFile(path) as file:
            file.write(trace.generate_chrome_trace_format().encode("utf-8"))
        _log.info("Timeline of step %d: %s (open it in https://ui.perfetto.dev or chrome://tracing)", self._step, path)
