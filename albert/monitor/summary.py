"""What a runner says when its training has ended."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional

from albert.base.terminal import time_text
from albert.checkpoints.description import best_folder
from albert.monitor.figures import METRICS_FILE, TRAIN, read_records
from albert.monitor.log import Rate


def training_lines(output_dir: str, *, rate: Rate, batch_size: int, wall_seconds: float) -> List[str]:
    """Steps, time, rates and losses of a training that has just ended.

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
    """Where what a run made is.

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
        ("TensorBoard", "tensorboard --logdir={}".format(output_dir)),
    )
    return ["{}: {}".format(name, place) for name, place in places if place]
