"""Curves of a training run over its steps, as one picture: a panel for each quantity, the best checkpoint marked."""

from __future__ import annotations

import logging
import os
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from albert.base import pictures
from albert.base.errors import UserError
from albert.files.complete import CompleteFile
from albert.monitor.figures import EVAL, METRICS_FILE, TRAIN, read_records
from albert.monitor.goal import STEP, GoalOfRecords, is_share, of_records, plain_name, words

_log = logging.getLogger(__name__)

CURVES_FILE = "training_curves.png"
_DPI = 110
_WIDTH, _HEIGHT, _LOW_HEIGHT, _TITLE_HEIGHT = 9.0, 2.7, 1.6, 0.9  # inches
_SMOOTHED_FROM = 60  # records: below, the curve itself is read easily
_ORDER = "sentence-order"
_COLORS = {"masked-LM": "#1f77b4", _ORDER: "#d62728"}  # the same in all panels
_OTHER_COLORS = ("#333333", "#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#8c564b")
_BEST_COLOR = "#2ca02c"
_BASELINE_COLOR = "#888888"
_MARGIN = 0.08  # of a panel's height, so that no marker is cut off

Points = Tuple[List[int], List[float]]


class Series(NamedTuple):
    """A curve of a panel."""

    name: str
    train: Points
    evaluation: Points


class Panel(NamedTuple):
    """A panel: curves of one quantity.

    Attributes:
      label: the quantity and its unit, beside the axis.
      series: the curves.
      scale: of the values.
      is_high: whether it has the height of a main panel.
      is_log: whether the axis is logarithmic.
      is_noisy: whether long curves are smoothed.
      baseline: a value that is marked as a line, with its name; None for none.
    """

    label: str
    series: List[Series]
    scale: float = 1.0
    is_high: bool = True
    is_log: bool = False
    is_noisy: bool = True
    baseline: Optional[Tuple[str, float]] = None


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
    goal = of_records(_of_kind(records, EVAL))
    panels = panels_of(records, goal)
    heights = [_HEIGHT if panel.is_high else _LOW_HEIGHT for panel in panels]
    total = sum(heights) + _TITLE_HEIGHT
    figure = pictures.new_figure(figsize=(_WIDTH, total), dpi=_DPI)
    axes = figure.subplots(len(panels), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    best = goal.best_step if goal else None
    for axis, panel in zip(axes, panels):
        _draw_panel(axis, panel, best)
    axes[-1].set_xlabel("step (updates of the weights)")
    axes[-1].xaxis.set_major_formatter(lambda value, _: "{:,.0f}".format(value))
    for line, (text, size) in enumerate(zip(titles(name, records, goal), (12, 9))):
        figure.text(0.5, 1.0 - (0.28 + 0.26 * line) / total, text, ha="center", va="center", fontsize=size)
    figure.align_ylabels(list(axes))
    figure.tight_layout(rect=(0, 0, 1, 1.0 - 0.6 / total))
    return figure


def _of_kind(records: Sequence[Dict[str, Any]], kind: str) -> List[Dict[str, Any]]:
    return [record for record in records if record["kind"] == kind]


def titles(name: str, records: Sequence[Dict[str, Any]], goal: Optional[GoalOfRecords]) -> List[str]:
    """Lines above the picture: the best evaluation; then the run's folder, last step, last loss and usual rate."""
    train = _of_kind(records, TRAIN)
    steps = "{:,} steps".format(records[-1]["step"])
    parts = ["{}: {}".format(name, steps) if name.isascii() else steps]  # the font has ASCII and little else
    if train and train[-1]["loss"] is not None:
        parts.append("loss {:.3f}".format(train[-1]["loss"]))
    for key, unit in (("examples_per_second", "examples/s"), ("tokens_per_second", "tokens/s")):
        rates = sorted(record[key] for record in train if record.get(key))
        if rates:
            parts.append("{:,.{}f} {}".format(rates[len(rates) // 2], int(rates[len(rates) // 2] < 100), unit))
    best = goal.best if goal else None
    if goal is None or best is None:
        return [", ".join(parts)]
    return ["best: {}, step {:,}".format(goal.goal.lead_text(best, goal.baseline), best[STEP]), ", ".join(parts)]


def panels_of(records: Sequence[Dict[str, Any]], goal: Optional[GoalOfRecords]) -> List[Panel]:
    """The panels that a run's records fill, from the top."""
    train, evaluations = _of_kind(records, TRAIN), _of_kind(records, EVAL)
    losses = series_of(train, evaluations, lambda key: key.endswith("loss"))
    shares = series_of(train, evaluations, is_share)
    panels = []
    # Of the sentence order apart: on the axis of the masked words both would be flat.
    for is_order in (False, True):
        panels.append(_loss_panel([series for series in losses if series.name.startswith(_ORDER) == is_order]))
        panels.append(_share_panel([series for series in shares if series.name.startswith(_ORDER) == is_order], goal))
    if goal and not is_share(goal.goal.shown_first) and not goal.goal.shown_first.endswith("loss"):
        shown = series_of(train, evaluations, lambda key: key == goal.goal.shown_first)
        panels.append(Panel(words(goal.goal.shown_first), shown, baseline=_baseline(shown, goal)))
    panels.append(_low_panel("learning rate", train, "learning_rate")._replace(is_noisy=False))
    panels.append(_low_panel("gradient norm", train, "gradient_norm", is_log=True))
    panels.append(_low_panel("spread of token vectors", train, "token_spread"))
    filled = [panel for panel in panels if any(series.train[0] or series.evaluation[0] for series in panel.series)]
    return filled or panels[:1]


def _loss_panel(losses: List[Series]) -> Panel:
    label = "{} (nats)".format(losses[0].name if len(losses) == 1 else "loss")
    return Panel(label, losses)


def _share_panel(shares: List[Series], goal: Optional[GoalOfRecords]) -> Panel:
    label = "{} (%)".format(shares[0].name if len(shares) == 1 else "share")
    return Panel(label, shares, scale=100.0, baseline=_baseline(shares, goal))


def _baseline(all_series: List[Series], goal: Optional[GoalOfRecords]) -> Optional[Tuple[str, float]]:
    """The goal's baseline, where one of the curves is of its figure."""
    if goal is None or goal.baseline is None:
        return None
    is_here = words(goal.goal.shown_first) in [series.name for series in all_series]
    return (goal.baseline.name, goal.baseline.value) if is_here else None


def _low_panel(label: str, train: Sequence[Dict[str, Any]], key: str, *, is_log: bool = False) -> Panel:
    points = _points(train, key)
    is_log = is_log and bool(points[1]) and min(points[1]) > 0
    return Panel(label, [Series(label, points, ([], []))], is_high=False, is_log=is_log)


def series_of(
    train: Sequence[Dict[str, Any]], evaluations: Sequence[Dict[str, Any]], is_shown: Callable[[str], bool]
) -> List[Series]:
    """Finds the curves of some figures; training and evaluation of the same figure are one series.

    Args:
      train, evaluations: records.
      is_shown: whether the figure of a name is wanted.
    """
    keys = {plain_name(key) for record in list(train) + list(evaluations) for key in record if is_shown(key)}
    return [
        Series(words(name), _points(train, name), _points(evaluations, name))
        for name in sorted(keys, key=lambda key: (key not in ("loss", "accuracy"), key))
    ]


def _points(records: Sequence[Dict[str, Any]], name: str) -> Points:
    steps, values = [], []
    for record in records:
        value = record.get("eval_" + name, record.get(name))
        if value is not None:
            steps.append(record["step"])
            values.append(value)
    return steps, values


def _draw_panel(axis: Any, panel: Panel, best_step: Optional[int]) -> None:
    axis.set_ylabel(panel.label, fontsize=10 if panel.is_high else 8)
    axis.margins(y=_MARGIN)
    if panel.is_log:
        axis.set_yscale("log", subs=[2, 5])
        for set_formatter in (axis.yaxis.set_major_formatter, axis.yaxis.set_minor_formatter):
            set_formatter(lambda value, _: "{:g}".format(value))
        axis.tick_params(axis="y", which="both", labelsize=8)
    elif not panel.is_high:
        axis.ticklabel_format(axis="y", style="sci", scilimits=(-2, 2), useMathText=True)
        axis.tick_params(axis="y", labelsize=8)
    for place, series in enumerate(panel.series):
        _draw_series(axis, series, panel, _color(series.name, place))
    if panel.baseline:
        name, value = panel.baseline
        axis.axhline(panel.scale * value, color=_BASELINE_COLOR, linewidth=1.0, linestyle="--", label=name)
    if best_step is not None:
        label = "best checkpoint" if panel.is_high else None
        axis.axvline(best_step, color=_BEST_COLOR, linewidth=1.2, alpha=0.8, label=label)
    _finish(axis, panel.is_high)


def _finish(axis: Any, is_named: bool) -> None:
    axis.grid(True, color="#e4e4e4", linewidth=0.8)
    axis.set_axisbelow(True)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    if is_named and axis.get_legend_handles_labels()[0]:
        above = {"loc": "lower right", "bbox_to_anchor": (1.0, 1.0), "ncol": 4}  # beside the curves, never over them
        axis.legend(fontsize=8, frameon=False, borderaxespad=0.0, **above)


def _color(name: str, place: int) -> str:
    return _COLORS.get(name.rpartition(" ")[0], _OTHER_COLORS[place % len(_OTHER_COLORS)])


def _draw_series(axis: Any, series: Series, panel: Panel, color: str) -> None:
    steps, values = series.train[0], [panel.scale * value for value in series.train[1]]
    if steps:
        label = series.name + ", training" if panel.is_high else None
        if panel.is_noisy and len(values) >= _SMOOTHED_FROM:  # the smoothed course over what was measured
            axis.plot(steps, values, color=color, linewidth=0.6, alpha=0.3)
            values = smoothed(values, len(values) // 30)
        axis.plot(steps, values, color=color, linewidth=1.6, marker="." if len(steps) == 1 else None, label=label)
    if series.evaluation[0]:
        axis.plot(
            series.evaluation[0],
            [panel.scale * value for value in series.evaluation[1]],
            color=color,
            linestyle=":",
            linewidth=1.0,
            marker="o",
            markersize=4.5,
            markerfacecolor="white",
            clip_on=False,
            label=series.name + ", evaluation",
        )


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
