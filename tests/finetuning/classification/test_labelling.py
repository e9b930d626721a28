"""What becomes of a classifier's answers: thresholds, labels, figures, mistakes."""

import json

import numpy as np
import pytest

from albert.checkpoints.description import ModelFolder
from albert.finetuning.classification.labelling import labelling_of
from albert.finetuning.classification.losses import LabelLoss
from albert.finetuning.classification.mistakes import write_mistakes
from albert.tasks.rows import Row
from albert.tasks.task import Task

SEVERAL = Task("topics", ("a", "b", "c"), {}, iter, metric="micro_f1", is_multilabel=True)
ONE = Task("stars", ("a", "b", "c"), {}, iter)
LABELS = [("a",), ("a", "b"), (), ("b",)]
ROWS = [Row(n, "text %d" % n, None, None, n + 2, labels=labels) for n, labels in enumerate(LABELS)]
PROBABILITIES = np.array([[0.4, 0.3, 0.1], [0.5, 0.6, 0.2], [0.2, 0.3, 0.9], [0.3, 0.2, 0.05]])
LOGITS = np.log(PROBABILITIES) - np.log(1 - PROBABILITIES)


def fitted():
    labelling = labelling_of(SEVERAL)
    labelling.fit(ROWS, LOGITS)
    return labelling


def test_thresholds_are_chosen_on_dev_and_a_label_without_rows_is_named():
    labelling = labelling_of(SEVERAL)
    assert labelling.thresholds == (0.5, 0.5, 0.5)
    labelling.fit(ROWS, LOGITS)
    assert labelling.thresholds == (pytest.approx(0.35), pytest.approx(0.45), 0.5)
    assert labelling.unknown() == ["c"]


def test_figures_and_the_report_use_them(tmp_path):
    figures = fitted().score(ROWS, LOGITS, report_path=str(tmp_path / "report.tsv"), prefix="eval_")
    assert figures["eval_micro_f1"] == pytest.approx(2 * 3 / (4 + 4))
    assert figures["eval_macro_f1"] == pytest.approx((1 + 2 / 3 + 0) / 3)
    gold = np.array([[1, 0, 0], [1, 1, 0], [0, 0, 0], [0, 1, 0]])
    loss = -(gold * np.log(PROBABILITIES) + (1 - gold) * np.log(1 - PROBABILITIES)).mean()
    assert figures["eval_loss"] == pytest.approx(loss)
    assert "a\t0.3500\t2\t2\t1.0000\t1.0000\t1.0000\n" in (tmp_path / "report.tsv").read_text()


def test_test_rows_without_labels_have_no_figures_and_get_labels(tmp_path):
    labelling, rows = fitted(), [row._replace(labels=None) for row in ROWS]
    assert labelling.score(rows, LOGITS, report_path=str(tmp_path / "none.tsv")) == {}
    labelling.write_labels(str(tmp_path), rows, LOGITS)
    lines = (tmp_path / "topics_predict.json").read_text().splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": 0, "labels": ["a"]},
        {"id": 1, "labels": ["a", "b"]},
        {"id": 2, "labels": ["c"]},
        {"id": 3, "labels": []},
    ]


def test_thresholds_of_a_folder_are_recalled_for_the_same_labels_only():
    folder = ModelFolder("topics", SEVERAL.labels, "zh", "c.json", "v.txt", True, 8, thresholds=(0.1, 0.2, 0.3))
    labelling = labelling_of(SEVERAL)
    labelling.recall(folder._replace(labels=("b", "a", "c")))
    assert labelling.thresholds == (0.5, 0.5, 0.5)
    labelling.recall(folder)
    assert labelling.thresholds == (0.1, 0.2, 0.3)


def test_mistakes_stand_worst_first_with_their_lines(tmp_path):
    path = tmp_path / "mistakes.tsv"
    write_mistakes(str(path), SEVERAL, fitted().mistakes(ROWS, LOGITS))
    lines = path.read_text().splitlines()
    assert lines[0].split("\t") == ["line", "loss", "label", "predicted", "probabilities", "text_a", "text_b"]
    assert [line.split("\t")[0] for line in lines[1:]] == ["4", "5"]
    assert lines[1].split("\t")[2:5] == ["", "c", "c=0.9000 b=0.3000 a=0.2000"]


def test_mistakes_of_one_label_and_texts_with_tabs(tmp_path):
    rows = [Row(0, "x\ty\nz", "second", "b", 7), Row(1, "t", None, "a", 8), Row(2, "t", None, "c", 9)]
    logs = np.log([[0.6, 0.3, 0.1], [0.7, 0.2, 0.1], [0.8, 0.1, 0.1]])
    path = tmp_path / "mistakes.tsv"
    write_mistakes(str(path), ONE, labelling_of(ONE).mistakes(rows, logs))
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    assert [line[0] for line in lines] == ["line", "9", "7"]
    assert lines[2] == ["7", "1.2040", "b", "a", "a=0.6000 b=0.3000 c=0.1000", "x\\ty\\nz", "second"]


def test_baselines_and_sameness_of_several_labels():
    labelling = labelling_of(SEVERAL)
    assert labelling.baseline(ROWS) == ("every label for every row", pytest.approx(2 * 4 / (4 + 12)))
    right = labelling_of(SEVERAL._replace(metric="accuracy")).baseline(ROWS + ROWS[:1])
    assert right == ("the commonest labels", pytest.approx(2 / 5))
    many = ROWS * 5
    assert labelling.sameness(many, np.tile(LOGITS, [5, 1])) is None
    assert labelling.sameness(many, np.full([20, 3], 9.0)) == (
        "the labels a, b, c are predicted for 20 of 20 rows, and 0 have just these"
    )
    assert labelling.sameness(many, np.full([20, 3], -9.0)) == (
        "no label is predicted for 20 of 20 rows, and 5 have just none"
    )
    assert labelling.guessing_loss(ROWS, LabelLoss(True)) == pytest.approx(2 / 3 * np.log(2))


@pytest.mark.parametrize("task", [ONE, SEVERAL])
def test_probabilities_stand_for_answers(task):
    labelling = labelling_of(task)
    probabilities = labelling.probabilities(LOGITS if task.is_multilabel else np.log(PROBABILITIES))
    np.testing.assert_allclose(probabilities, PROBABILITIES, rtol=1e-6)
    found = labelling.probabilities(labelling.from_probabilities(probabilities))
    np.testing.assert_allclose(found, PROBABILITIES, rtol=1e-6)
    assert np.isfinite(labelling.from_probabilities(np.array([[0.0, 1.0, 0.0]]))).all()


def test_rows_are_laid_out_by_their_rarest_label():
    rows = ROWS + [ROWS[0]]
    assert labelling_of(SEVERAL).strata(rows) == ["a", "b", "", "b", "a"]
