"""Predictions of a model by each of its abilities: what is asked, answers fit for JSON, lines for the screen."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, NamedTuple, Sequence, Tuple

from albert.inference import open_model
from albert.inference.asked_rows import PAIR, QUESTION, TEXT, TEXT_OR_PAIR
from albert.inference.open_model import OpenModel
from albert.inference.similarity_command import COSINE, PROBABILITY
from albert.inference.text_batches import Place

_NUMBERS_SHOWN = 4  # of a vector on the screen

Values = Dict[str, Any]  # an answer, fit for JSON
Rows = Sequence[Tuple[str, ...]]


class PredictOptions(NamedTuple):
    """Options of answers.

    Attributes:
      top_k: the most answers of a question, or candidates of a mask.
      symmetric: return the mean of both orders of a pair.
    """

    top_k: int = 1
    symmetric: bool = False


class Prediction(NamedTuple):
    """Prediction by one ability.

    Attributes:
      shape: what is asked (`asked_rows`).
      answer: model, texts of rows, options and place -> an answer for each row.
      lines: texts of a row and its answer -> lines for the screen.
      is_tabular: whether an answer fits into the columns of a table.
    """

    shape: str
    answer: Callable[[OpenModel, Rows, PredictOptions, Place], List[Values]]
    lines: Callable[[Tuple[str, ...], Values], List[str]]
    is_tabular: bool = False


def _classify(model: OpenModel, rows: Rows, options: PredictOptions, place: Place) -> List[Values]:
    found = model.classify([row[0] if len(row) == 1 else row for row in rows], options.symmetric, place)
    return [
        {"label": list(label) if isinstance(label, tuple) else label, "score": float(score)}
        for label, score in zip(found.labels, found.scores)
    ]


def _class_lines(texts: Tuple[str, ...], values: Values) -> List[str]:
    label = values["label"]
    shown = "|".join(label) or "no label" if isinstance(label, list) else label
    return [" | ".join(["{:6.1%}".format(values["score"]), shown, *texts])]


def _similarity(model: OpenModel, rows: Rows, options: PredictOptions, place: Place) -> List[Values]:
    name = (COSINE if model.has_cosines else PROBABILITY).name
    return [{name: float(score)} for score in model.similarity(rows, options.symmetric, place)]  # type: ignore[arg-type]


def _similarity_lines(texts: Tuple[str, ...], values: Values) -> List[str]:
    kind = COSINE if COSINE.name in values else PROBABILITY
    return [" | ".join([kind.text(values[kind.name]), *texts])]


def _tag(model: OpenModel, rows: Rows, options: PredictOptions, place: Place) -> List[Values]:
    del options
    found = model.tag([row[0] for row in rows], place)
    return [{"entities": [dict(entity._asdict()) for entity in entities]} for entities in found]


def _tag_lines(texts: Tuple[str, ...], values: Values) -> List[str]:
    lines = ["    {type} {text} [{start}, {end}) {score:.1%}".format(**entity) for entity in values["entities"]]
    return [texts[0], *(lines or ["    no entity"])]


def _answer(model: OpenModel, rows: Rows, options: PredictOptions, place: Place) -> List[Values]:
    found = model.answer([(row[0], row[1]) for row in rows], options.top_k, place)
    return [{"answers": [dict(answer._asdict()) for answer in answers]} for answers in found]


def _answer_lines(texts: Tuple[str, ...], values: Values) -> List[str]:
    return [texts[0], *("    {text} [{start}, {end}) {score:.1%}".format(**answer) for answer in values["answers"])]


def _embed(model: OpenModel, rows: Rows, options: PredictOptions, place: Place) -> List[Values]:
    del options
    return [{"vector": vector.tolist()} for vector in model.embed([row[0] for row in rows], place)]


def _vector_lines(texts: Tuple[str, ...], values: Values) -> List[str]:
    shown = " ".join("{:.4f}".format(value) for value in values["vector"][:_NUMBERS_SHOWN])
    return [texts[0], "    {} numbers: {} …".format(len(values["vector"]), shown)]


def _fill_mask(model: OpenModel, rows: Rows, options: PredictOptions, place: Place) -> List[Values]:
    found = model.fill_mask([row[0] for row in rows], options.top_k, place)
    return [{"masks": [[dict(one._asdict()) for one in candidates] for candidates in masks]} for masks in found]


def _mask_lines(texts: Tuple[str, ...], values: Values) -> List[str]:
    masks = values["masks"]
    return [
        texts[0],
        *("    " + "  ".join("{token} {probability:.1%}".format(**one) for one in ones) for ones in masks),
    ]


PREDICTIONS: Dict[str, Prediction] = {
    open_model.CLASSIFY: Prediction(TEXT_OR_PAIR, _classify, _class_lines, is_tabular=True),
    open_model.SIMILARITY: Prediction(PAIR, _similarity, _similarity_lines, is_tabular=True),
    open_model.TAG: Prediction(TEXT, _tag, _tag_lines),
    open_model.ANSWER: Prediction(QUESTION, _answer, _answer_lines),
    open_model.EMBED: Prediction(TEXT, _embed, _vector_lines),
    open_model.FILL_MASK: Prediction(TEXT, _fill_mask, _mask_lines),
}
