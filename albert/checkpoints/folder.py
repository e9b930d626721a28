"""A folder with the weights of one model and all that stands beside a checkpoint: config, vocabulary, description.

Every command takes such a folder as a model: <output_dir>/best of a run, and averages of checkpoints.
"""

from __future__ import annotations

import os
from typing import Callable

from albert.base.errors import UserError
from albert.checkpoints.description import best_folder, describe_folder
from albert.checkpoints.model import CheckpointModel, open_checkpoint
from albert.checkpoints.values import write_weights
from albert.files.complete import CompleteFile, CompleteFolder, copy_file, may_be_replaced, recover

_INFERRED_CONFIG = "albert_config.json"
_MARKER = "*.index"  # a folder with a checkpoint may be replaced


def write_best(output_dir: str, prefix: str) -> str:
    """Makes <output_dir>/best, a folder with the weights of one of the run's checkpoints, and returns its path.

    Raises:
      UserError: what stands there is none of ours, or the checkpoint is incomplete.
    """
    return write_weights_folder(
        best_folder(output_dir),
        like=prefix,
        write_weights=lambda target: write_weights(prefix, target),
    )


def write_weights_folder(folder: str, *, like: str, write_weights: Callable[[str], None]) -> str:
    """Makes a folder, or replaces it when the new one is complete, and returns its path.

    Args:
      folder: the folder.
      like: prefix of the checkpoint whose config, vocabulary, description and name the new one gets.
      write_weights: writes the weights to a prefix.

    Raises:
      UserError: the folder holds something else, or the checkpoint is incomplete.
    """
    if not may_be_replaced(recover(folder), _MARKER):
        raise UserError("{} holds something else than a model: move it away".format(folder))
    model = open_checkpoint(like)
    with CompleteFolder(folder, marker=_MARKER) as unfinished:
        _write_companions(model, unfinished)
        write_weights(os.path.join(unfinished, os.path.basename(model.prefix)))
    return folder


def _write_companions(model: CheckpointModel, folder: str) -> None:
    """Puts what stands beside a checkpoint into a folder."""
    vocabulary = model.vocab_file or model.spm_model_file
    if model.description and model.config_file and vocabulary:
        describe_folder(folder, model.description, config_path=model.config_file, vocab_path=vocabulary)
        return
    if model.config_file:
        copy_file(model.config_file, os.path.join(folder, os.path.basename(model.config_file)))
    else:
        with CompleteFile(os.path.join(folder, _INFERRED_CONFIG)) as file:
            file.write(model.config.to_json_string().encode("utf-8"))
    if vocabulary:
        copy_file(vocabulary, os.path.join(folder, os.path.basename(vocabulary)))
