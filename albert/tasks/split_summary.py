"""Summary of a split in one line: how many rows, labels or entities it has, and how long its texts are."""

from __future__ import annotations

from collections import Counter
from typing import Any, Iterable, Optional, Sequence

_MOST_NAMES = 12  # labels that a line counts one by one
_USUAL_SHARE = 0.95


def of_rows(rows: Sequence[Any]) -> str:
    """Returns what `rows.Row`s are, at least one: how many, their labels, the lengths of their texts."""
    labels = [row.all_labels for row in rows]
    parts = [_count(len(rows), "row")]
    if labels[0] is None:
        parts.append("no labels")
    else:
        parts.append("labels " + _counted(label for each in labels for label in each or ()))
        most = max(len(each or ()) for each in labels)
        if rows[0].labels is not None:
            mean = sum(len(each or ()) for each in labels) / len(rows)
            parts.append("{:.1f} labels a row, {} at most".format(mean, most))
    parts.append(_lengths([_length(row) for row in rows]))
    return "; ".join(parts)


def _length(row: Any) -> int:
    return len(row.text_a) + len(row.text_b or "") + max(map(len, row.choices), default=0)


def of_sentences(sentences: Sequence[Any]) -> str:
    """Returns what `ner_rows.Sentence`s are, at least one: how many, their entities, the lengths of their texts."""
    parts = [_count(len(sentences), "sentence")]
    if sentences[0].entities is None:
        parts.append("no tags")
    else:
        entities = [entity for sentence in sentences for entity in sentence.entities or ()]
        types = _counted(entity.type for entity in entities)
        parts.append("{}{}".format(_count(len(entities), "entity", "entities"), " " + types if entities else ""))
    parts.append(_lengths([len(sentence.text) for sentence in sentences]))
    return "; ".join(parts)


def of_questions(questions: Sequence[Any]) -> str:
    """Returns what `mrc_rows.Question`s are, at least one: how many, their answers, the lengths of their contexts."""
    contexts = {question.context for question in questions}
    answers = [answer for question in questions for answer in question.answers]
    parts = ["{} on {}".format(_count(len(questions), "question"), _count(len(contexts), "context"))]
    if answers:
        lengths = _lengths([len(answer.text) for answer in answers])
        parts.append("{}, {}".format(_count(len(answers), "answer"), lengths))
    else:
        parts.append("no answers")
    parts.append("contexts, " + _lengths([len(context) for context in contexts]))
    return "; ".join(parts)


def _count(number: int, noun: str, plural: Optional[str] = None) -> str:
    return "{:,} {}".format(number, noun if number == 1 else plural or noun + "s")


def _counted(names: Iterable[str]) -> str:
    """Names with how often they occur, the commonest first."""
    counts = Counter(names).most_common()
    shown = ", ".join("{} {:,}".format(name, count) for name, count in counts[:_MOST_NAMES])
    return "({}{})".format(
        shown, ", … {:,} more".format(len(counts) - _MOST_NAMES) if len(counts) > _MOST_NAMES else ""
    )


def _lengths(lengths: Sequence[int]) -> str:
    ordered = sorted(lengths)
    middle, usual = (ordered[int(share * (len(ordered) - 1))] for share in (0.5, _USUAL_SHARE))
    return "characters: median {:,}, 95 % at most {:,}, longest {:,}".format(middle, usual, ordered[-1])
