"""Searcher: an index and the model that made it, which answer questions with the nearest lines."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.inference.engines import lightest
from albert.inference.model_files import ModelFiles, find_model
from albert.inference.text_batches import Place
from albert.inference.vector_model import load_vectors
from albert.model.outputs import SENTENCE_VECTOR
from albert.search.description import IndexModel, remedy
from albert.search.index import Match, SearchIndex
from albert.search.model_mark import mark_of, mark_of_files
from albert.search.unit_vectors import unit_vectors

if TYPE_CHECKING:
    from albert.inference.encoder_model import EncoderModel

_FILE_ARGUMENTS = ("config_file", "vocab_file", "spm_model_file")  # which only TensorFlow's engine is given


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


class VectorSource(NamedTuple):
    """Model of an index.

    Attributes:
      embedder: makes the vectors of lines and of questions.
      mark: see model_mark.
    """

    embedder: Any
    mark: str


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
        source = open_source(arguments or _arguments_of(found.model), batch_size, found.model.mark)
    except UserError as error:
        raise UserError(
            "the index {} cannot be searched with the model that built it: {}; {}, or name that model to search.py "
            "with --checkpoint".format(folder, error, remedy(found, folder))
        ) from error
    return Searcher(index, source.embedder)


def open_source(arguments: Dict[str, Any], batch_size: int, mark: Optional[str] = None) -> VectorSource:
    """Opens the model of an index: behind a light engine where it has sentence vectors of its own.

    Args:
      arguments: of `encoder_model.open_encoder`.
      batch_size: rows in one pass.
      mark: the mark that the model must have; None for any.

    Raises:
      UserError: the model cannot be opened, or has another mark.
    """
    light = _light_files(arguments)
    if light:
        found = mark_of_files(*light)
        _check_mark(found, mark, light[0].checkpoint)
        return VectorSource(load_vectors(light[1], batch_size=batch_size), found)
    from albert.inference.encoder_model import open_encoder

    source = open_encoder(**arguments)
    found = mark_of(source)
    _check_mark(found, mark, source.model.prefix)
    return VectorSource(embedder_of(source, batch_size), found)


def _light_files(arguments: Dict[str, Any]) -> Optional[Tuple[ModelFiles, ModelFiles]]:
    """The files of a model folder and of its light export; None where TensorFlow must open the model."""
    named = [name for name in _FILE_ARGUMENTS if arguments.get(name)]
    files = None if named or not os.path.isdir(arguments["path"]) else find_model(arguments["path"])
    if files is None or files.export_format or files.head != SENTENCE_VECTOR:
        return None
    opened = lightest(files)
    return (files, opened) if opened.export_format else None


def _check_mark(found: str, mark: Optional[str], name: str) -> None:
    if mark not in (None, found):
        raise UserError("{} is another model, whose vectors do not compare".format(name))


def _arguments_of(model: IndexModel) -> Dict[str, Any]:
    """The arguments that open the model; where it is not in its place any more, by its path as it was given."""
    path = model.arguments["path"]
    is_there = os.path.exists(path) or os.path.exists(path + ".index")
    return dict(model.arguments, path=path if is_there else model.checkpoint)


def embedder_of(source: EncoderModel, batch_size: int) -> Any:
    """Loads the `Embedder` that makes the vectors of lines and of questions."""
    from albert.inference.embeddings import Embedder

    return Embedder(source, batch_size=batch_size)
