"""Scored pairs: two sentences and a number that is the higher, the more they mean the same; a label 0 or 1 is one.

A file holds a pair a line: two sentences and a score, separated by tabs (in a .csv file by commas), in any order that a
header names, without one as `sentence TAB sentence TAB score` or with the score first; or a JSON object a line.
"""

from __future__ import annotations

import functools
import math
import os
from typing import Iterator, List, NamedTuple, Optional, Sequence

from albert.base.errors import UserError
from albert.tasks import headers
from albert.tasks.delimited_rows import COMMA, TAB, Layout, read_rows
from albert.tasks.json_rows import JsonObject, json_objects
from albert.tasks.rows import Row, text_fault
from albert.tasks.splits import read_split
from albert.tasks.task import Task

SCORE_NAMES = ("score", "label", "similarity", "similar", "gold", "gold_label", "is_duplicate")
_SCORES = frozenset(map(headers.folded, SCORE_NAMES)) | {"标签", "相似度", "是否相似", "分数"}
_FORM = "a line is two sentences and a score, separated by {}"
_JSON_SUFFIXES = (".json", ".jsonl")


class ScoredPair(NamedTuple):
    """Pair of sentences with a score."""

    text_a: str
    text_b: str
    score: float


def read_scored_pairs(path: str) -> List[ScoredPair]:
    """Reads the pairs of a file.

    Raises:
      UserError: it cannot be read or has no pair, or a line has a fault.
    """
    is_json = os.path.splitext(path)[1].lower() in _JSON_SUFFIXES
    pairs = list(_json_pairs(path) if is_json else _table_pairs(path))
    if not pairs:
        raise UserError("{} has no pairs: {}".format(path, _FORM.format("tabs")))
    return pairs


def read_task_pairs(task: Task, data_dir: Optional[str], split: str) -> List[ScoredPair]:
    """Reads a split of a task of pairs with two labels; the score of a pair is 1 where they mean the same, else 0.

    Raises:
      UserError: the task is of another kind, or the split cannot be read.
    """
    if task.similar_label is None or len(task.labels) != 2:
        raise UserError(
            "the task {} has no label that says that two sentences mean the same: name files of pairs instead".format(
                task.name
            )
        )
    rows = read_split(task, data_dir, split)
    return [ScoredPair(row.text_a, row.text_b or "", float(row.label == task.similar_label)) for row in rows]


def are_labels(pairs: Sequence[ScoredPair]) -> bool:
    """Whether all scores are 0 or 1, and both occur."""
    return {pair.score for pair in pairs} == {0.0, 1.0}


def _table_pairs(path: str) -> Iterator[ScoredPair]:
    separator = COMMA if os.path.splitext(path)[1].lower() == ".csv" else TAB
    find_layout = functools.partial(_layout, separator=separator)
    for row in read_rows(path, find_layout=find_layout, separator=separator):
        if isinstance(row, Row):
            yield _checked(row.text_a, row.text_b or "", row.label, path, row.line)


def _layout(cells: List[str], path: str, separator: str) -> Layout:
    words = [cell.strip() for cell in cells]
    scores = [place for place, word in enumerate(words) if headers.folded(word) in _SCORES]
    texts = headers.find_texts(words, 2, is_strict=False)
    if texts and len(scores) == 1:
        return Layout(texts=texts, label=scores[0], names=tuple(words), has_header=True)
    if len(words) != 3:
        raise UserError(
            "{} line 1 has {} columns, and their names do not tell the two sentences and the score: {}".format(
                path, len(words), _FORM.format("commas" if separator == COMMA else "tabs")
            )
        )
    is_score_first = _number(words[0]) is not None and _number(words[2]) is None
    places = (1, 2, 0) if is_score_first else (0, 1, 2)
    is_header = _number(words[places[2]]) is None and headers.are_names(words)
    return Layout(texts=places[:2], label=places[2], names=("sentence", "sentence", "score"), has_header=is_header)


def _json_pairs(path: str) -> Iterator[ScoredPair]:
    for entry in json_objects(path):
        keys = list(entry.values)
        places = headers.find_texts(keys, 2, is_strict=False)
        if places is None:
            raise entry.error("has no two keys for the sentences, such as sentence1 and sentence2")
        yield _checked(entry.text(keys[places[0]]), entry.text(keys[places[1]]), _json_score(entry), path, entry.line)


def _json_score(entry: JsonObject) -> Optional[str]:
    key = next((key for key in entry.values if headers.folded(key) in _SCORES), None)
    value = None if key is None else entry.values[key]
    return None if value is None or isinstance(value, bool) else str(value)


def _checked(text_a: str, text_b: str, score: Optional[str], path: str, line: int) -> ScoredPair:
    number = None if score is None else _number(score)
    fault = text_fault(text_a, "first ") or text_fault(text_b, "second ")
    if fault is None and number is None:
        fault = "has {}: give a number, the higher, the more both sentences mean the same".format(
            "no score" if score is None else "the score '{}'".format(score)
        )
    if fault or number is None:
        raise UserError("{} line {} {}".format(path, line, fault))
    return ScoredPair(text_a, text_b, number)


def _number(text: str) -> Optional[float]:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
