"""A folder with the weights of one model and all that stands beside a checkpoint: config, vocabulary, description.

Every command takes such a folder as a model: <output_dir>/best of a run, and averages of checkpoints.
"""

from __future__ import annotations

import glob
import os
import shutil
from typing import Callable

from albert.base.errors import UserError
from albert.checkpoints.description import BEST_FOLDER, describe_folder
from albert.checkpoints.model import CheckpointModel, open_checkpoint
from albert.checkpoints.values import write_weights
from albert.files.complete import CompleteFile, copy_file

_INFERRED_CONFIG = "albert_config.json"
_REPLACED = ".replaced"
_UNFINISHED = ".unfinished"


def write_best(output_dir: str, prefix: str) -> str:
    """Makes <output_dir>/best, a folder with the weights of one of the run's checkpoints, and returns its path.

    Raises:
      UserError: what stands there is none of ours, or the checkpoint is incomplete.
    """
    return write_weights_folder(
        os.path.join(output_dir, BEST_FOLDER),
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
    if os.path.isdir(folder) and os.listdir(folder) and not _is_ours(folder):
        raise UserError("{} holds something else than a model: move it away".format(folder))
    model = open_checkpoint(like)
    unfinished = folder + _UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    os.makedirs(unfinished)
    _write_companions(model, unfinished)
    write_weights(os.path.join(unfinished, os.path.basename(model.prefix)))
    _replace(folder, unfinished)
    return folder


def _is_ours(folder: str) -> bool:
    return bool(glob.glob(os.path.join(glob.escape(folder), "*.index")))


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


def _replace(folder: str, unfinished: str) -> None:
    """Puts a finished folder in the place of an older one, of which the weights are whole until the new ones are."""
    replaced = folder + _REPLACED
    shutil.rmtree(replaced, ignore_errors=True)
    if os.path.isdir(folder):
        os.rename(folder, replaced)
    os.rename(unfinished, folder)
    shutil.rmtree(replaced, ignore_errors=True)
