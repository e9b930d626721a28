"""Definition of a model's sentence vectors in words and in values, for descriptions, exports and model cards.

A sentence vector is the pooled last layer through a linear map, divided by its length; defined in
docs/en/models.md, "What a sentence vector is".
"""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from albert.base.sentences import Sentence
from albert.checkpoints.model import CheckpointModel
from albert.model.pooling import CLS, MAX, MEAN

NORM = "l2"
_POOLED = {
    CLS: "the first token of the last layer",
    MEAN: "the mean of the last layer over all tokens",
    MAX: "the largest values of the last layer over all tokens",
}


def vector_rows(model: CheckpointModel) -> List[Tuple[str, str]]:
    """Names and values of the parts of a sentence vector, in the order in which they are computed."""
    return [
        ("pooling", "{}: {}".format(model.pooling, _POOLED[model.pooling])),
        ("map", _map_words(model)),
        ("norm", "{}: each vector is divided by its length, so that a product of two is their cosine".format(NORM)),
    ]


def describe_vectors(model: CheckpointModel) -> str:
    """Describes a sentence vector in a line."""
    return Sentence("{}, {}, divided by its length", Sentence(_POOLED[model.pooling]), _map_words(model))


def _map_words(model: CheckpointModel) -> str:
    return Sentence("a linear map of {} to {} numbers", model.config.hidden_size, model.vector_size)


def vector_values(model: CheckpointModel) -> Dict[str, Any]:
    """Values of a sentence vector for the description of an export: pooling, map and norm."""
    sizes = {"inputs": model.config.hidden_size, "outputs": model.vector_size}
    return {"pooling": model.pooling, "map": sizes, "norm": NORM}
