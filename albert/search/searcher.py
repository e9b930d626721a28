"""Searcher: an index and the model that made it, which answer questions with the nearest lines."""

from __future__ import annotations

import os
from typing import Any, Dict, List, Optional, Sequence

from albert.base.errors import UserError
from albert.inference.encoder_model import EncoderModel, open_encoder
from albert.inference.text_batches import Place
from albert.search.description import IndexModel, remedy
from albert.search.index import Match, SearchIndex
from albert.search.model_mark import mark_of
from albert.search.unit_vectors import unit_vectors


class Searcher:
    """Answers questions with the nearest lines of an index. Safe to call from several threads.

    Attributes:
      index: the index.
    """

    def __init__(self, index: SearchIndex, embedder: Any) -> None:
        """Puts an index and the `Embedder` of its model together."""
        self.index = index
        self._embedder = embedder

    def search(self, texts: Sequence[str], top_k: int, place: Place = "row {}".format) -> List[List[Match]]:
        """Finds the lines nearest to each text, the nearest first; all where there are fewer.

        Args:
          texts: the questions.
          top_k: the number of lines.
          place: what messages call a text, by its number from 1.

        Raises:
          UserError: a text holds nothing that can be read, or the vectors of the index are damaged.
        """
        if not texts:
            return []
        return self.index.nearest(unit_vectors(self._embedder, texts, place), top_k)

    def close(self) -> None:
        """Frees the model."""
        self._embedder.close()


def open_searcher(folder: str, arguments: Optional[Dict[str, Any]] = None, *, batch_size: int = 32) -> Searcher:
    """Opens an index and its model.

    Args:
      folder: the index.
      arguments: of `encoder_model.open_encoder`; None for those that the index names.
      batch_size: rows in one pass.

    Raises:
      UserError: the index or its model cannot be used, or the model is another one; says what to do.
    """
    index = SearchIndex(folder)
    found = index.description
    try:
        source = open_encoder(**(arguments or _arguments_of(found.model)))
        if mark_of(source) != found.model.mark:
            raise UserError("{} is another model, whose vectors do not compare".format(source.model.prefix))
    except UserError as error:
        raise UserError(
            "the index {} cannot be searched with the model that built it: {}; {}, or name that model to search.py "
            "with --checkpoint".format(folder, error, remedy(found, folder))
        ) from error
    return Searcher(index, embedder_of(source, batch_size))


def _arguments_of(model: IndexModel) -> Dict[str, Any]:
    """The arguments that open the model; where it is not in its place any more, by its path as it was given."""
    path = model.arguments["path"]
    is_there = os.path.exists(path) or os.path.exists(path + ".index")
    return dict(model.arguments, path=path if is_there else model.checkpoint)


def embedder_of(source: EncoderModel, batch_size: int) -> Any:
    """Loads the `Embedder` that makes the vectors of lines and of questions."""
    from albert.inference.embeddings import Embedder

    return Embedder(source, batch_size=batch_size)
