"""Summary of a run: what was trained, how good it is, where everything is."""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, Optional

from albert.base.paths import shell_word
from albert.base.terminal import time_text
from albert.checkpoints.description import best_folder
from albert.checkpoints.training_folder import latest_checkpoint
from albert.monitor.curves import draw_curves_or_warn
from albert.monitor.evaluation import Evaluator
from albert.monitor.figures import METRICS_FILE, TRAIN, read_records
from albert.monitor.goal import STEP, Goal, Results, value_text, words
from albert.monitor.log import Rate

_log = logging.getLogger(__name__)


def log_best(evaluator: Evaluator) -> None:
    """Logs the best evaluation of a run beside its baseline, and the last one where that is another."""
    for line in best_lines(evaluator):
        _log.info("%s", line)


def best_lines(evaluator: Evaluator) -> List[str]:
    """Lines on the best evaluation of a run and, where it is another, on the last; none where nothing was evaluated."""
    known, best = evaluator.known(), evaluator.best()
    if best is None:
        return []
    goal, last = evaluator.goal, known[-1]
    parts = ["{} {}".format(evaluator.name, goal.lead_text(best, evaluator.baseline))]
    if goal.lead:  # another figure decides
        parts.append("{} {}".format(words(goal.figure), value_text(goal.figure, best[goal.figure])))
    lines = [", ".join([*parts, _place(best, known, goal)])]
    if last[STEP] != best[STEP]:
        lines.append("Last checkpoint, step {:,}: {}".format(last[STEP], goal.text(last)))
    return lines


def _place(best: Results, known: List[Results], goal: Goal) -> str:
    if not best[STEP]:
        return "step 0, untrained"
    trained = [results for results in known if results[STEP]]
    alike = sum(not goal.is_better(best, results) for results in trained)
    text = "best of {} checkpoints{}, ".format(len(trained), " ({} are alike)".format(alike) if alike > 1 else "")
    return "{}step {:,}".format(text if len(trained) > 1 else "", best[STEP])


def training_lines(output_dir: str, *, rate: Rate, batch_size: int, wall_seconds: float) -> List[str]:
    """Lines on a training that has just ended: steps, time, rates and losses.

    Args:
      output_dir: of the run.
      rate: of the steps that this process made.
      batch_size: examples of a step.
      wall_seconds: of this process's training, with all that stood between the steps.
    """
    records = read_records(os.path.join(output_dir, METRICS_FILE), TRAIN)
    lines = []
    if rate.steps_per_second:
        rates = "{:,.1f} examples/s".format(rate.steps_per_second * batch_size)
        if rate.tokens:
            rates += ", {:,.0f} tokens/s".format(rate.tokens_per_second)
        lines.append(
            "Trained to step {:,} in {} ({} of it in steps): {}".format(
                records[-1]["step"] if records else rate.steps, time_text(wall_seconds), time_text(rate.seconds), rates
            )
        )
    return lines + _loss_lines(records)


def _loss_lines(records: List[Dict[str, Any]]) -> List[str]:
    losses = [record for record in records if record.get("loss") is not None]
    if not losses:
        return []
    best = min(losses, key=lambda record: record["loss"])
    return [
        "Loss: first {:.4f}, last {:.4f}, best {:.4f} (step {:,})".format(
            losses[0]["loss"], losses[-1]["loss"], best["loss"], best["step"]
        )
    ]


def file_lines(output_dir: str, *, checkpoint: Optional[str], curves: Optional[str]) -> List[str]:
    """Lines on the files of a run.

    Args:
      output_dir: of the run.
      checkpoint: prefix of its last checkpoint.
      curves: the picture.
    """
    best, figures = best_folder(output_dir), os.path.join(output_dir, METRICS_FILE)
    places = (
        ("Last checkpoint", checkpoint),
        ("Best", best if os.path.isdir(best) else None),
        ("Curves", curves),
        ("Figures", figures if os.path.exists(figures) else None),
        ("TensorBoard", "tensorboard --logdir={}".format(shell_word(output_dir))),
    )
    return ["{}: {}".format(name, place) for name, place in places if place]


def log_files(output_dir: str) -> None:
    """Draws the curves of a run, and logs where its files are."""
    has_metrics = os.path.exists(os.path.join(output_dir, METRICS_FILE))
    lines = file_lines(
        output_dir,
        checkpoint=latest_checkpoint(output_dir),
        curves=draw_curves_or_warn(output_dir) if has_metrics else None,
    )
    for line in lines:
        _log.info("%s", line)
