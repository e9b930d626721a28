"""Sentence vectors of a model with a sentence-vector head, from its folder or from an export, and cosines of pairs.

    with open_vectors("albert_embedding") as model:
        model.embed(["明天北京会下雨吗"])
        model.cosines([("明天北京会下雨吗", "北京明天有雨吗")])

Only the engine "tensorflow" needs TensorFlow.
"""

from __future__ import annotations

from typing import Any, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.inference.engines import EngineOptions, open_engine
from albert.inference.model_files import ModelFiles, find_model
from albert.inference.text_batches import MAX_BATCH_TOKENS, Pair, Place
from albert.inference.text_model import BATCH_SIZE, TextModel
from albert.model.outputs import SENTENCE_VECTOR

_LEAST_NORM = 1e-12
_PAIRS_AT_ONCE = 4096  # whose vectors are multiplied


class VectorModel(TextModel):
    """Turns texts into vectors. Safe to call from several threads.

    Attributes:
      width: numbers of a vector.
    """

    @property
    def width(self) -> int:
        """Numbers of a vector."""
        return self._engine.width

    def embed(self, texts: Sequence[str], place: Place = "row {}".format) -> np.ndarray:
        """Returns the vectors of texts, float32 [n, width], in their order.

        Args:
          texts: each one sentence or more.
          place: what messages call a text, by its number from 1.

        Raises:
          UserError: a value is not a text or holds nothing that can be read.
        """
        rows = self._encoder.encode([(text, None) for text in texts], place)
        return self._answer(rows) if rows else np.zeros([0, self.width], np.float32)

    def cosines(self, pairs: Sequence[Pair], place: Place = "row {}".format) -> np.ndarray:
        """Returns the cosine of both texts' vectors for each pair, float32 [n], in their order.

        Args:
          pairs: (text_a, text_b). A text that comes again is computed once.
          place: what messages call a pair, by its number from 1.

        Raises:
          UserError: a value is not a pair of texts, or a text holds nothing that can be read.
        """
        rows, numbers = self._encoder.encode_apart(pairs, place)
        if not rows:
            return np.zeros([0], np.float32)
        vectors = self._answer(rows)
        vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), _LEAST_NORM)
        parts = [numbers[start : start + _PAIRS_AT_ONCE] for start in range(0, len(numbers), _PAIRS_AT_ONCE)]
        return np.concatenate([(vectors[part[:, 0]] * vectors[part[:, 1]]).sum(axis=1) for part in parts])


def open_vectors(path: str, **options: Any) -> VectorModel:
    """Opens the sentence vectors of a folder.

    Args:
      path: the folder that training wrote, or an export of it.
      **options: see `load_vectors`.

    Raises:
      UserError: there is no model with a sentence-vector head, or it cannot be loaded.
    """
    files = find_model(path)
    if files is None:
        raise UserError(
            "{} has no description of a model with sentence vectors: name a folder that run_embedding.py or "
            "run_distillation.py filled, or an export of one".format(path)
        )
    return load_vectors(files, **options)


def load_vectors(
    files: ModelFiles,
    options: EngineOptions = EngineOptions(),  # noqa: B008 (never changed)
    *,
    batch_size: int = BATCH_SIZE,
    max_batch_tokens: int = MAX_BATCH_TOKENS,
) -> VectorModel:
    """Loads the sentence vectors of a model.

    Args:
      files: of the model.
      options: see `EngineOptions`.
      batch_size, max_batch_tokens: see `TextModel`.

    Raises:
      UserError: the model has no sentence-vector head, or cannot be loaded.
    """
    tokenizer = files.tokenizer()
    opened = open_engine(files, SENTENCE_VECTOR, tokenizer, options)
    return VectorModel(
        opened.engine, tokenizer, opened.max_seq_length, batch_size=batch_size, max_batch_tokens=max_batch_tokens
    )
