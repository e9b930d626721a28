"""Records of windows over contexts; answers, their scores and files."""

import json

import numpy as np
import pytest

from albert.files.features import SPAN_FEATURES
from albert.files.record_encoding import encode_rows
from albert.finetuning.mrc.answers import mean_loss, score_answers, write_answers
from albert.finetuning.mrc.features import record_encoder
from albert.inference.context_windows import WindowSettings, windows_of
from albert.inference.span_reading import SpanSettings, best_spans
from albert.tasks.mrc import MRC_TASKS
from tests.support.context_windows import ODD, logits_for, question, write_vocabulary

TASK = MRC_TASKS["cmrc2018"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return write_vocabulary(tmp_path_factory.mktemp("vocab"))


def test_records_by_hand(tokenizer):
    rows = [question("丙丁戊己庚", "己庚")]
    records = list(record_encoder(TASK, tokenizer, WindowSettings(8, 2, 4)).records(rows))
    assert [record.values for record in records] == [
        {
            "row_index": [0],
            "input_ids": [2, 5, 6, 3, 7, 8, 9, 3],
            "segment_ids": [0, 0, 0, 0, 1, 1, 1, 1],
            "start_positions": [0],
            "end_positions": [0],
        },
        {
            "row_index": [1],
            "input_ids": [2, 5, 6, 3, 9, 10, 11, 3],
            "segment_ids": [0, 0, 0, 0, 1, 1, 1, 1],
            "start_positions": [5],
            "end_positions": [6],
        },
    ]
    assert encode_rows(SPAN_FEATURES, [records[0].values])


def test_files_and_scores(tokenizer, tmp_path):
    rows = [question(ODD, "2008")._replace(own_id="b"), question(ODD)._replace(own_id="a")]
    windows = list(windows_of(rows, tokenizer, WindowSettings(30, 9, 4)))
    place = ODD.index("2008")
    answers = logits_for(windows, (place - 1, place + 4))
    spans = best_spans(windows, answers, 2, SpanSettings(5, 4))
    loss = mean_loss(windows, answers)
    report = tmp_path / "report.tsv"
    figures = score_answers(rows, spans, loss, report_path=str(report))
    f1 = 2 * 1 / 3  # the units 乙, 2008 against 2008
    assert figures == pytest.approx({"exact_match": 0.0, "f1": f1, "average": f1 / 2, "loss": loss})
    assert report.read_text(encoding="utf-8").splitlines()[1] == "b\t0.0000\t0.6667\t乙2008\t2008"
    write_answers(str(tmp_path), TASK, rows, spans)
    handed_in = (tmp_path / "cmrc2018_predict.json").read_text(encoding="utf-8")
    assert list(json.loads(handed_in).items()) == [("b", "乙2008"), ("a", "乙2008")]
    n_best = json.loads((tmp_path / "cmrc2018_nbest.json").read_text(encoding="utf-8"))["b"]
    assert len(n_best) == 4 and n_best[0]["start"] == place - 1
    assert sum(found["probability"] for found in n_best) == pytest.approx(1.0)
    assert score_answers(rows[1:], spans[1:], loss, report_path=str(tmp_path / "none")) == {}


def test_the_loss_is_the_cross_entropy_of_both_ends(tokenizer):
    rows = [question("丙丁", "丁")]
    (window,) = windows_of(rows, tokenizer, WindowSettings(30, 9, 4))
    answer = np.array([[1.0, 2, 3, 4, 5, 6, 7, -1e9], [7.0, 6, 5, 4, 3, 2, 1, -1e9]])
    probabilities = np.exp(answer[:, :7]) / np.exp(answer[:, :7]).sum(axis=1, keepdims=True)
    assert window.answer == (5, 5)
    expected = -(np.log(probabilities[0, 5]) + np.log(probabilities[1, 5])) / 2
    assert mean_loss([window], [answer]) == pytest.approx(expected)
