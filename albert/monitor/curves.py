"""Curves of a training run: loss, accuracies, learning rate and gradient norm over the steps, as one picture."""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from albert.base import pictures
from albert.base.errors import UserError
from albert.files.complete import CompleteFile
from albert.monitor.figures import EVAL, METRICS_FILE, TRAIN, read_records

_log = logging.getLogger(__name__)

CURVES_FILE = "training_curves.png"
_DPI = 110
_SMOOTHED_FROM = 60  # records: below, the curve itself is read easily
_COLORS = {"masked lm": "#1f77b4", "sentence order": "#d62728"}  # the same in all panels
_OTHER_COLOR = "#333333"
_NORM_COLOR = "#e08214"

Points = Tuple[List[int], List[float]]


class Series(NamedTuple):
    """A curve of a panel."""

    name: str
    train: Points
    evaluation: Points


def draw_curves(run_dir: str) -> str:
    """Draws the picture of a run and returns its path.

    Raises:
      UserError: the run has no metrics, matplotlib is missing, or the picture cannot be written.
    """
    records = read_records(os.path.join(run_dir, METRICS_FILE))
    if not records:
        raise UserError("{} holds no {} to draw: train first".format(run_dir, METRICS_FILE))
    path = os.path.join(run_dir, CURVES_FILE)
    with CompleteFile(path) as file:
        _figure(records, os.path.basename(os.path.abspath(run_dir))).savefig(file, format="png")
    return path


def draw_curves_or_warn(run_dir: str) -> Optional[str]:
    """Draws as `draw_curves`; on failure logs the reason and returns None: a run is worth more than its picture."""
    try:
        return draw_curves(run_dir)
    except Exception as error:  # whatever a drawing library may raise
        _log.warning("The curves of %s were not drawn: %s", run_dir, str(error).strip() or repr(error))
        return None


def _figure(records: Sequence[Dict[str, Any]], name: str) -> Any:
    train = [record for record in records if record["kind"] == TRAIN]
    evaluations = [record for record in records if record["kind"] == EVAL]
    losses = series_of(train, evaluations, "loss")
    accuracies = series_of(train, evaluations, "accuracy")
    heights = [3.0] + [3.0] * bool(accuracies) + [1.6]
    figure = pictures.new_figure(figsize=(9.0, sum(heights) + 1.0), dpi=_DPI)
    panels = figure.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})
    _draw_series(panels[0], losses)
    panels[0].set_ylabel("loss (nats)")
    panels[0].set_ylim(bottom=0.0)
    if accuracies:
        _draw_series(panels[1], accuracies, scale=100.0)
        panels[1].set_ylabel("accuracy (%)")
    _draw_rates(panels[-1], train)
    panels[-1].set_xlabel("step (updates of the weights)")
    for panel in panels:
        panel.grid(True, color="#e4e4e4", linewidth=0.8)
        panel.set_axisbelow(True)
        for side in ("top", "right"):
            panel.spines[side].set_visible(False)
    panels[-1].xaxis.set_major_formatter(lambda value, _: "{:,.0f}".format(value))
    figure.suptitle(title(name, records), fontsize=11)
    figure.align_ylabels(panels)
    figure.tight_layout(rect=(0, 0, 1, 0.98))
    return figure


def title(name: str, records: Sequence[Dict[str, Any]]) -> str:
    """Title of the picture: the run's folder, its last step, its last loss and the rate of its second half."""
    train = [record for record in records if record["kind"] == TRAIN]
    parts = ["{}: {:,} steps".format(name, records[-1]["step"])]
    if train and train[-1]["loss"] is not None:
        parts.append("loss {:.3f}".format(train[-1]["loss"]))
    for key, unit in (("examples_per_second", "examples/s"), ("tokens_per_second", "tokens/s")):
        rates = sorted(record[key] for record in train if record.get(key))
        if rates:
            parts.append("{:,.{}f} {}".format(rates[len(rates) // 2], int(rates[len(rates) // 2] < 100), unit))
    return ", ".join(parts)


def series_of(train: Sequence[Dict[str, Any]], evaluations: Sequence[Dict[str, Any]], ending: str) -> List[Series]:
    """Finds the curves whose names end in a word; training and evaluation of the same figure are one series."""
    keys = {_plain_name(key) for record in list(train) + list(evaluations) for key in record if key.endswith(ending)}
    return [
        Series(name.replace("_", " "), _points(train, name), _points(evaluations, name))
        for name in sorted(keys, key=lambda key: (key != ending, key))
    ]


def _plain_name(key: str) -> str:
    """A figure's name in training: evaluations of a fine-tuning run call it eval_…"""
    return key[len("eval_") :] if key.startswith("eval_") else key


def _points(records: Sequence[Dict[str, Any]], name: str) -> Points:
    steps, values = [], []
    for record in records:
        value = record.get("eval_" + name, record.get(name))
        if value is not None:
            steps.append(record["step"])
            values.append(value)
    return steps, values


def _draw_series(panel: Any, all_series: Sequence[Series], scale: float = 1.0) -> None:
    for series in all_series:
        color = _COLORS.get(series.name.rpartition(" ")[0], _OTHER_COLOR)
        steps, values = series.train[0], [scale * value for value in series.train[1]]
        if steps:
            _draw_curve(panel, steps, values, color, series.name + ", training")
        if series.evaluation[0]:
            panel.plot(
                series.evaluation[0],
                [scale * value for value in series.evaluation[1]],
                color=color,
                linestyle=":",
                linewidth=1.0,
                marker="o",
                markersize=4.5,
                markerfacecolor="white",
                label=series.name + ", evaluation",
            )
    if panel.get_lines():
        panel.legend(fontsize=8, frameon=False, ncol=2 if len(all_series) > 1 else 1)


def _draw_curve(panel: Any, steps: List[int], values: List[float], color: str, label: str) -> None:
    """Draws a curve; where it is long, its smoothed course over what was measured."""
    if len(values) >= _SMOOTHED_FROM:
        panel.plot(steps, values, color=color, linewidth=0.6, alpha=0.3)
        values = smoothed(values, len(values) // 30)
    panel.plot(steps, values, color=color, linewidth=1.6, marker="." if len(steps) == 1 else None, label=label)


def smoothed(values: Sequence[float], width: int) -> List[float]:
    """Smooths values: the mean of each and of up to `width` before and after it.

    At the beginning, where curves are steep, as many are taken on both sides.
    """
    means = []
    for place in range(len(values)):
        reach = min(width, place)
        around = values[place - reach : place + reach + 1]
        means.append(sum(around) / len(around))
    return means


def _draw_rates(panel: Any, train: Sequence[Dict[str, Any]]) -> None:
    steps, rates = _points(train, "learning_rate")
    panel.plot(steps, rates, color="#333333", linewidth=1.4, label="learning rate")
    panel.set_ylabel("learning rate")
    panel.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2), useMathText=True)
    panel.set_ylim(bottom=0.0)
    lines = list(panel.get_lines()) + _draw_norms(panel, *_points(train, "gradient_norm"))
    lines = [line for line in lines if not line.get_label().startswith("_")]  # matplotlib's name for those without one
    names = [line.get_label() for line in lines]
    above = {"loc": "lower right", "bbox_to_anchor": (1.0, 0.97), "ncol": 2}  # both curves fill this low panel
    panel.legend(lines, names, fontsize=8, frameon=False, borderaxespad=0.0, **above)


def _draw_norms(panel: Any, steps: List[int], norms: List[float]) -> List[Any]:
    """Draws gradient norms on an axis of their own, at the right; returns its lines."""
    if not norms:
        return []
    other = panel.twinx()
    _draw_curve(other, steps, norms, _NORM_COLOR, "gradient norm (right)")
    if min(norms) > 0:
        other.set_yscale("log", subs=[2, 5])
        for axis_ticks in (other.yaxis.set_major_formatter, other.yaxis.set_minor_formatter):
            axis_ticks(lambda value, _: "{:g}".format(value))
    other.tick_params(axis="y", which="both", labelsize=8)
    other.set_ylabel("gradient norm")
    other.spines["top"].set_visible(False)
    return list(other.get_lines())
