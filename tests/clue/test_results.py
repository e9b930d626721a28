"""Table, Markdown, JSON, archive and picture of a benchmark."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

from albert.clue.picture import draw_results, figure_of
from albert.clue.results import Report, TaskResult, failure_lines, text_table, write_tables, zip_submissions
from albert.clue.run import Outcome

ENVIRONMENT = {
    "tensorflow": "2.15.1",
    "python": "3.11.7",
    "cpu": "A processor",
    "cpu_cores": 2,
    "gpus": 1,
    "code_sha256": "0123456789abcdef",
}


def outcome(seed=1, dev=0.5, **changes):
    return Outcome(
        **dict({"seed": seed, "dev": dev, "seconds": 100.0, "examples_per_second": 1200.4, "step": 3}, **changes)
    )


def report(*tasks, is_sample=False, notes=()):
    return Report("albert_tiny_489k", tasks, notes, ENVIRONMENT, is_sample)


SEVERAL = TaskResult("lcqmc", "accuracy", tuple(map(outcome, (1, 2, 3), (0.8, 0.85, 0.6))), 0.5, 85.4)
FAILED = TaskResult("wsc", "accuracy", (Outcome(1, error="no such file"),))
PARTLY = TaskResult("tnews", "mcc", (outcome(dev=-0.25), Outcome(2, error="killed")))


def cells(table):
    return [[cell.strip() for cell in line.strip("|\n").split("|")] for line in table.splitlines()]


def test_mean_and_deviation_are_those_of_the_runs():
    dev = SEVERAL.spread("dev")
    assert dev.mean == pytest.approx(np.mean([0.8, 0.85, 0.6])) and dev.n == 3
    assert dev.std == pytest.approx(np.std([0.8, 0.85, 0.6], ddof=1))
    assert PARTLY.spread("dev") == (-0.25, None, 1) and PARTLY.spread("test") is None
    assert SEVERAL.best.seed == 2 and FAILED.best is None


def test_the_table_names_what_was_measured_and_what_failed():
    header, _, *rows = cells(text_table(report(SEVERAL, FAILED, PARTLY)))
    assert header == ["task", "metric", "dev", "commonest label", "published test", "runs", "time", "rows/s"]
    assert rows == [
        ["lcqmc", "accuracy", "75.00 ± 13.23", "50.00", "85.4", "3", "0:05:00", "1,200"],
        ["wsc", "accuracy", "failed", "–", "–", "0 of 1", "–", "–"],
        ["tnews", "mcc", "-25.00", "–", "–", "1 of 2", "0:01:40", "1,200"],
    ]
    assert failure_lines(report(SEVERAL, FAILED, PARTLY)) == [
        "wsc failed: no such file",
        "tnews failed: killed",
    ]


def test_markdown_and_json_hold_all(tmp_path):
    made = report(SEVERAL, FAILED, is_sample=True, notes=["These mean nothing."])
    write_tables(made, str(tmp_path))
    text = (tmp_path / "results.md").read_text(encoding="utf-8")
    for part in ("# albert_tiny_489k", "| lcqmc", "- These mean nothing.", "- wsc failed: no such file", "1 GPU,"):
        assert part in text
    values = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))
    assert values["environment"] == ENVIRONMENT and values["is_sample"] is True
    assert [run["seed"] for run in values["tasks"]["lcqmc"]["runs"]] == [1, 2, 3]
    assert values["tasks"]["lcqmc"]["dev"]["n"] == 3
    assert values["tasks"]["wsc"]["dev"] is None and values["tasks"]["wsc"]["runs"][0]["error"] == "no such file"


def test_the_archive_holds_the_best_runs_submissions_and_nothing_else(tmp_path):
    runs = []
    for seed, dev in ((1, 0.5), (2, 0.75), (3, 0.6)):
        path = tmp_path / str(seed) / "tnews_predict.json"
        path.parent.mkdir()
        path.write_text("by seed {}\n".format(seed))
        runs.append(outcome(seed, dev, submission=str(path)))
    made = report(TaskResult("tnews", "accuracy", tuple(runs)), FAILED, SEVERAL)
    path = zip_submissions(made, str(tmp_path))
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["tnews_predict.json"]
        assert archive.read("tnews_predict.json") == b"by seed 2\n"
    with open(path, "rb") as file:
        first = file.read()
    zip_submissions(made, str(tmp_path))
    with open(path, "rb") as file:
        assert file.read() == first
    assert zip_submissions(report(FAILED), str(tmp_path)) is None


def texts_of(figure):
    return [text.get_text() for owner in [figure, *figure.axes] for text in owner.texts]


def test_the_picture_shows_each_task(tmp_path):
    figure = figure_of(report(SEVERAL, FAILED, PARTLY))
    panel = figure.axes[0]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["lcqmc", "wsc", "tnews"]
    assert [bar.get_width() for bar in panel.patches] == pytest.approx([75.0, 0.0])
    assert {"failed", "75.00 ± 13.23", "-25.00 mcc"} <= set(texts_of(figure))
    assert not any("meaningless" in text for text in texts_of(figure))
    sample = figure_of(report(SEVERAL, is_sample=True))
    assert any("meaningless" in text for text in texts_of(sample))
    path = draw_results(report(SEVERAL), str(tmp_path))
    with open(path, "rb") as file:
        assert file.read(8) == b"\x89PNG\r\n\x1a\n"
