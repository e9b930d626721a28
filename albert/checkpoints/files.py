"""Files of a checkpoint: finds them by a folder or a name, and checks that they are complete."""

from __future__ import annotations

import fnmatch
import glob
import os
import re
from typing import List, Optional, Sequence

from albert.base.errors import UserError
from albert.checkpoints.state_file import named_checkpoint
from albert.downloads.published_files import download_advice
from albert.files.complete import recover
from albert.files.json_reading import read_description

_INDEX = ".index"
_DATA = re.compile(r"\.data-\d{5}-of-(\d{5})$")
_LIBRARY = "a model of transformers"
_IMPORT = " (export_model.py --format=tensorflow makes a checkpoint of it)"
_ALBERT = "albert"
_LIBRARY_FILES = ("*.safetensors", "*.safetensors.index.json", "pytorch_model*.bin", "pytorch_model.bin.index.json")
_UNREAD_LIBRARY_FILES = ("tf_model*.h5", "flax_model*.msgpack")
_LIBRARY_CONFIG = "config.json"
_ANY_FILE = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")


def find_checkpoint(path: str) -> str:
    """Finds the prefix of a checkpoint by the prefix, one of its files or its folder.

    Raises:
      UserError: there is none.
    """
    for place in (path, os.path.dirname(path)):
        recover(place)
    if os.path.isdir(path):
        return _checkpoint_in_folder(path)
    prefix = _ANY_FILE.sub("", path)
    check_index_file(prefix)
    return prefix


def check_index_file(prefix: str) -> None:
    """Raises `UserError` if a checkpoint has no index."""
    if os.path.exists(prefix + _INDEX):
        return
    if data_files(prefix):
        raise _without_index(prefix)
    if os.path.isfile(prefix):
        raise UserError("{} is no checkpoint: name a folder, a prefix or an .index file".format(prefix))
    raise UserError(
        "there is no checkpoint {0}: the file {0}.index does not exist{1}".format(prefix, download_advice(prefix))
    )


def _without_index(prefix: str) -> UserError:
    return UserError("the checkpoint {0} is incomplete: its index, {0}.index, is missing".format(prefix))


def check_data_file(prefix: str, num_bytes: int) -> None:
    """Checks that the files of the weights exist and are as long as the index requires.

    Args:
      prefix: of the checkpoint.
      num_bytes: the least that all its variables take.

    Raises:
      UserError: a file is missing, or they are shorter.
    """
    files = data_files(prefix)
    if not files:
        raise UserError("the checkpoint {0} is incomplete: its weights, {0}.data-…, are missing".format(prefix))
    total = files[0].rpartition("-of-")[2]
    for number in range(int(total)):
        path = "{}.data-{:05d}-of-{}".format(prefix, number, total)
        if path not in files:
            raise UserError("the checkpoint {} is incomplete: {} is missing".format(prefix, path))
    held = sum(os.path.getsize(path) for path in files)
    if held < num_bytes:
        raise UserError(
            "the checkpoint {} is cut off: its weights take {:,} bytes, {}.data-… holds {:,}; copy or download it "
            "again".format(prefix, num_bytes, prefix, held)
        )


def data_files(prefix: str) -> List[str]:
    """Lists the files with the weights of a checkpoint, in order."""
    return sorted(path for path in glob.glob(glob.escape(prefix) + ".data-*") if _DATA.search(path))


def _checkpoint_in_folder(folder: str) -> str:
    latest = _named_by_state_file(folder)
    if latest:
        return latest
    names = sorted(os.listdir(folder))
    prefixes = [os.path.join(folder, name[: -len(_INDEX)]) for name in names if name.endswith(_INDEX)]
    if not prefixes:
        raise _nothing_in(folder, names)
    if len(prefixes) > 1:
        raise UserError(
            "the folder {} holds {} checkpoints and no `checkpoint` file that names one: give a prefix".format(
                folder, len(prefixes)
            )
        )
    return prefixes[0]


def _nothing_in(folder: str, names: List[str]) -> UserError:
    """Says why a folder without an index holds no checkpoint."""
    halves = [os.path.join(folder, _DATA.sub("", name)) for name in names if _DATA.search(name)]
    if halves:
        return _without_index(halves[0])
    other = _other_format(folder, names)
    reason = "it holds {}".format(other) if other else "no file in it ends in {}".format(_INDEX)
    return UserError("the folder {} holds no checkpoint: {}".format(folder, reason))


def _other_format(folder: str, names: List[str]) -> Optional[str]:
    """Says what a folder holds in place of a checkpoint, and what to do with it; None for anything unknown."""

    def has(patterns: Sequence[str]) -> bool:
        return any(fnmatch.fnmatch(name, pattern) for pattern in patterns for name in names)

    if has(_LIBRARY_FILES):
        kind = _library_type(folder)
        if kind in (None, _ALBERT):
            return _LIBRARY + _IMPORT
        return "{} of the type {}, which is no ALBERT: no command here takes it".format(_LIBRARY, kind)
    if has(_UNREAD_LIBRARY_FILES):
        return _LIBRARY + " in weights that nothing here reads: save it as model.safetensors (save_pretrained does)"
    return "a SavedModel" if "saved_model.pb" in names else None


def _library_type(folder: str) -> Optional[str]:
    """The model_type in a folder's config.json; None where nothing says it."""
    try:
        config = read_description(os.path.join(folder, _LIBRARY_CONFIG), "a config of transformers")
        return config.text("model_type") if "model_type" in config else None
    except UserError:
        return None


def _named_by_state_file(folder: str) -> Optional[str]:
    """The checkpoint that the file `checkpoint` names, but in this folder, which may have been moved."""
    prefix = named_checkpoint(folder)
    if not prefix:
        return None
    if data_files(prefix):
        check_index_file(prefix)
    return prefix if os.path.exists(prefix + _INDEX) else None
