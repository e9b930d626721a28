"""All that watches a training: log, guards, evaluations, curves, timeline; one object that both runners train by."""

from __future__ import annotations

import logging
import os
import sys
import time
from typing import Any, Callable, Dict, List, Optional, Sequence

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.base.flags import Flags, UsageError
from albert.base.terminal import StatusLine
from albert.checkpoints.training_folder import latest_checkpoint
from albert.checkpoints.values import step_of
from albert.devices.selection import find_devices
from albert.monitor.checkpoint_room import CheckpointRoom
from albert.monitor.curves import draw_curves_or_warn
from albert.monitor.evaluation import EvaluationListener, Evaluator, Patience, train_in_turns
from albert.monitor.figures import METRICS_FILE, text_of
from albert.monitor.guards import DivergenceHint, FiniteGuard, NotFiniteError, divergence_advice
from albert.monitor.log import TrainingLogHook
from albert.monitor.summary import file_lines, training_lines
from albert.monitor.timeline import TimelineHook

_log = logging.getLogger(__name__)

_SECONDS_BETWEEN_CURVES = 60.0


def declare_observer_flags(flags: Flags) -> None:
    """What is shown and measured while a run trains."""
    flags.integer("log_every_steps", 20, "steps between two reports", minimum=1)
    flags.integer(
        "eval_every_steps",
        None,
        "with --do_train and --do_eval: the least number of steps between two evaluations while training; by default "
        "every checkpoint is evaluated when it is saved, 0 leaves evaluation to the end",
        minimum=0,
    )
    flags.integer(
        "early_stopping_evals",
        None,
        "with --do_train and --do_eval: end training when so many evaluations in a row brought nothing better",
        minimum=1,
    )
    flags.boolean("profile", False, "write a timeline of one training step into the output folder")


def save_each_epoch(flags: Flags, num_records: int) -> None:
    """Sets --save_checkpoints_steps to the steps of a pass over the training records."""
    flags.override("save_checkpoints_steps", -(-num_records // flags.train_batch_size))


class TrainingObserver:
    """Watches one training.

    `make_hooks` goes into the model_fn, which calls it with the scalars to watch; `train` runs the Estimator;
    `say_what_was_done` tells of it afterwards.
    """

    def __init__(
        self, flags: Flags, *, total_steps: int, warmup_steps: int, advice: str, evaluator: Optional[Evaluator] = None
    ) -> None:
        """Creates the observer.

        Args:
          flags: of the run.
          total_steps: the step at which training ends.
          warmup_steps: of its schedule.
          advice: what to do where training diverges.
          evaluator: what evaluates checkpoints while training; None where nothing does.
        """
        self._flags = flags
        self._total_steps = total_steps
        self._warmup_steps = warmup_steps
        self._advice = advice
        self._evaluator = evaluator if flags.eval_every_steps != 0 else None
        self._line = StatusLine(sys.stderr)
        self._guard = FiniteGuard()
        self._log_hook: Optional[TrainingLogHook] = None
        self._wall_seconds = 0.0
        self._cluster = find_devices(flags).cluster
        self._is_chief = self._cluster is None or self._cluster.is_chief
        self._patience = self._find_patience()

    def _find_patience(self) -> Optional[Patience]:
        evaluations = self._flags.early_stopping_evals
        if evaluations is None:
            return None
        if self._cluster:
            raise UsageError("--early_stopping_evals is for one machine: the workers of a cluster train to the end")
        if not self._evaluator:
            raise UsageError(
                "--early_stopping_evals needs evaluations while training: --do_eval=True and no --eval_every_steps=0"
            )
        return Patience(self._evaluator, evaluations)

    def make_hooks(self, tensors: Dict[str, Any]) -> List[Any]:
        """The hooks of a training graph, in the order in which they must run.

        What saves checkpoints comes last, behind the guard that `train` gives to the Estimator: so a step that broke
        the weights is never saved. (The Estimator adds a saver of its own, ahead of all hooks, only where they hold
        none.)
        """
        flags = self._flags
        self._guard.watch(tensors)
        if not self._is_chief:
            return []
        self._log_hook = TrainingLogHook(
            tensors,
            total_steps=self._total_steps,
            examples_per_step=flags.train_batch_size,
            every_steps=flags.log_every_steps,
            metrics_path=os.path.join(flags.output_dir, METRICS_FILE),
            line=self._line,
        )
        hint = DivergenceHint(tensors["loss"], warmup_steps=self._warmup_steps, advice=self._advice)
        timelines = [TimelineHook(flags.output_dir, self._total_steps)] if flags.profile else []
        saver = tf.train.CheckpointSaverHook(flags.output_dir, save_steps=flags.save_checkpoints_steps)
        return [self._log_hook, hint] + timelines + [saver]

    def train(self, estimator: Any, input_fn: Callable[..., Any], listeners: Sequence[Any] = ()) -> None:
        """Trains up to the last step; evaluates checkpoints and draws the curves on the way.

        Args:
          estimator: what trains; its model_fn calls `make_hooks`.
          input_fn: of the training data.
          listeners: more that wait for checkpoints; they come first.

        Raises:
          UserError: it ended early, and TensorFlow said nothing.
        """
        if self._has_stopped_early():
            return
        start = time.time()
        try:
            with self._line:
                if self._flags.use_tpu and self._evaluator:
                    self._train_in_turns(estimator, input_fn)
                else:
                    listeners = list(listeners) + self._listeners()
                    estimator.train(
                        input_fn, hooks=[self._guard], max_steps=self._total_steps, saving_listeners=listeners
                    )
        except (NotFiniteError, tf.train.NanLossDuringTrainingError):
            if self._is_chief:
                draw_curves_or_warn(self._flags.output_dir)  # they show how it came
            raise
        self._wall_seconds = time.time() - start
        if self._is_chief and not self._has_stopped_early():
            self._check_end()

    def _has_stopped_early(self) -> bool:
        return self._patience is not None and self._patience.is_at_its_end()

    def _check_end(self) -> None:
        """Estimators take any OUT_OF_RANGE for the end of the data: also that of a file which outgrows its limit."""
        latest = latest_checkpoint(self._flags.output_dir)
        step = step_of(latest) if latest else 0
        if step < self._total_steps:
            raise UserError(
                "training ended before its last step, {:,}: a file became larger than allowed (see `ulimit -f`), or "
                "the data came to an end; {}".format(
                    self._total_steps,
                    "the same command goes on from the last good checkpoint, {}".format(latest)
                    if latest
                    else "there is no checkpoint yet",
                )
            )

    def _listeners(self) -> List[Any]:
        flags = self._flags
        if not self._is_chief:
            return []
        evaluations = []
        if self._evaluator:
            evaluations.append(
                EvaluationListener(self._evaluator, flags.output_dir, flags.eval_every_steps, self._patience)
            )
        return [CheckpointRoom(flags.output_dir), *evaluations, _CurvesListener(flags.output_dir)]

    def _train_in_turns(self, estimator: Any, input_fn: Callable[..., Any]) -> None:
        output_dir = self._flags.output_dir
        latest = latest_checkpoint(output_dir)
        train_in_turns(
            lambda step: estimator.train(input_fn, max_steps=step),
            self._evaluator,
            first_step=int(estimator.get_variable_value("global_step")) if latest else 0,
            last_step=self._total_steps,
            every_steps=self._flags.eval_every_steps or self._flags.save_checkpoints_steps,
            latest=lambda: latest_checkpoint(output_dir),
            patience=self._patience,
        )

    def say_what_was_done(self) -> None:
        """Logs steps, time, rates and losses, where there was a step to make."""
        if not self._is_chief:
            cluster = self._cluster
            _log.info("%s is done; %s keeps what was trained.", cluster.name(cluster.index), cluster.name(0))
        if self._log_hook and self._log_hook.total.steps:
            lines = training_lines(
                self._flags.output_dir,
                rate=self._log_hook.total,
                batch_size=self._flags.train_batch_size,
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
            self._last = time.time()
        elif time.time() - self._last >= _SECONDS_BETWEEN_CURVES:
            draw_curves_or_warn(self._output_dir)
            self._last = time.time()


def say_where_it_is(output_dir: str, evaluator: Optional[Evaluator]) -> None:
    """Draws the curves of a run; logs its last and best evaluation and where all it made is."""
    known = evaluator.known() if evaluator else []
    if known:
        last, best = known[-1], evaluator.best()
        if last != best:
            _log.info("Last evaluation: %s", text_of(last))
        _log.info("Best evaluation%s: %s", ", the last" if last == best else "", text_of(best))
    has_metrics = os.path.exists(os.path.join(output_dir, METRICS_FILE))
    lines = file_lines(
        output_dir,
        checkpoint=latest_checkpoint(output_dir),
        curves=draw_curves_or_warn(output_dir) if has_metrics else None,
    )
    for line in lines:
        _log.info("%s", line)


def training_advice(flags: Flags, hidden_size: int, warmup_flag: str) -> str:
    """What to do where the run diverges (see `training_guards.advice`)."""
    warmup = "--{}={:g}".format(warmup_flag, getattr(flags, warmup_flag))
    return divergence_advice(hidden_size=hidden_size, learning_rate=flags.learning_rate, warmup=warmup)
