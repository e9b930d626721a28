"""Folder of one model: weights, and their companions config, vocabulary and description.

Every command takes such a folder as a model: <output_dir>/best of a run, and averages of checkpoints.
"""

from __future__ import annotations

import os
from typing import Callable, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.checkpoints.card import run_card, write_card
from albert.checkpoints.description import ModelFolder, best_folder, write_description
from albert.checkpoints.model import CheckpointModel, open_checkpoint
from albert.checkpoints.tokenizer_file import write_do_lower_case
from albert.checkpoints.values import write_weights
from albert.files.complete import CompleteFile, CompleteFolder, copy_file, may_be_replaced, recover
from albert.model.config import ModelConfig

CONFIG_NAME = "albert_config.json"  # of a configuration that has no file yet
_MARKER = "*.index"  # a folder with a checkpoint may be replaced


class Companions(NamedTuple):
    """Companions of the weights in a model's folder, with which every command takes the folder as a model.

    Attributes:
      config: the model's configuration; None where the format of the weights holds it.
      config_name: the name of its file.
      vocab_file: the vocabulary or sentencepiece model, which is copied; None where none is known.
      vocab_name: the name of the copy; None for the name that it has.
      description: of a fine-tuned model. It names both files, whatever the two names above are.
      do_lower_case: whether text is lower-cased, for a model without a description; None where nothing says it.
    """

    config: Optional[ModelConfig] = None
    config_name: str = CONFIG_NAME
    vocab_file: Optional[str] = None
    vocab_name: Optional[str] = None
    description: Optional[ModelFolder] = None
    do_lower_case: Optional[bool] = None


def write_best(
    output_dir: str,
    prefix: str,
    figures: Sequence[Tuple[str, str]] = (),
    description: Optional[ModelFolder] = None,
) -> str:
    """Writes <output_dir>/best, a folder with the weights of one of the run's checkpoints, and returns its path.

    Args:
      output_dir: of the run.
      prefix: of the checkpoint.
      figures: names and values of its evaluation, for the model card.
      description: of this checkpoint; None for that of the run's folder.

    Raises:
      UserError: the folder holds something else than a model, or the checkpoint is incomplete.
    """
    return write_weights_folder(
        best_folder(output_dir),
        like=prefix,
        write_weights=lambda target: write_weights(prefix, target),
        card=lambda model: run_card(output_dir, model, figures),
        description=description,
    )


def write_weights_folder(
    folder: str,
    *,
    like: str,
    write_weights: Callable[[str], None],
    card: Optional[Callable[[CheckpointModel], str]] = None,
    description: Optional[ModelFolder] = None,
) -> str:
    """Writes a folder, or replaces it when the new one is complete, and returns its path.

    Args:
      folder: the folder.
      like: prefix of the checkpoint that gives its companions and its name to the new folder.
      write_weights: writes the weights to a prefix.
      card: makes the text of the model card; None for none.
      description: of the new folder's model; None for that in the folder of `like`.

    Raises:
      UserError: the folder holds something else, or the checkpoint is incomplete.
    """
    if not may_be_replaced(recover(folder), _MARKER):
        raise UserError("{} holds something else than a model: move it away".format(folder))
    model = open_checkpoint(like)
    with CompleteFolder(folder, marker=_MARKER) as unfinished:
        companions = companions_of(model)
        write_companions(unfinished, companions._replace(description=description or companions.description))
        if card:
            write_card(unfinished, card(model))
        write_weights(os.path.join(unfinished, os.path.basename(model.prefix)))
    return folder


def companions_of(model: CheckpointModel) -> Companions:
    """Finds the companions that a checkpoint has in its own folder."""
    return Companions(
        config=model.config,
        config_name=os.path.basename(model.config_file or CONFIG_NAME),
        vocab_file=model.vocab_file or model.spm_model_file,
        description=model.description,
        do_lower_case=model.do_lower_case,
    )


def write_companions(folder: str, companions: Companions) -> None:
    """Writes configuration, vocabulary and, last of all, description into a folder; each file is whole or absent.

    Raises:
      UserError: the vocabulary cannot be read, or the folder cannot be written.
    """
    config, config_name, vocab_file, vocab_name, description, do_lower_case = companions
    if description:
        config_name, vocab_name = description.config_file, description.vocab_file
    if config:
        with CompleteFile(os.path.join(folder, config_name)) as file:
            file.write(config.to_json_string().encode("utf-8"))
    if vocab_file:
        _copy(vocab_file, os.path.join(folder, vocab_name or os.path.basename(vocab_file)))
    if description:
        write_description(folder, description)
    elif do_lower_case is not None:
        write_do_lower_case(folder, do_lower_case)


def _copy(source: str, target: str) -> None:
    try:
        copy_file(source, target)
    except OSError as error:
        raise UserError("cannot copy {}: {}".format(source, error.strerror)) from error
