"""Answers to questions (`albert.inference.span_reading`): their scores and their files.

| file | content |
|---|---|
| <task>_predict.json | {question id: answer} |
| <task>_nbest.json | {question id: the best answers, each with text, start in the context, score and probability} |
"""

from __future__ import annotations

import collections
import json
import os
from typing import Any, Dict, Iterator, List, Optional, Sequence

import numpy as np

from albert.files.complete import CompleteFile, write_json
from albert.finetuning.mistake_table import write_table
from albert.finetuning.sameness import is_nearly_all
from albert.inference.context_windows import Window
from albert.inference.span_reading import Span, probabilities_of
from albert.tasks.mrc_metrics import answer_score
from albert.tasks.mrc_rows import Question
from albert.tasks.submission import file_name
from albert.tasks.task import Task

_NBEST_SUFFIX = "_nbest.json"


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


def write_mistakes(path: str, questions: Sequence[Question], spans: Sequence[Sequence[Span]]) -> int:
    """Writes a table of the questions whose answer is not exact, the lowest F1 first; returns their number."""
    rows = []
    for question, found in zip(questions, spans):
        gold = list(dict.fromkeys(answer.text for answer in question.answers))
        text, probability = _text(question, found[0]), probabilities_of(found)[0]
        score = answer_score(text, gold) if gold else None
        if score and score.exact_match < 1.0:
            figures = ["{:.4f}".format(value) for value in (score.f1, probability)]
            rows.append((-score.f1, [question.own_id, *figures, text, " | ".join(gold), question.question]))
    return write_table(path, ("id", "f1", "probability", "answer", "right answers", "question"), rows)


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
    for span, probability in zip(spans, probabilities_of(spans)):
        yield {"text": _text(question, span), "start": span.start, "score": span.score, "probability": probability}
