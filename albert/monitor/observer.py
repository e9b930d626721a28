"""Observer of a training: log, guards, evaluations, curves and timeline in one object, for both phases."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import time
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence

import tensorflow.compat.v1 as tf

from albert.base.errors import UsageError, UserError
from albert.base.terminal import StatusLine
from albert.checkpoints.training_folder import latest_checkpoint
from albert.checkpoints.values import step_of
from albert.devices.cluster import WorkerCluster
from albert.files.literal_paths import literal_path
from albert.model.spread import TOKEN_SPREAD
from albert.monitor.curves import draw_curves_or_warn
from albert.monitor.evaluation import (
    EarlyStopping,
    EvaluationListener,
    Evaluator,
    evaluate_missed,
    last_evaluated_step,
    train_in_turns,
)
from albert.monitor.events import EventLog
from albert.monitor.figures import METRICS_FILE
from albert.monitor.guards import CheckpointRoom, DivergenceHint, FiniteGuard, NotFiniteError
from albert.monitor.interruption import Interruption, InterruptionHook, UninterruptedListener
from albert.monitor.log import TrainingLogHook
from albert.monitor.slow_worker import REPLICA_SECONDS, SlowWorkerWatch
from albert.monitor.spread import SpreadWatch
from albert.monitor.summary import training_lines
from albert.monitor.timeline import TimelineHook

_log = logging.getLogger(__name__)

_SECONDS_BETWEEN_CURVES = 60.0


class ObserverSettings(NamedTuple):
    """Settings of an observer: what is shown, measured and saved while a run trains.

    Attributes:
      output_dir: the folder of the run.
      total_steps: the step at which training ends.
      warmup_steps: of its schedule.
      batch_size: rows of a step.
      save_checkpoints_steps: steps between two checkpoints.
      log_every_steps: steps between two reports.
      eval_every_steps: the least number of steps between two evaluations; None evaluates every checkpoint when it is
        saved, 0 leaves evaluation to the end.
      early_stopping_evals: training ends after this number of evaluations in a row without improvement; None: never.
      profile: whether a timeline of one step is written.
      use_tpu: whether a TPU trains.
      cluster: the machines that train together; None for this one alone.
    """

    output_dir: str
    total_steps: int
    warmup_steps: int
    batch_size: int
    save_checkpoints_steps: int
    log_every_steps: int = 20
    eval_every_steps: Optional[int] = None
    early_stopping_evals: Optional[int] = None
    profile: bool = False
    use_tpu: bool = False
    cluster: Optional[WorkerCluster] = None

    @property
    def is_chief(self) -> bool:
        """Whether this process writes checkpoints and results."""
        return self.cluster is None or self.cluster.is_chief


class TrainingObserver:
    """Watches one training.

    `make_hooks` goes into the model_fn, which calls it with the scalars to watch; `train` runs the Estimator;
    `say_what_was_done` logs a summary afterwards.
    """

    def __init__(
        self, settings: ObserverSettings, *, advice: str, collapse_cause: str, evaluator: Optional[Evaluator] = None
    ) -> None:
        """Creates the observer.

        Args:
          settings: what is watched, and how often.
          advice: what to do where training diverges.
          collapse_cause: what makes token vectors fall together, and what to do.
          evaluator: evaluates checkpoints while training; None where nothing does.
        """
        self._settings = settings
        self._advice = advice
        self._cause = collapse_cause
        self._evaluator = evaluator if settings.eval_every_steps != 0 else None
        self._line = StatusLine(sys.stderr)
        self._guard = FiniteGuard()
        self._interruption = Interruption()
        self._log_hook: Optional[TrainingLogHook] = None
        self._wall_seconds = 0.0
        self._early_stopping = self._find_early_stopping()
        self._last_evaluation = 0  # its step

    def _find_early_stopping(self) -> Optional[EarlyStopping]:
        evaluations = self._settings.early_stopping_evals
        if evaluations is None:
            return None
        if self._settings.cluster:
            raise UsageError("--early_stopping_evals is for one machine: the workers of a cluster train to the end")
        if not self._evaluator:
            raise UsageError(
                "--early_stopping_evals needs evaluations while training: --do_eval=True and no --eval_every_steps=0"
            )
        return EarlyStopping(self._evaluator, evaluations)

    def make_hooks(self, tensors: Dict[str, Any]) -> List[Any]:
        """The hooks of a training graph, in the order in which they must run.

        What saves checkpoints comes last, behind the guard that `train` gives to the Estimator: so a step that broke
        the weights is never saved. (The Estimator adds its own saver, ahead of all hooks, only where they hold
        none.)
        """
        settings = self._settings
        self._guard.watch(tensors)
        if not self._settings.is_chief:
            return []
        tensors = dict(tensors)
        workers = self._worker_watches(tensors.pop(REPLICA_SECONDS, None))
        self._log_hook = TrainingLogHook(
            tensors,
            total_steps=settings.total_steps,
            examples_per_step=settings.batch_size,
            every_steps=settings.log_every_steps,
            metrics_path=os.path.join(settings.output_dir, METRICS_FILE),
            line=self._line,
            warmup_steps=settings.warmup_steps,
            events=EventLog(settings.output_dir),
        )
        hints = [DivergenceHint(tensors["loss"], warmup_steps=settings.warmup_steps, advice=self._advice)]
        hints += self._spread_watches(tensors)
        timelines = [TimelineHook(settings.output_dir, self._settings.total_steps)] if settings.profile else []
        folder = literal_path(settings.output_dir)
        saver = tf.train.CheckpointSaverHook(folder, save_steps=settings.save_checkpoints_steps)
        return [self._log_hook, *hints, *workers, *timelines, InterruptionHook(self._interruption), saver]

    def _worker_watches(self, seconds: Any) -> List[Any]:
        cluster = self._settings.cluster
        return [SlowWorkerWatch(seconds, cluster, every_steps=self._settings.log_every_steps)] if cluster else []

    def _spread_watches(self, tensors: Dict[str, Any]) -> List[Any]:
        if TOKEN_SPREAD not in tensors:
            return []
        settings = self._settings
        return [
            SpreadWatch(
                tensors[TOKEN_SPREAD],
                every_steps=settings.log_every_steps,
                metrics_path=os.path.join(settings.output_dir, METRICS_FILE),
                cause=self._cause,
            )
        ]

    def train(self, estimator: Any, input_fn: Callable[..., Any], listeners: Sequence[Any] = ()) -> None:
        """Trains up to the last step; evaluates checkpoints and draws the curves on the way.

        Args:
          estimator: what trains; its model_fn calls `make_hooks`.
          input_fn: of the training data.
          listeners: more that wait for checkpoints; they come first.

        Raises:
          UserError: it ended early, and TensorFlow said nothing.
          KeyboardInterrupt: a signal ended it, and its last step is saved.
        """
        self._evaluate_missed()
        if self._has_stopped_early():
            return
        start = time.monotonic()
        try:
            with self._line, contextlib.ExitStack() as watches:
                if self._settings.cluster is None:  # another worker would wait for this one for ever
                    watches.enter_context(self._interruption)
                if self._settings.use_tpu and self._evaluator:
                    self._train_in_turns(estimator, input_fn, self._evaluator)
                else:
                    listeners = list(listeners) + self._listeners()
                    estimator.train(
                        input_fn, hooks=[self._guard], max_steps=self._settings.total_steps, saving_listeners=listeners
                    )
        except (NotFiniteError, tf.train.NanLossDuringTrainingError):
            if self._settings.is_chief:
                draw_curves_or_warn(self._settings.output_dir)  # they show how it came
            raise
        self._wall_seconds = time.monotonic() - start
        if self._interruption.name:
            raise KeyboardInterrupt(self._interrupted())
        if self._settings.is_chief and not self._has_stopped_early():
            self._check_end()

    def _interrupted(self) -> str:
        latest = latest_checkpoint(self._settings.output_dir)
        return "stopped by {} after step {:,}, which is saved: the same command goes on from {}".format(
            self._interruption.name, step_of(latest) if latest else 0, latest
        )

    def _evaluate_missed(self) -> None:
        """Evaluates the last checkpoint if a kill came before its evaluation; then `best` is as without the kill."""
        latest = latest_checkpoint(self._settings.output_dir) if self._evaluator and self._settings.is_chief else None
        if latest and self._evaluator:
            evaluate_missed(self._evaluator, latest, self._settings.eval_every_steps)
            self._last_evaluation = last_evaluated_step(self._evaluator, step_of(latest))

    def _has_stopped_early(self) -> bool:
        return self._early_stopping is not None and self._early_stopping.is_due()

    def _check_end(self) -> None:
        """Checks the last step: an Estimator takes OUT_OF_RANGE of any kind for the end of the data."""
        latest = latest_checkpoint(self._settings.output_dir)
        step = step_of(latest) if latest else 0
        if step < self._settings.total_steps:
            raise UserError(
                "training ended before its last step, {:,}: a file became larger than allowed (see `ulimit -f`), or "
                "the data came to an end; {}".format(
                    self._settings.total_steps,
                    "the same command goes on from the last good checkpoint, {}".format(latest)
                    if latest
                    else "there is no checkpoint yet",
                )
            )

    def _listeners(self) -> List[Any]:
        settings = self._settings
        if not self._settings.is_chief:
            return []
        evaluations = []
        if self._evaluator:
            listener = EvaluationListener(
                self._evaluator,
                settings.output_dir,
                settings.eval_every_steps,
                self._early_stopping,
                last_step=self._last_evaluation,
            )
            evaluations.append(UninterruptedListener(listener, self._interruption))
        return [CheckpointRoom(settings.output_dir), *evaluations, _CurvesListener(settings.output_dir)]

    def _train_in_turns(self, estimator: Any, input_fn: Callable[..., Any], evaluator: Evaluator) -> None:
        output_dir = self._settings.output_dir
        latest = latest_checkpoint(output_dir)
        train_in_turns(
            lambda step: estimator.train(input_fn, max_steps=step),
            evaluator,
            is_interrupted=lambda: self._interruption.name is not None,
            first_step=int(estimator.get_variable_value("global_step")) if latest else 0,
            last_step=self._settings.total_steps,
            every_steps=self._settings.eval_every_steps or self._settings.save_checkpoints_steps,
            latest=lambda: latest_checkpoint(output_dir),
            early_stopping=self._early_stopping,
        )

    def say_what_was_done(self) -> None:
        """Logs steps, time, rates and losses, where there was a step to make."""
        cluster = self._settings.cluster
        if cluster and not cluster.is_chief:
            _log.info("%s is done; %s keeps what was trained.", cluster.name(cluster.index), cluster.name(0))
        if self._log_hook and self._log_hook.total.steps:
            lines = training_lines(
                self._settings.output_dir,
                rate=self._log_hook.total,
                batch_size=self._settings.batch_size,
                wall_seconds=self._wall_seconds,
            )
            for line in lines:
                _log.info("%s", line)


class _CurvesListener(tf.train.CheckpointSaverListener):
    """Draws the curves at checkpoints, once a minute at most."""

    def __init__(self, output_dir: str) -> None:
        self._output_dir = output_dir
        self._last: Optional[float] = None

    def after_save(self, session: Any, global_step_value: int) -> None:
        """Draws them where they are due; the checkpoint with which a process begins has nothing new to show."""
        del session, global_step_value
        if self._last is None:
            self._last = time.monotonic()
        elif time.monotonic() - self._last >= _SECONDS_BETWEEN_CURVES:
            draw_curves_or_warn(self._output_dir)
            self._last = time.monotonic()
