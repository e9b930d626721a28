"""Mark of the model that made the vectors of an index: another mark means other vectors."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any, Dict, Optional

from albert.base.errors import UserError
from albert.checkpoints.description import read_description
from albert.files.reading import describe_files
from albert.inference.model_files import ModelFiles
from albert.model.pooling import MEAN
from tokenization import FullTokenizer

if TYPE_CHECKING:
    from albert.inference.encoder_model import EncoderModel


def mark_of(source: EncoderModel) -> str:
    """Returns a hash of all that a model's sentence vectors depend on: weights, config, pooling, longest
    row and vocabulary.

    The index of a checkpoint holds the checksum of every weight, so a copy has the same mark wherever it stands.

    Raises:
      UserError: the checkpoint cannot be read.
    """
    model = source.model
    return _mark(
        model.prefix,
        model.family.name,
        model.config.to_dict(),
        model.vector_size,
        model.pooling,
        model.description.max_seq_length if model.description else None,
        source.tokenizer,
    )


def mark_of_files(files: ModelFiles, light: ModelFiles) -> str:
    """Returns the mark of a model folder with sentence vectors, without TensorFlow.

    Args:
      files: of the folder.
      light: of its light export.

    Raises:
      UserError: a file cannot be read.
    """
    found = read_description(os.path.dirname(files.description_file or ""))
    if found is None:
        raise UserError("the folder of {} has lost its description".format(files.checkpoint))
    config, tokenizer = light.model_config or {}, files.tokenizer()
    prefix, length = files.checkpoint, found.max_seq_length
    return _mark(prefix, found.family, config, light.vector_size, found.pooling or MEAN, length, tokenizer)


def _mark(
    prefix: str,
    family: str,
    config: Dict[str, Any],
    vector_size: Optional[int],
    pooling: str,
    max_seq_length: Optional[int],
    tokenizer: FullTokenizer,
) -> str:
    made_from = [
        describe_files([prefix + ".index"])[0]["sha256"],
        family,
        config,
        vector_size,
        pooling,
        max_seq_length,
        tokenizer.vocab_hash,
        tokenizer.basic_tokenizer.do_lower_case,
    ]
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode("utf-8")).hexdigest()
