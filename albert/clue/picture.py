"""Picture of a benchmark: a bar for each task with its runs, their spread and the commonest label's accuracy."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING, Any, BinaryIO, Dict, List, Sequence, cast

from albert.base import pictures
from albert.clue.results import PICTURE_FILE, Report, TaskResult, environment_text, percent
from albert.files.complete import CompleteFile

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DPI = 150
_WIDTH, _BAR_INCHES, _FRAME_INCHES = 9.0, 0.42, 2.1
_BAR_COLOR, _SAMPLE_COLOR, _FAILED_COLOR = "#3b76b0", "#a9b4c0", "#b3402e"
_TEXT_COLOR, _QUIET_COLOR = "#222222", "#666666"
_RUN_STYLE: Dict[str, Any] = {
    "linestyle": "none",
    "marker": "o",
    "markersize": 4.5,
    "markerfacecolor": "white",
    "markeredgecolor": _TEXT_COLOR,
    "markeredgewidth": 0.8,
}
_LABEL_PLACE = 1.0  # percentage points to the right of the bar


def draw_results(report: Report, folder: str) -> str:
    """Draws the picture of a report into a folder; returns its path.

    Raises:
      UserError: matplotlib is missing, or the picture cannot be written.
    """
    path = os.path.join(folder, PICTURE_FILE)
    with CompleteFile(path) as file:
        figure_of(report).savefig(cast(BinaryIO, file), format="png")
    return path


def figure_of(report: Report) -> Figure:
    """Figure (matplotlib) of a report."""
    height = _FRAME_INCHES + _BAR_INCHES * len(report.tasks)
    figure = pictures.new_figure(figsize=(_WIDTH, height), dpi=_DPI)
    panel = figure.add_axes((0.15, 1.05 / height, 0.8, (height - 1.85) / height))
    for place, result in enumerate(report.tasks):
        if result.finished:
            _draw_task(panel, place, result, _SAMPLE_COLOR if report.is_sample else _BAR_COLOR)
        else:
            panel.text(_LABEL_PLACE, place, "failed", color=_FAILED_COLOR, va="center", fontsize=9)
    _frame(panel, report.tasks)
    if any(result.commonest is not None for result in report.tasks):
        panel.plot([], [], color=_TEXT_COLOR, linewidth=2.0, label="commonest label of the train split")
        if any(len(result.finished) > 1 for result in report.tasks):
            panel.plot([], [], label="single runs (the bar is their mean)", **_RUN_STYLE)
        panel.legend(
            loc="upper left", bbox_to_anchor=(0.0, -0.5 / (height - 1.85)), fontsize=8, frameon=False, ncol=2,
            borderaxespad=0.0, borderpad=0.0,
        )  # fmt: skip
    title = "{} fine-tuned: {} on the dev splits".format(report.model, _what_is_shown(report))
    figure.text(0.02, 1 - 0.32 / height, title, fontsize=13, fontweight="bold", color=_TEXT_COLOR)
    figure.text(0.02, 1 - 0.57 / height, _subtitle(report), fontsize=8.5, color=_QUIET_COLOR)
    if report.environment:
        text = textwrap.shorten(environment_text(report.environment), 130, placeholder=" …")
        figure.text(0.02, 0.12 / height, text, fontsize=7, color=_QUIET_COLOR)
    return figure


def _what_is_shown(report: Report) -> str:
    """Name of the tasks' metric if they share one."""
    metrics = {result.metric for result in report.tasks}
    return metrics.pop().replace("_", " ") if len(metrics) == 1 else "figures"


def _subtitle(report: Report) -> str:
    if report.is_sample:
        return "Shipped samples, random weights: the figures are meaningless; they only show that the commands run."
    runs = {len(result.finished) for result in report.tasks if result.finished}
    if runs == {1}:
        return "One run per task, the best checkpoint by the dev split."
    if len(runs) == 1:
        return "Mean of {} runs with different seeds, each the best checkpoint by the dev split.".format(runs.pop())
    return "The best checkpoint of each run by the dev split."


def _draw_task(panel: Axes, place: int, result: TaskResult, color: str) -> None:
    dev = result.spread("dev")
    values = [100 * outcome.dev for outcome in result.finished if outcome.dev is not None]
    if dev is None:
        return
    panel.barh(place, max(0.0, 100 * dev.mean), height=0.62, color=color, zorder=2)
    end = max([100 * dev.mean, *values])
    if len(values) > 1:
        panel.plot(values, [place] * len(values), zorder=4, **_RUN_STYLE)
    if result.commonest is not None:
        chance = 100 * result.commonest
        panel.plot([chance, chance], [place - 0.4, place + 0.4], color=_TEXT_COLOR, linewidth=2.0, zorder=3)
        # Else the label would cover the mark.
        end = chance if end < chance < end + 14 else end
    figure_name = "" if result.metric == "accuracy" else " " + result.metric.replace("_", " ")
    panel.text(end + _LABEL_PLACE, place, percent(dev) + figure_name, va="center", fontsize=9, color=_TEXT_COLOR)


def _frame(panel: Axes, tasks: Sequence[TaskResult]) -> None:
    names: List[str] = [result.name for result in tasks]
    panel.set_yticks(range(len(names)))
    panel.set_yticklabels(names, fontsize=10)
    panel.set_ylim(len(names) - 0.4, -0.6)  # the first task on top
    panel.set_xlim(0, 115)
    panel.set_xticks(range(0, 101, 20))
    panel.tick_params(axis="x", labelsize=8.5, colors=_QUIET_COLOR, length=0)
    panel.tick_params(axis="y", length=0)
    panel.set_xlabel("percent", fontsize=8.5, color=_QUIET_COLOR)
    panel.grid(True, axis="x", color="#e6e6e6", linewidth=0.8, zorder=0)
    panel.set_axisbelow(True)
    for side in ("top", "right", "bottom", "left"):
        panel.spines[side].set_visible(False)
