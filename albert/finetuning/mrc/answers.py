"""Answers to questions: the best spans over all windows of a question, their scores, the files of answers.

| file | content |
|---|---|
| <task>_predict.json | {question id: answer} |
| <task>_nbest.json | {question id: the best answers, each with text, start in the context, score and probability} |

An answer is cut out of the original context. Its score is the sum of the scores of its first and last token.
"""

from __future__ import annotations

import collections
import json
import os
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from albert.files.complete import CompleteFile, write_json
from albert.finetuning.mrc.features import Window
from albert.finetuning.sameness import is_nearly_all
from albert.tasks.mrc_metrics import answer_score
from albert.tasks.mrc_rows import Question
from albert.tasks.submission import file_name
from albert.tasks.task import Task

_NBEST_SUFFIX = "_nbest.json"


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


def score_answers(
    questions: Sequence[Question],
    spans: Sequence[Sequence[Span]],
    loss: float,
    *,
    report_path: str,
    prefix: str = "",
) -> Dict[str, float]:
    """Scores answers of the questions that have any: exact match, F1 and their mean; none where no question has one.

    Args:
      questions: in file order.
      spans: their `best_spans`.
      loss: their `mean_loss`.
      report_path: where the scores of each question are put.
      prefix: goes before each figure's name.
    """
    lines = ["id\texact match\tf1\tanswer\tright answers"]
    scores = []
    for question, found in zip(questions, spans):
        if question.answers:
            gold = [answer.text for answer in question.answers]
            text = _text(question, found[0])
            scores.append(answer_score(text, gold))
            texts = [" ".join(part.split()) for part in (text, *sorted(set(gold), key=gold.index))]
            lines.append("\t".join([question.own_id, *map("{:.4f}".format, scores[-1]), *texts]))
    if not scores:
        return {}
    with CompleteFile(report_path) as file:
        file.write(("\n".join(lines) + "\n").encode("utf-8"))
    exact_match, f1 = np.mean(scores, axis=0).tolist()
    figures = {"exact_match": exact_match, "f1": f1, "average": (exact_match + f1) / 2, "loss": loss}
    return {prefix + name: value for name, value in figures.items()}


def one_place_for_all(answers: Sequence[Span]) -> Optional[str]:
    """Words on answers that are empty, or begin at the same place, for nearly all questions; None where they differ."""
    if not answers:
        return None
    empty = sum(answer.end <= answer.start for answer in answers)
    if is_nearly_all(empty, len(answers)):
        return "the answers to {:,} of {:,} questions are empty".format(empty, len(answers))
    (place, count), *_ = collections.Counter(answer.start for answer in answers).most_common(1)
    if is_nearly_all(count, len(answers)):
        return "the answers to {:,} of {:,} questions begin at character {:,} of their context".format(
            count, len(answers), place
        )
    return None


def mean_loss(windows: Sequence[Window], answers: Sequence[np.ndarray]) -> float:
    """Mean loss over windows, as in training."""
    total = 0.0
    for window, answer in zip(windows, answers):
        scores = answer[:, : len(window.encoded.input_ids)].astype(np.float64)
        logs = np.log(np.exp(scores - scores.max(axis=1, keepdims=True)).sum(axis=1)) + scores.max(axis=1)
        total += float((logs - scores[[0, 1], list(window.answer)]).mean())
    return total / len(windows)


def write_answers(folder: str, task: Task, questions: Sequence[Question], spans: Sequence[Sequence[Span]]) -> List[str]:
    """Writes the answers of a split; returns the paths of the file to hand in and of the n best.

    Raises:
      UserError: a file cannot be written.
    """
    handed_in, n_best = (os.path.join(folder, name) for name in (file_name(task), task.name + _NBEST_SUFFIX))
    _write_in_order(handed_in, {q.own_id: _text(q, found[0]) for q, found in zip(questions, spans)})
    write_json(n_best, {q.own_id: list(_described(q, found)) for q, found in zip(questions, spans)})
    return [handed_in, n_best]


def _write_in_order(path: str, answers: Dict[str, str]) -> None:
    with CompleteFile(path) as file:
        file.write((json.dumps(answers, ensure_ascii=False, indent=2) + "\n").encode("utf-8"))


def _text(question: Question, span: Span) -> str:
    return question.context[span.start : span.end]


def _described(question: Question, spans: Sequence[Span]) -> Iterator[Dict[str, Any]]:
    weights = np.exp(np.array([span.score for span in spans]) - spans[0].score)
    for span, weight in zip(spans, weights / weights.sum()):
        yield {"text": _text(question, span), "start": span.start, "score": span.score, "probability": float(weight)}
