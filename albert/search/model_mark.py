"""Mark of the model that made the vectors of an index: another mark means other vectors."""

from __future__ import annotations

import hashlib
import json

from albert.files.reading import describe_files
from albert.inference.encoder_model import EncoderModel


def mark_of(source: EncoderModel) -> str:
    """Returns a hash of all that a model's sentence vectors depend on: weights, config, pooling, longest
    row and vocabulary.

    The index of a checkpoint holds the checksum of every weight, so a copy has the same mark wherever it stands.

    Raises:
      UserError: the checkpoint cannot be read.
    """
    model, tokenizer = source.model, source.tokenizer
    made_from = [
        describe_files([model.prefix + ".index"])[0]["sha256"],
        model.family.name,
        model.config.to_dict(),
        model.vector_size,
        model.pooling,
        model.description.max_seq_length if model.description else None,
        tokenizer.vocab_hash,
        tokenizer.basic_tokenizer.do_lower_case,
    ]
    return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode("utf-8")).hexdigest()
