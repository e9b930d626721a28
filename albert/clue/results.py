"""Results of a benchmark: a table for the terminal, Markdown, JSON, and an archive of the submissions."""

from __future__ import annotations

import io
import math
import os
import statistics
import zipfile
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.terminal import table, time_text
from albert.clue.run import Outcome
from albert.files.complete import CompleteFile, write_json

JSON_FILE, MARKDOWN_FILE, PICTURE_FILE, ARCHIVE_FILE = "results.json", "results.md", "results.png", "submissions.zip"
_HEADER = ("task", "metric", "dev", "commonest label", "test", "published test", "runs", "time", "rows/s")
_NOTHING = "–"
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)  # the same submissions make the same archive


class TaskResult(NamedTuple):
    """Result of a task.

    Attributes:
      name: the task's name.
      metric: the metric of its figures.
      outcomes: the outcomes of its runs, at least one.
      commonest: the dev accuracy of always answering the commonest label; None for other metrics.
      published: the published test figure, in percent; None if there is none.
    """

    name: str
    metric: str
    outcomes: Tuple[Outcome, ...]
    commonest: Optional[float] = None
    published: Optional[float] = None

    @property
    def finished(self) -> List[Outcome]:
        """Outcomes of the runs that did not fail."""
        return [outcome for outcome in self.outcomes if outcome.error is None]

    @property
    def errors(self) -> List[str]:
        """Error messages of the failed runs, each once."""
        return list(dict.fromkeys(outcome.error for outcome in self.outcomes if outcome.error is not None))

    @property
    def best(self) -> Optional[Outcome]:
        """Finished run with the best dev figure; the first of equal ones."""
        return max(self.finished, key=lambda outcome: outcome.dev or 0.0) if self.finished else None

    def spread(self, split: str) -> Optional[Spread]:
        """Mean and standard deviation over the finished runs, for "dev" or "test"; None if there is no figure."""
        values = [getattr(outcome, split) for outcome in self.finished if getattr(outcome, split) is not None]
        return spread_of(values) if values else None


class Spread(NamedTuple):
    """Mean and sample standard deviation (of n - 1; None for one value), in the unit of the values."""

    mean: float
    std: Optional[float]
    n: int


class Report(NamedTuple):
    """Report of a benchmark.

    Attributes:
      model: the name of the fine-tuned model.
      tasks: the results of the tasks, in the order in which they ran.
      notes: sentences that readers of the figures must know.
      environment: versions, machine and code (`albert.training.environment`); empty if no run was finished.
      is_sample: whether the figures are those of the shipped samples, and meaningless.
    """

    model: str
    tasks: Sequence[TaskResult]
    notes: Sequence[str]
    environment: Dict[str, Any]
    is_sample: bool


def spread_of(values: Sequence[float]) -> Spread:
    """Mean and sample standard deviation of at least one value."""
    return Spread(statistics.mean(values), statistics.stdev(values) if len(values) > 1 else None, len(values))


def percent(spread: Optional[Spread]) -> str:
    """Text of a figure in percent, with its standard deviation if there are several runs."""
    if spread is None or not math.isfinite(spread.mean):
        return _NOTHING
    deviation = " ± {:.2f}".format(100 * spread.std) if spread.std is not None else ""
    return "{:.2f}{}".format(100 * spread.mean, deviation)


def text_table(report: Report) -> str:
    """Table for the terminal, with a row for each task."""
    rows = [_row(result) for result in report.tasks]
    # Columns without any figure are left out.
    kept = [column for column in range(len(_HEADER)) if any(row[column] != _NOTHING for row in rows)]
    return table([_HEADER[column] for column in kept], [[row[column] for column in kept] for row in rows])


def _row(result: TaskResult) -> List[str]:
    rates = [outcome.examples_per_second for outcome in result.finished if outcome.examples_per_second]
    return [
        result.name,
        result.metric,
        percent(result.spread("dev")) if result.finished else "failed",
        _NOTHING if result.commonest is None else "{:.2f}".format(100 * result.commonest),
        percent(result.spread("test")),
        _NOTHING if result.published is None else "{:.1f}".format(result.published),
        _runs_text(result),
        time_text(sum(outcome.seconds or 0.0 for outcome in result.finished)) if result.finished else _NOTHING,
        "{:,.0f}".format(statistics.median(rates)) if rates else _NOTHING,
    ]


def _runs_text(result: TaskResult) -> str:
    done, asked = len(result.finished), len(result.outcomes)
    return str(done) if done == asked else "{} of {}".format(done, asked)


def failure_lines(report: Report) -> List[str]:
    """A line for each sentence with which a task failed."""
    return ["{} failed: {}".format(result.name, error) for result in report.tasks for error in result.errors]


def markdown(report: Report) -> str:
    """The table with its heading, notes, failures and environment."""
    parts = ["# {}\n".format(report.model), text_table(report)]
    lines = list(report.notes) + failure_lines(report)
    if lines:
        parts.append("\n".join("- " + line for line in lines) + "\n")
    if report.environment:
        parts.append("Environment: {}.\n".format(environment_text(report.environment)))
    return "\n".join(parts)


def environment_text(environment: Dict[str, Any]) -> str:
    """Line that describes the environment of the runs."""
    cores, gpus = environment["cpu_cores"], environment["gpus"]
    return "TensorFlow {}, Python {}, {} ({}){}, code {}".format(
        environment["tensorflow"],
        environment["python"],
        environment["cpu"],
        _counted(cores, "core"),
        ", " + _counted(gpus, "GPU") if gpus else "",
        environment["code_sha256"][:12],
    )


def _counted(count: int, what: str) -> str:
    return "{} {}{}".format(count, what, "" if count == 1 else "s")


def as_json(report: Report) -> Dict[str, Any]:
    """All figures as JSON values, 0 to 1: those of each run, mean and standard deviation."""
    return {
        "model": report.model,
        "is_sample": report.is_sample,
        "notes": list(report.notes),
        "environment": report.environment,
        "tasks": {result.name: _task_json(result) for result in report.tasks},
    }


def _task_json(result: TaskResult) -> Dict[str, Any]:
    spreads = {split: result.spread(split) for split in ("dev", "test")}
    return {
        "metric": result.metric,
        **{split: dict(spread._asdict()) if spread else None for split, spread in spreads.items()},
        "commonest_label_dev_accuracy": result.commonest,
        "published_test_percent": result.published,
        "submission": result.best.submission if result.best else None,
        "runs": [dict(outcome._asdict()) for outcome in result.outcomes],
    }


def write_tables(report: Report, folder: str) -> None:
    """Writes the Markdown and the JSON file, each complete or not at all.

    Raises:
      UserError: a file cannot be written.
    """
    write_json(os.path.join(folder, JSON_FILE), as_json(report))
    with CompleteFile(os.path.join(folder, MARKDOWN_FILE)) as file:
        file.write(markdown(report).encode("utf-8"))


def zip_submissions(report: Report, folder: str) -> Optional[str]:
    """Writes an archive of the submissions of each task's best run; returns its path, None without submissions.

    Raises:
      UserError: the archive cannot be written.
    """
    paths = [result.best.submission for result in report.tasks if result.best and result.best.submission]
    path = os.path.join(folder, ARCHIVE_FILE)
    if not paths:
        return None
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for source in sorted(paths, key=os.path.basename):
            member = zipfile.ZipInfo(os.path.basename(source), _ZIP_TIME)
            member.compress_type, member.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            with open(source, "rb") as file:
                archive.writestr(member, file.read())
    with CompleteFile(path) as file:
        file.write(content.getvalue())
    return path
