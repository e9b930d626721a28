"""Examples of requests and responses for the description of the interface, with the labels of the served model."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Sequence

from albert.serving.model import (
    CLASSIFY,
    COSINE,
    EMBED,
    FILL_MASK,
    MRC,
    NER,
    SEARCH,
    SIMILARITY,
    TOKENS,
    ServedModel,
)

_PAIR = {"text_a": "明天会下雨吗", "text_b": "明天有雨吗"}
_CONTEXT = "远山机械由林清扬于1980年在月湾市创办，最早只生产自行车。"
_MOST_LABELS = 3  # of an example


class Example(NamedTuple):
    """Request of one row and its response."""

    body: Dict[str, Any]
    answer: Dict[str, Any]


def examples_of(model: ServedModel) -> Dict[str, Example]:
    """Makes the examples of a model, by question; their numbers are made up."""
    score = {"score": 0.912043} if model.score == COSINE else {"score": 0.912043, "is_similar": True}
    return {
        SIMILARITY: Example(_PAIR, score),
        CLASSIFY: Example(
            _PAIR if SIMILARITY not in model.refused else {"text_a": "物美价廉，推荐"}, _classified(model)
        ),
        NER: Example({"text": "林知夏住在东岭市"}, {"entities": _entities(model.types)}),
        MRC: Example(
            {"question": "远山机械是谁创办的？", "context": _CONTEXT},
            {"answers": [{"text": "林清扬", "start": 5, "end": 8, "score": 0.873105}]},
        ),
        EMBED: Example({"text": "明天会下雨吗"}, {"vector": [-0.043619, 0.071254, 0.018802]}),
        FILL_MASK: Example(
            {"text": "今天[MASK]气很好"},
            {"masks": [[{"token": "天", "probability": 0.912043}, {"token": "脾", "probability": 0.021244}]]},
        ),
        SEARCH: Example(
            {"text": "怎么换手机号码"}, {"matches": [{"line": 1824, "text": "手机号码怎么修改", "score": 0.931205}]}
        ),
        TOKENS: Example(_PAIR, _tokens(_PAIR)),
    }


def _classified(model: ServedModel) -> Dict[str, Any]:
    labels = model.labels[:_MOST_LABELS] or ("0", "1")
    if model.thresholds:
        return {"labels": [labels[0]], "probabilities": {label: 0.9 / 4**place for place, label in enumerate(labels)}}
    shares = [0.5 ** (place + 1) for place in range(len(labels))]
    probabilities = {label: round(share / sum(shares), 3) for label, share in zip(labels, shares)}
    return {"label": labels[0], "score": probabilities[labels[0]], "probabilities": probabilities}


def _entities(types: Sequence[str]) -> Any:
    kinds = list(types[:2]) or ["PER", "LOC"]
    return [
        {"start": 0, "end": 3, "type": kinds[0], "text": "林知夏", "score": 0.981276},
        {"start": 5, "end": 8, "type": kinds[-1], "text": "东岭市", "score": 0.954810},
    ]


def _tokens(pair: Dict[str, str]) -> Dict[str, Any]:
    found: Dict[str, Any] = {}
    for name in ("a", "b"):
        characters = list(pair["text_" + name])
        found.update({"tokens_" + name: characters, "pieces_" + name: characters, "kept_" + name: len(characters)})
    return found
