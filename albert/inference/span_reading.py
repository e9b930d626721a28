"""Reading of spans: the best answers to a question over all windows of its context. Pure.

An answer is cut out of the original context. Its score is the sum of the scores of its first and last token.
"""

from __future__ import annotations

from typing import Dict, Iterator, List, NamedTuple, Sequence, Tuple

import numpy as np

from albert.inference.context_windows import Window


class SpanSettings(NamedTuple):
    """Settings of spans that may be answers.

    Attributes:
      max_answer_length: the most tokens of an answer.
      n_best: how many answers of a question are kept.
    """

    max_answer_length: int
    n_best: int


class Span(NamedTuple):
    """Span of a context, in characters, and its score as an answer."""

    score: float
    start: int
    end: int


_NOTHING = Span(0.0, 0, 0)  # the answer in a context of which the tokenizer leaves no token


def best_spans(
    windows: Sequence[Window], answers: Sequence[np.ndarray], num_questions: int, settings: SpanSettings
) -> List[List[Span]]:
    """Finds the best spans of each question, the best first, at least one.

    Args:
      windows: of all questions.
      answers: `heads.span_logits` for each window, [2, at least its length].
      num_questions: how many questions there are.
      settings: see `SpanSettings`.
    """
    found: List[List[Span]] = [[] for _ in range(num_questions)]
    for window, answer in zip(windows, answers):
        found[window.question] += window_spans(window, answer, settings)
    ordered = [sorted(spans, key=lambda span: (-span.score, span)) for spans in found]
    return [_distinct(spans, settings.n_best) or [_NOTHING] for spans in ordered]


def window_spans(window: Window, answer: np.ndarray, settings: SpanSettings) -> Iterator[Span]:
    """The best spans of a window; none where every answer is to begin in another one."""
    size = len(window.spans)
    starts, ends = answer[:, window.offset : window.offset + size]
    longest = min(settings.max_answer_length, size)
    scores = np.full([size, longest], -np.inf)  # by the first token and the number of tokens after it
    for more in range(longest):
        scores[: size - more, more] = starts[: size - more] + ends[more:]
    scores[~np.array(window.may_begin, bool)] = -np.inf
    for place in np.argsort(-scores, axis=None, kind="stable")[: settings.n_best]:
        first, more = divmod(int(place), longest)
        if np.isfinite(scores[first, more]):
            yield Span(float(scores[first, more]), window.spans[first][0], window.spans[first + more][1])


def _distinct(spans: Sequence[Span], count: int) -> List[Span]:
    by_place: Dict[Tuple[int, int], Span] = {}
    for span in spans:
        by_place.setdefault((span.start, span.end), span)
    return list(by_place.values())[:count]


def probabilities_of(spans: Sequence[Span]) -> List[float]:
    """The probability of each of the best spans of a question among them: the softmax of their scores."""
    scores = np.array([span.score for span in spans])
    weights = np.exp(scores - scores.max())
    return (weights / weights.sum()).tolist()
