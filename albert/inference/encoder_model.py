"""Encoder and tokenizer of a checkpoint, for sentence vectors and fill-mask, which need no fine-tuned head."""

from __future__ import annotations

from typing import NamedTuple, Optional

from albert.base.errors import UserError
from albert.checkpoints.model import CheckpointModel, open_checkpoint
from tokenization import FullTokenizer, check_vocab_size


class EncoderModel(NamedTuple):
    """Checkpoint and its tokenizer."""

    model: CheckpointModel
    tokenizer: FullTokenizer


def open_encoder(
    path: str,
    *,
    config_file: Optional[str] = None,
    vocab_file: Optional[str] = None,
    spm_model_file: Optional[str] = None,
    do_lower_case: bool = True,
) -> EncoderModel:
    """Opens a checkpoint and finds its vocabulary.

    Args:
      path: see `model.open_checkpoint`.
      config_file, vocab_file, spm_model_file: where they are not beside the checkpoint.
      do_lower_case: whether text is lower-cased, where the checkpoint's folder does not say so.

    Raises:
      UserError: there is no checkpoint, or no vocabulary that fits it.
    """
    model = open_checkpoint(path, config_file, "config_file")
    if not (vocab_file or spm_model_file):
        vocab_file, spm_model_file = model.vocab_file, model.spm_model_file
    if not (vocab_file or spm_model_file):
        raise UserError(
            "no vocabulary is beside the checkpoint {}: name it with --vocab_file or --spm_model_file".format(
                model.prefix
            )
        )
    is_lower = do_lower_case if model.do_lower_case is None else model.do_lower_case
    tokenizer = FullTokenizer(vocab_file, is_lower, spm_model_file)
    check_vocab_size(tokenizer, model.config.vocab_size, model.config_file or "the checkpoint")
    return EncoderModel(model, tokenizer)
