"""Best spans over all windows of a question."""

import numpy as np
import pytest

from albert.inference.context_windows import WindowSettings, windows_of
from albert.inference.span_reading import Span, SpanSettings, best_spans
from tests.support.context_windows import CHARACTERS, logits_for, question, write_vocabulary


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return write_vocabulary(tmp_path_factory.mktemp("vocab"))


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
