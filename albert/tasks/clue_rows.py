"""Texts of CLUE's tasks that are not just one or two columns: CSL, WSC, COPA, XNLI (docs/en/tasks.md)."""

from __future__ import annotations

from typing import Iterator, List, Union

from albert.base.errors import UserError
from albert.tasks.delimited_rows import Layout, layout_by_names, layout_by_position, read_rows
from albert.tasks.json_rows import JsonObject, json_rows, texts_of
from albert.tasks.rows import LeftOut, Row, Texts

_LANGUAGE = "zh"  # XNLI's files have fifteen languages
_COPA_QUESTIONS = {"cause": "原因是什么？", "effect": "结果是什么？"}
_NOUN_MARKS = ("_", "_")
_PRONOUN_MARKS = ("[", "]")


def csl_texts(entry: JsonObject) -> Texts:
    """Returns the keywords, joined by spaces, and the abstract that they may belong to."""
    return Texts(" ".join(entry.texts("keyword")), entry.text("abst"))


def wsc_texts(entry: JsonObject) -> Texts:
    """Returns the text with `_noun_` and `[pronoun]` marked."""
    target = entry.object("target")
    text = entry.text("text")
    marks = []
    for number, (opening, closing) in ((1, _NOUN_MARKS), (2, _PRONOUN_MARKS)):
        span, start = target.text("span{}_text".format(number)), target.integer("span{}_index".format(number))
        found = text[start : start + len(span)] if start >= 0 else ""
        if not span or found != span:
            raise entry.error(
                "says that the text has '{}' at character {} (span{}), but the text has '{}' there".format(
                    span, start, number, found
                )
            )
        size = len(span)
        marks += [(start + size, 0, -size, closing), (start, 1, size, opening)]
    # From the end, so that earlier places stay the same. Where two spans touch, the first is closed before the second
    # is opened; where they begin or end together, the longer one is outside.
    for place, _, _, mark in sorted(marks, key=lambda entry: (-entry[0], -entry[1], entry[2])):
        text = text[:place] + mark + text[place:]
    return Texts(text)


def copa_texts(entry: JsonObject) -> Texts:
    """Returns the premise with its question, and the two candidates for an answer."""
    question = entry.text("question")
    if question not in _COPA_QUESTIONS:
        raise entry.error("asks for '{}', not for one of {}".format(question, ", ".join(_COPA_QUESTIONS)))
    choices = (entry.text("choice0"), entry.text("choice1"))
    return Texts(entry.text("premise") + _COPA_QUESTIONS[question], None, choices)


_xnli_json_rows = json_rows(texts_of("premise", "hypo"), language=_LANGUAGE)


def xnli_rows(path: str) -> Iterator[Union[Row, LeftOut]]:
    """Yields the Chinese rows of XNLI: from JSON lines, or tab-separated as it is published."""
    if path.endswith(".json"):
        return _xnli_json_rows(path)
    return read_rows(path, find_layout=_xnli_layout)


def _xnli_layout(cells: List[str], path: str) -> Layout:
    for texts, label in ((("premise", "hypo"), "label"), (("sentence1", "sentence2"), "gold_label")):
        layout = layout_by_names(cells, texts=texts, label=label, kept={"language": _LANGUAGE})
        if layout:
            return layout
    if len(cells) not in (2, 3):
        raise UserError(
            "{} line 1 names neither premise and hypo nor sentence1 and sentence2, and has {} columns: expected 3 "
            "(premise, hypo, label), separated by tabs".format(path, len(cells))
        )
    return layout_by_position(cells, columns=("premise", "hypo", "label"), labels=())
