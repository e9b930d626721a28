"""Sentence vectors of a fine-tuned model or a pre-training checkpoint, and nearest neighbours by cosine."""

from __future__ import annotations

import io
import logging
import os
from typing import List, NamedTuple, Optional, Sequence, Tuple

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
import numpy as np
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints.model import CheckpointModel
from albert.files.complete import CompleteFile
from albert.inference.encoder_model import EncoderModel
from albert.inference.engine_tensorflow import TensorFlowEngine
from albert.inference.graph import Build, Recipe, Tensors, encoder_of, frozen_graph, nothing_but_first_tokens
from albert.inference.text_batches import MAX_BATCH_TOKENS, PairEncoder, Place, answer_in_batches, read_texts
from albert.model.pooling import CLS, pool
from albert.text.sequences import pad_batch

_log = logging.getLogger(__name__)

_LEAST_NORM = 1e-12
_VECTORS = "vectors"  # the output of the graph, float32 [B, width]


class Neighbour(NamedTuple):
    """Line that is near a sentence.

    Attributes:
      index: its place among the lines, from 0.
      cosine: of the angle between both vectors, -1 to 1.
    """

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody calls
    cosine: float


class Embedder:
    """Turns texts into vectors. Safe to call from several threads.

    Attributes:
      width: numbers of a vector: the model's width times the number of layers.
    """

    def __init__(
        self,
        source: EncoderModel,
        *,
        layer_indexes: Sequence[int] = (-2,),
        pooling: str = "mean",
        max_seq_length: int = 128,
        batch_size: int = 128,
        graph_file: Optional[str] = None,
    ) -> None:
        """Loads the model.

        Args:
          source: see `encoder_model.open_encoder`.
          layer_indexes: layer indexes; negative ones count from the end; the vectors of several layers are joined.
          pooling: "cls" (the first token), "mean" or "max" over all tokens of the row, [CLS] and [SEP] among them.
          max_seq_length: tokens of a row; longer rows are cut.
          batch_size: rows in one pass.
          graph_file: see `graph.frozen_graph`.

        Raises:
          UserError: the model has no such layer, or cannot be loaded.
        """
        model = source.model
        layers = _checked_layers(layer_indexes, model)
        recipe = Recipe(model, _build(layers, pooling), {"layers": layers, "pooling": pooling})
        self._engine = TensorFlowEngine(frozen_graph(recipe, graph_file), _VECTORS)
        self.max_seq_length = min(max_seq_length, model.config.max_position_embeddings)
        self._encoder = PairEncoder(source.tokenizer, self.max_seq_length)
        self._pad_id = source.tokenizer.pad_id
        self._batch_size = batch_size
        self.width = model.config.hidden_size * len(layers)

    def embed(self, texts: Sequence[str], place: Place = "row {}".format) -> np.ndarray:
        """Returns the vectors of texts, float32 [n, width], in their order.

        Args:
          texts: each one sentence or more.
          place: what messages call a text, by its number from 1.

        Raises:
          UserError: a value is not a text or holds nothing that can be read.
        """
        rows = self._encoder.encode([(text, None) for text in texts], place)
        if not rows:
            return np.zeros([0, self.width], np.float32)
        return answer_in_batches(
            [len(row.input_ids) for row in rows],
            lambda batch: self._engine.answer(pad_batch([rows[row] for row in batch], self._pad_id)),
            max_rows=self._batch_size,
            max_tokens=MAX_BATCH_TOKENS,
        )

    def close(self) -> None:
        """Frees the model."""
        self._engine.close()


def _checked_layers(layer_indexes: Sequence[int], model: CheckpointModel) -> List[int]:
    count = model.config.num_hidden_layers * getattr(model.config, "inner_group_num", 1)
    wrong = [index for index in layer_indexes if not -count <= index < count]
    if wrong or not layer_indexes:
        raise UserError(
            "the model {} has {} layers: layer indexes are 0 to {} or -1 to -{}, not {}".format(
                model.prefix, count, count - 1, count, wrong[0] if wrong else "none"
            )
        )
    return [index % count for index in layer_indexes]


def _build(layers: Sequence[int], pooling: str) -> Build:
    def build(model: CheckpointModel, inputs: Tensors) -> Tensors:
        kept_positions = nothing_but_first_tokens(inputs) if pooling == CLS else None
        encoder = encoder_of(model, inputs, kept_positions)
        outputs = encoder.get_all_encoder_layers()
        vectors = tf.concat([pool(outputs[layer], inputs["input_mask"], pooling) for layer in layers], axis=-1)
        return {_VECTORS: tf.identity(vectors, _VECTORS)}

    return build


def nearest_vectors(vector: np.ndarray, vectors: np.ndarray, k: int) -> List[Neighbour]:
    """Finds the k vectors whose angle with a vector is smallest, the nearest first; of equals the first.

    Args:
      vector: [width].
      vectors: [n, width].
      k: the number of vectors; all where there are fewer.
    """
    norms = np.linalg.norm(vectors, axis=1) * np.linalg.norm(vector)
    cosines = vectors.dot(vector) / np.maximum(norms, _LEAST_NORM)
    return [Neighbour(index, float(cosines[index])) for index in np.argsort(-cosines, kind="stable")[:k].tolist()]


def write_vectors(path: str, vectors: np.ndarray, lines: Sequence[str]) -> None:
    """Writes vectors as .npy and their lines beside them, each complete or absent."""
    content = io.BytesIO()
    np.save(content, vectors)
    with CompleteFile(_lines_path(path)) as file:
        file.write("".join(line + "\n" for line in lines).encode("utf-8"))
    with CompleteFile(path) as file:
        file.write(content.getvalue())


def read_vectors(path: str) -> Tuple[np.ndarray, List[str]]:
    """Reads vectors and lines that `write_vectors` wrote.

    Raises:
      UserError: a file is missing, or the two do not belong together.
    """
    try:
        # Mapped first: that compares the shape in the header with the size of the file before memory is taken for it.
        mapped = np.load(path, mmap_mode="r", allow_pickle=False)
        if not isinstance(mapped, np.ndarray) or mapped.dtype.kind != "f":
            raise ValueError("it holds no array of numbers with a fraction")
        vectors = np.array(mapped)
    except Exception as error:  # a damaged header raises nearly anything, and what differs between versions of NumPy
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise UserError("cannot read the vectors {}: {}".format(path, reason)) from error
    lines = read_texts(_lines_path(path))
    if vectors.ndim != 2 or len(vectors) != len(lines):
        raise UserError(
            "{} of shape {} does not go with the {} lines of {}: write both again".format(
                path, vectors.shape, len(lines), _lines_path(path)
            )
        )
    return vectors, lines


def _lines_path(path: str) -> str:
    return os.path.splitext(path)[0] + ".txt"
