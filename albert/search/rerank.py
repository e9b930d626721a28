"""Reranker: a pair model that orders the nearest lines by the probability that they mean the same as a question."""

from __future__ import annotations

from typing import List, NamedTuple, Sequence

import numpy as np

from albert.inference.model_files import find_model
from albert.inference.predictor import Predictor, open_predictor
from albert.search.index import Match


class Reranker(NamedTuple):
    """Pair model.

    Attributes:
      predictor: the loaded model.
      similar_id: the id of its label of similar pairs.
    """

    predictor: Predictor
    similar_id: int

    def rerank(self, text: str, matches: Sequence[Match]) -> List[Match]:
        """Returns matches with probabilities as their scores, the most probable first; of equals the nearest."""
        pairs = [(text, match.text) for match in matches]
        scores = self.predictor.predict(pairs)[:, self.similar_id]
        order = np.argsort(-scores, kind="stable").tolist()
        return [matches[place]._replace(score=float(scores[place])) for place in order]


def open_reranker(path: str) -> Reranker:
    """Opens the pair model of a fine-tuned folder or of an export.

    Raises:
      UserError: there is none, or nothing says which of its labels means similar.
    """
    predictor = open_predictor(path)
    files = find_model(path)
    return Reranker(predictor, files.similar_id() if files else 1)
