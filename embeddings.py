"""Sentence vectors of a checkpoint of either family or of an export, and the nearest lines by cosine.

    python embeddings.py --checkpoint=albert_tiny_zh --input_file=lines.txt --output_file=vectors.npy
    python embeddings.py --checkpoint=albert_tiny_zh --vectors=vectors.npy --sentence=明天会下雨吗 --top_k=5

The first writes vectors.npy, float32 [lines, width], and the lines beside it in vectors.txt. --vectors may be left out
of the second, with --input_file in its place. Vectors are those of the model's own sentence-vector head, where it has
one; else, or with --layer_indexes or --pooling, the outputs of layers, pooled over the tokens.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, List, Optional, Sequence

import numpy as np

import args
from albert.base.errors import UserError
from albert.base.flags import Flags, UsageError, run_command
from albert.base.late_imports import find_late
from albert.base.paths import STARTER_MODEL
from albert.base.terminal import say
from albert.inference.engines import lightest
from albert.inference.flags import declare_encoder_flags, encoder_arguments
from albert.inference.model_files import find_model, is_export
from albert.inference.similarity_command import found_line
from albert.inference.text_batches import place_in, read_text_column
from albert.inference.vector_model import VectorModel, load_vectors, open_vectors
from albert.inference.vector_table import Neighbour, nearest_vectors, read_vectors, write_vectors
from albert.model.outputs import SENTENCE_VECTOR
from albert.model.pooling import POOLINGS

if TYPE_CHECKING:
    from albert.inference.embeddings import Embedder
    from albert.inference.encoder_model import EncoderModel

__all__ = ["Embedder", "Neighbour", "nearest_vectors", "read_vectors", "write_vectors"]

_log = logging.getLogger(__name__)

# Flags that say what an export says itself.
_OF_CHECKPOINTS = (
    "layer_indexes", "pooling", "max_seq_length", "config_file", "vocab_file", "spm_model_file", "do_lower_case",
)  # fmt: skip


def __getattr__(name: str) -> Any:
    """Finds the class that programs import from here and that needs TensorFlow."""
    return find_late(name, __name__, {"Embedder": "albert.inference.embeddings"})


def declare_flags() -> Flags:
    """Declares the flags of the command."""
    flags = Flags()
    declare_encoder_flags(flags)
    flags.string(
        "layer_indexes",
        None,
        "layer indexes, joined by commas; negative ones count from the end (default: the model's own sentence vectors "
        "where it has that head, else args.layer_indexes)",
    )
    flags.choice(
        "pooling",
        None,
        POOLINGS,
        "how the tokens of a row become one vector, where layers are taken (default: mean)",
    )
    flags.integer(
        "max_seq_length",
        None,
        "tokens of a row; longer rows are cut (default: what the sentence vectors were trained with, else "
        "args.max_seq_len)",
        minimum=3,
    )
    flags.group("Data")
    flags.location("input_file", None, "a sentence in each line, or a table in which the header names its column")
    flags.string("column", None, "the column of the sentence in --input_file: its name or its number from 1")
    flags.location("output_file", None, "the .npy file to write")
    flags.location("vectors", None, "a file that --output_file wrote, in place of --input_file")
    flags.string("sentence", None, "the sentence whose neighbours are wanted")
    flags.integer("top_k", 5, "number of neighbours", minimum=1)
    return flags


def main(flags: Flags) -> None:
    """Writes vectors, or names neighbours, or both."""
    flags.set_default("checkpoint", STARTER_MODEL)
    if bool(flags.input_file) == bool(flags.vectors) or not (flags.output_file or flags.sentence):
        raise UsageError(
            "give --input_file or --vectors, and --sentence or (with --input_file) --output_file (--help lists all)"
        )
    if flags.column is not None and not flags.input_file:
        raise UsageError("--column names a column of --input_file: give it")
    if flags.vectors and flags.output_file:
        raise UsageError("--output_file goes with --input_file: --vectors is written already")
    if flags.output_file and not flags.output_file.endswith(".npy"):
        raise UsageError("--output_file must end in .npy")
    embedder = _open_export(flags) if is_export(flags.checkpoint) else _open_checkpoint(flags)
    first_line = 1
    if flags.vectors:
        vectors, lines = read_vectors(flags.vectors)
    else:
        lines, first_line = read_text_column(flags.input_file, flags.column)
        vectors = embedder.embed(lines, place_in(flags.input_file, first_line - 1))
    if flags.output_file:
        write_vectors(flags.output_file, vectors, lines)
        _log.info("%s holds %s vectors of %s numbers.", flags.output_file, *map("{:,}".format, vectors.shape))
    if flags.sentence:
        _say_neighbours(embedder, flags, vectors, lines, first_line)


def _open_export(flags: Flags) -> VectorModel:
    for name in _OF_CHECKPOINTS:
        if flags.was_given(name):
            raise UsageError("--{} means nothing to an export: {} says it".format(name, flags.checkpoint))
    return open_vectors(flags.checkpoint, batch_size=flags.batch_size)


def _open_checkpoint(flags: Flags) -> VectorModel:
    return _open_light(flags) or _open_layers(flags)


def _open_light(flags: Flags) -> Optional[VectorModel]:
    """The model's own sentence vectors from its light export; None where there is none, or other vectors are wanted."""
    if any(flags.was_given(name) for name in _OF_CHECKPOINTS):
        return None
    files = find_model(flags.checkpoint)
    if files is None or files.head != SENTENCE_VECTOR:
        return None
    files = lightest(files)
    return load_vectors(files, batch_size=flags.batch_size) if files.export_format else None


def _open_layers(flags: Flags) -> Embedder:
    from albert.inference.embeddings import Embedder
    from albert.inference.encoder_model import open_encoder

    source = open_encoder(**encoder_arguments(flags))
    layers, max_seq_length = _layers_of(flags, source), flags.max_seq_length
    embedder = Embedder(
        source,
        layer_indexes=layers,
        pooling=flags.pooling,
        max_seq_length=args.max_seq_len if layers and max_seq_length is None else max_seq_length,
        batch_size=flags.batch_size,
    )
    _log.info("A vector is %s.", embedder.definition)
    return embedder


def _layers_of(flags: Flags, source: EncoderModel) -> Optional[List[int]]:
    """The layers to pool; None for the model's own sentence vectors."""
    if flags.layer_indexes is not None:
        return _parsed_layers(flags.layer_indexes)
    is_own = flags.pooling is None and source.model.lack_of(SENTENCE_VECTOR) is None
    return None if is_own else list(args.layer_indexes)


def _parsed_layers(text: str) -> List[int]:
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError("--layer_indexes={} is not a list of whole numbers: write -2 or -1,-2".format(text)) from error


def _say_neighbours(
    embedder: VectorModel, flags: Flags, vectors: np.ndarray, lines: Sequence[str], first_line: int
) -> None:
    if vectors.shape[1] != embedder.width:
        raise UserError(
            "{} has vectors of {} numbers, the model with these layers makes {}: give the flags that wrote it".format(
                flags.vectors, vectors.shape[1], embedder.width
            )
        )
    vector = embedder.embed([flags.sentence], lambda number: "--sentence")[0]
    neighbours = nearest_vectors(vector, vectors, flags.top_k)
    say([found_line("{:6.4f}".format(cosine), index + first_line, lines[index]) for index, cosine in neighbours])


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
