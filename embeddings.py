"""Vectors of sentences, of a fine-tuned model or of a pre-training checkpoint of either family; the nearest by cosine.

    python embeddings.py --checkpoint=albert_tiny_zh --input_file=lines.txt --output_file=vectors.npy
    python embeddings.py --checkpoint=albert_tiny_zh --vectors=vectors.npy --sentence=明天会下雨吗 --top_k=5

The first writes vectors.npy, float32 [lines, width], and the lines beside it in vectors.txt. --vectors may be left out
of the second, with --input_file in its place.
"""

from __future__ import annotations

import io
import logging
import os
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import quiet_tensorflow  # noqa: F401

# isort: split
import numpy as np
import tensorflow.compat.v1 as tf

import args
import command_line
import encoder_model
from checkpoint_model import CheckpointModel
from classification_features import pad_batch
from command_line import Flags, UsageError, say
from encoder_model import EncoderModel
from engine_tensorflow import TensorFlowEngine
from errors import UserError
from families import build_encoder
from frozen_graph import Recipe, frozen
from record_files import CompleteFile
from text_batches import MAX_BATCH_TOKENS, PairEncoder, Place, answer_in_batches, place_in, read_texts

_log = logging.getLogger(__name__)

_FAR_BELOW = -1e30  # what padding counts as where the largest value is looked for
_LEAST_NORM = 1e-12


class Neighbour(NamedTuple):
    """A line near a sentence.

    Attributes:
      index: its place among the lines, from 0.
      cosine: of the angle between both vectors, -1 to 1.
    """

    index: int
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
        layer_indexes: Sequence[int] = tuple(args.layer_indexes),
        pooling: str = "mean",
        max_seq_length: int = args.max_seq_len,
        batch_size: int = args.batch_size,
        graph_file: Optional[str] = None,
    ) -> None:
        """Loads the model.

        Args:
          source: see `encoder_model.open_encoder`.
          layer_indexes: layers counted from 0 or, if negative, from the last; the vectors of several are joined.
          pooling: "cls" (the first token), "mean" or "max" over all tokens of the row, [CLS] and [SEP] among them.
          max_seq_length: tokens of a row; what is longer is cut.
          batch_size: rows in one pass.
          graph_file: see `frozen_graph.frozen`.

        Raises:
          UserError: the model has no such layer, or cannot be loaded.
        """
        model = source.model
        layers = _checked_layers(layer_indexes, model)
        recipe = Recipe(model, _build(layers, pooling), {"layers": layers, "pooling": pooling})
        self._engine = TensorFlowEngine(frozen(recipe, graph_file))
        self.max_seq_length = min(max_seq_length, model.config.max_position_embeddings)
        self._encoder = PairEncoder(source.tokenizer, self.max_seq_length)
        self._pad_id = source.tokenizer.pad_id
        self._batch_size = batch_size
        self.width = model.config.hidden_size * len(layers)

    def embed(self, texts: Sequence[str], place: Place = "row {}".format) -> np.ndarray:
        """The vectors of texts, float32 [n, width], in their order.

        Args:
          texts: each one sentence or more.
          place: what messages call a text, by its number from 1.

        Raises:
          UserError: one is no text or holds nothing that can be read.
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


def _build(layers: Sequence[int], pooling: str) -> Any:
    def build(model: CheckpointModel, inputs: Dict[str, Any]) -> Any:
        outputs = build_encoder(model.family, model.config, inputs, is_training=False).get_all_encoder_layers()
        mask = tf.expand_dims(tf.cast(inputs["input_mask"], tf.float32), -1)  # [B, S, 1]
        return tf.concat([_POOLINGS[pooling](outputs[layer], mask) for layer in layers], axis=-1)

    return build


# [B, S, H] outputs of a layer and a [B, S, 1] mask -> [B, H].
_POOLINGS = {
    "cls": lambda x, mask: x[:, 0],
    "mean": lambda x, mask: tf.reduce_sum(x * mask, axis=1) / tf.reduce_sum(mask, axis=1),
    "max": lambda x, mask: tf.reduce_max(x + (1.0 - mask) * _FAR_BELOW, axis=1),
}
POOLINGS = tuple(_POOLINGS)


def nearest(vector: np.ndarray, vectors: np.ndarray, k: int) -> List[Neighbour]:
    """The k vectors whose angle with a vector is smallest, the nearest first; of equals the first.

    Args:
      vector: [width].
      vectors: [n, width].
      k: how many; all where there are fewer.
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
    """What `write_vectors` wrote.

    Raises:
      UserError: a file is missing, or they are not of one set.
    """
    try:
        vectors = np.load(path, allow_pickle=False)
    except (OSError, ValueError) as error:
        raise UserError("cannot read the vectors {}: {}".format(path, error)) from error
    lines = read_texts(_lines_path(path))
    if vectors.ndim != 2 or len(vectors) != len(lines):
        raise UserError(
            "{} of shape {} does not go with the {} lines of {}: write both anew".format(
                path, vectors.shape, len(lines), _lines_path(path)
            )
        )
    return vectors, lines


def _lines_path(path: str) -> str:
    return os.path.splitext(path)[0] + ".txt"


def declare_flags() -> Flags:
    """The flags of the command."""
    flags = Flags()
    encoder_model.declare_flags(flags)
    flags.string("layer_indexes", ",".join(map(str, args.layer_indexes)), "layers, from 0 or, if negative, the last")
    flags.choice("pooling", "mean", POOLINGS, "what makes one vector of a row's tokens")
    flags.integer("max_seq_length", args.max_seq_len, "tokens of a row; what is longer is cut", minimum=3)
    flags.string("input_file", None, "a sentence in each line")
    flags.string("output_file", None, "the .npy file to write")
    flags.string("vectors", None, "a file that --output_file wrote, in place of --input_file")
    flags.string("sentence", None, "the sentence whose neighbours are looked for")
    flags.integer("top_k", 5, "so many neighbours", minimum=1)
    return flags


def main(flags: Flags) -> None:
    """Writes vectors, or names neighbours, or both."""
    flags.require("checkpoint")
    if bool(flags.input_file) == bool(flags.vectors) or not (flags.output_file or flags.sentence):
        raise UsageError(
            "give --input_file or --vectors, and --sentence or (with --input_file) --output_file (--help lists all)"
        )
    if flags.vectors and flags.output_file:
        raise UsageError("--output_file goes with --input_file: --vectors is written already")
    if flags.output_file and not flags.output_file.endswith(".npy"):
        raise UsageError("--output_file must end in .npy")
    embedder = Embedder(
        encoder_model.open_named(flags),
        layer_indexes=_parsed_layers(flags.layer_indexes),
        pooling=flags.pooling,
        max_seq_length=flags.max_seq_length,
        batch_size=flags.batch_size,
    )
    vectors, lines = read_vectors(flags.vectors) if flags.vectors else _embed_file(embedder, flags.input_file)
    if flags.output_file:
        write_vectors(flags.output_file, vectors, lines)
        _log.info("%s holds %s vectors of %s numbers.", flags.output_file, *map("{:,}".format, vectors.shape))
    if flags.sentence:
        _say_neighbours(embedder, flags, vectors, lines)


def _parsed_layers(text: str) -> List[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError("--layer_indexes={} is no list of whole numbers such as -2 or -1,-2".format(text)) from error


def _embed_file(embedder: Embedder, path: str) -> Tuple[np.ndarray, List[str]]:
    lines = read_texts(path)
    return embedder.embed(lines, place_in(path)), lines


def _say_neighbours(embedder: Embedder, flags: Flags, vectors: np.ndarray, lines: Sequence[str]) -> None:
    if vectors.shape[1] != embedder.width:
        raise UserError(
            "{} has vectors of {} numbers, the model with these layers makes {}: give the flags that wrote it".format(
                flags.vectors, vectors.shape[1], embedder.width
            )
        )
    vector = embedder.embed([flags.sentence], lambda number: "--sentence")[0]
    neighbours = nearest(vector, vectors, flags.top_k)
    say(["{:6.4f} | line {} | {}".format(cosine, index + 1, lines[index]) for index, cosine in neighbours])


if __name__ == "__main__":
    command_line.run(__doc__, declare_flags(), main)
