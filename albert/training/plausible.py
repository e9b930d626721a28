"""Plausibility of a training's settings: a warning with the numbers, at its start, for each that cannot work."""

from __future__ import annotations

import logging
from typing import Iterator

from albert.checkpoints.training_folder import latest_checkpoint
from albert.checkpoints.values import step_of
from albert.training.settings import TrainingSettings
from optimization import OptimizerSettings

_log = logging.getLogger(__name__)

_LARGEST_RATE = 0.01  # several times the largest that is known to train: 0.00176, of LAMB at batch 4096
_USUAL_SHARE = 10  # a tenth of the steps is warm-up


def warn_of_settings(settings: TrainingSettings, optimizer: OptimizerSettings) -> None:
    """Warns of settings with which a training cannot come to anything; pre-training and fine-tuning call it.

    Args:
      settings: of the run.
      optimizer: its rate, steps and warm-up.
    """
    if settings.is_chief:
        for fault in (*_faults_of_rate(settings, optimizer), *_faults_of_evaluation(settings, optimizer)):
            _log.warning("%s.", fault)
        _say_what_is_left(settings.output_dir, optimizer.num_train_steps)


def _say_what_is_left(output_dir: str, steps: int) -> None:
    """Says that a folder's last checkpoint is at the last step already, or behind it."""
    latest = latest_checkpoint(output_dir)
    reached = step_of(latest) if latest else 0
    if reached >= steps:
        _log.log(
            logging.WARNING if reached > steps else logging.INFO,
            "Nothing is left to train: %s is the checkpoint of step %s, and %s are asked for.",
            latest,
            format(reached, ","),
            format(steps, ","),
        )


def _faults_of_rate(settings: TrainingSettings, optimizer: OptimizerSettings) -> Iterator[str]:
    rate, steps, warmup = optimizer.learning_rate, optimizer.num_train_steps, optimizer.num_warmup_steps
    start = optimizer.start_warmup_step if warmup > 0 else 0
    if warmup > 0 and start + warmup >= steps:
        highest = rate * max(0, steps - 1 - start) / warmup
        yield (
            "The learning rate never arrives: its warm-up of {}{} goes on to the end of the training's {}, which reach "
            "{:.2g} of --learning_rate={:g} ({:.1%}); {}".format(
                _count(warmup),
                " from step {:,} on".format(start) if start else "",
                _count(steps),
                highest,
                rate,
                highest / rate if rate else 0.0,
                _advice_on_warmup(settings, steps),
            )
        )
    if rate == 0:
        yield "No weight changes: --learning_rate is 0"
    elif rate > _LARGEST_RATE:
        yield "--learning_rate={:g} is high: rates over {:g} are not known to train".format(rate, _LARGEST_RATE)


def _count(steps: int) -> str:
    return "{:,} step{}".format(steps, "" if steps == 1 else "s")


def _advice_on_warmup(settings: TrainingSettings, steps: int) -> str:
    if hasattr(settings, "warmup_proportion"):
        return "give a smaller --warmup_proportion ({:g} is usual)".format(1 / _USUAL_SHARE)
    return "give fewer --num_warmup_steps (a tenth, {:,}, is usual) or more --num_train_steps".format(
        max(1, steps // _USUAL_SHARE)
    )


def _faults_of_evaluation(settings: TrainingSettings, optimizer: OptimizerSettings) -> Iterator[str]:
    steps, patience = optimizer.num_train_steps, settings.early_stopping_evals
    if not settings.do_eval or settings.eval_every_steps == 0:
        return
    every = max(settings.save_checkpoints_steps, settings.eval_every_steps or 0)
    evaluations = -(-steps // every)  # the last step is one of them
    if settings.eval_every_steps is not None and settings.eval_every_steps > steps:
        yield "--eval_every_steps={:,} is more than the {:,} steps of training: only its end is evaluated".format(
            settings.eval_every_steps, steps
        )
    if patience is not None and evaluations <= patience:
        yield (
            "--early_stopping_evals={} cannot end the training early: its {:,} steps have {} evaluation{}, one every "
            "{:,} steps".format(patience, steps, evaluations, "" if evaluations == 1 else "s", every)
        )


def warn_of_rows(num_rows: int, settings: TrainingSettings, epochs: float) -> None:
    """Warns of a train split that is smaller than a batch, and of epochs that make no whole step.

    Args:
      num_rows: of the train split.
      settings: of the run.
      epochs: passes over the split that are asked for.
    """
    batch_size = settings.train_batch_size
    if num_rows < batch_size:
        _log.warning(
            "--train_batch_size=%s is more than the %s rows of the train split: a step sees rows %.1f times over.",
            format(batch_size, ","),
            format(num_rows, ","),
            batch_size / num_rows,
        )
    steps = num_rows * epochs / batch_size
    if steps < 1:
        _log.warning(
            "--num_train_epochs=%g of %s rows in batches of %s are %.2g of a step: one step is trained.",
            epochs,
            format(num_rows, ","),
            format(batch_size, ","),
            steps,
        )
