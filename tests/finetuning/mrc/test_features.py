"""Windows over contexts and the answers that are read off them."""

import json

import numpy as np
import pytest

from albert.files.features import SPAN_FEATURES
from albert.files.record_encoding import encode_rows
from albert.finetuning.mrc.answers import Span, SpanSettings, best_spans, mean_loss, score_answers, write_answers
from albert.finetuning.mrc.features import WindowSettings, best_windows, record_encoder, window_reaches, windows_of
from albert.tasks.mrc import MRC_TASKS
from albert.tasks.mrc_rows import Answer, Question
from tokenization import FullTokenizer

TASK = MRC_TASKS["cmrc2018"]
CHARACTERS = "甲乙丙丁戊己庚辛壬癸子丑寅卯"
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + list(CHARACTERS) + ["cs", "##ol", "20", "##08", "a"]
ODD = " 甲\u3000CSOL乙2008\u2028\u200b𠮷É丙\r\n丁"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    path = tmp_path_factory.mktemp("vocab") / "vocab.txt"
    path.write_text("".join(token + "\n" for token in TOKENS), encoding="utf-8")
    return FullTokenizer(str(path))


def question(context, answer=None, text="甲乙"):
    answers = () if answer is None else (Answer(answer, context.index(answer)),)
    return Question("q", text, context, answers)


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


@pytest.mark.parametrize("room,stride", [(1, 1), (5, 2), (5, 5), (5, 9), (13, 4)])
def test_windows_cover_every_token_and_each_begins_answers_in_one(room, stride):
    for num_tokens in range(40):
        reaches = window_reaches(num_tokens, room, stride)
        assert sorted({token for begin, end in reaches for token in range(begin, end)}) == list(range(num_tokens))
        assert all(end - begin <= room for begin, end in reaches)
        assert len(reaches) == 1 or reaches[-1][1] - reaches[-2][1] > 0  # none that adds nothing
        for token, place in enumerate(best_windows(num_tokens, reaches)):
            sides = [min(token - b, e - 1 - token) if b <= token < e else -1 for b, e in reaches]
            assert sides[place] == max(sides)


@pytest.mark.parametrize("answer", ["甲", "CSOL", "2008", "乙2008", "𠮷É丙", "丙\r\n丁", "甲\u3000CSOL"])
def test_places_lead_back_to_the_source(tokenizer, answer):
    row = question(ODD, answer)
    windows = [w for w in windows_of([row], tokenizer, WindowSettings(12, 2, 4)) if w.answer != (0, 0)]
    assert windows
    for window in windows:
        first, last = (window.spans[position - window.offset] for position in window.answer)
        assert ODD[first[0] : last[1]] == answer


def test_a_long_question_loses_its_end_and_an_empty_one_is_asked(tokenizer):
    long, empty = windows_of(
        [question("甲", text=CHARACTERS), question("甲", text="")], tokenizer, WindowSettings(8, 2, 3)
    )
    assert long.encoded.input_ids == [2, 5, 6, 7, 3, 5, 3] and long.encoded.was_truncated
    assert empty.encoded.input_ids == [2, 3, 5, 3] and not empty.encoded.was_truncated


def logits_for(windows, wanted, score=5.0):
    """What a model answers that gives one span of the context, in characters, the best score in all windows."""
    answers = []
    for window in windows:
        answer = np.zeros([2, len(window.encoded.input_ids) + 3], np.float32)
        for side, (place, edge) in enumerate(((wanted[0], 0), (wanted[1], 1))):
            for number, span in enumerate(window.spans):
                if span[edge] == place:
                    answer[side, window.offset + number] = score
        answers.append(answer)
    return answers


def brute_force(windows, answers, settings):
    best = {}
    for window, answer in zip(windows, answers):
        for first in range(len(window.spans)):
            for last in range(first, min(len(window.spans), first + settings.max_answer_length)):
                if window.may_begin[first]:
                    value = float(answer[0, window.offset + first] + answer[1, window.offset + last])
                    place = (window.spans[first][0], window.spans[last][1])
                    best[place] = max(value, best.get(place, value))
    return sorted(best.values(), reverse=True)[: settings.n_best]


@pytest.mark.parametrize("longest,n_best", [(1, 3), (4, 5), (30, 20)])
def test_the_best_spans_over_all_windows(tokenizer, longest, n_best):
    random = np.random.RandomState(longest)
    rows = [question("".join(random.choice(list(CHARACTERS), 25))) for _ in range(3)]
    windows = list(windows_of(rows, tokenizer, WindowSettings(14, 3, 4)))
    answers = [random.randn(2, len(window.encoded.input_ids) + 2) for window in windows]
    settings = SpanSettings(longest, n_best)
    found = best_spans(windows, answers, 3, settings)
    for number, spans in enumerate(found):
        own = [pair for pair in zip(windows, answers) if pair[0].question == number]
        assert [span.score for span in spans] == pytest.approx(brute_force(*zip(*own), settings))
        assert len({span[1:] for span in spans}) == len(spans)


def test_an_answer_is_found_wherever_it_stands(tokenizer):
    rows = [question(CHARACTERS * 3)]
    windows = list(windows_of(rows, tokenizer, WindowSettings(14, 3, 4)))
    for start in range(0, len(CHARACTERS) * 3 - 2):
        (spans,) = best_spans(windows, logits_for(windows, (start, start + 2)), 1, SpanSettings(5, 4))
        assert spans[0] == Span(10.0, start, start + 2)


def test_a_context_without_tokens_is_answered_with_nothing(tokenizer):
    rows = [question("\u200b")]
    windows = list(windows_of(rows, tokenizer, WindowSettings(14, 3, 4)))
    (spans,) = best_spans(windows, [np.zeros([2, 6])], 1, SpanSettings(5, 4))
    assert spans == [Span(0.0, 0, 0)]


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
