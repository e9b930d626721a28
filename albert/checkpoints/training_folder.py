"""The checkpoints of a training folder: which is the last whole one, and what killed runs left beside it.

A checkpoint is written under other names and renamed, data before index; the file `checkpoint` names it last of all. A
run that is killed, a full disk or a lost power supply may leave any of these unfinished.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from typing import List, Optional

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints.values import check_values, read_contents
from albert.files.complete import remove_unfinished_in

_log = logging.getLogger(__name__)

_INDEX = re.compile(r"(model\.ckpt-\d+)\.index$")
# What TensorFlow calls files until they are complete.
_UNFINISHED = re.compile(
    r"model\.ckpt-\d+_temp|model\.ckpt-\d+\..*tempstate\d+$|(checkpoint|graph\.pbtxt|model\.ckpt-\d+\.meta)\.tmp"
)
_DATA = re.compile(r"(model\.ckpt-\d+)\.data-\d{5}-of-\d{5}$")


def flaw(prefix: str, read_all: bool = False) -> Optional[str]:
    """Why a checkpoint cannot be used, in a sentence; None where it is whole.

    Args:
      prefix: of the checkpoint.
      read_all: read all values against their checksums (a second or two per GB), not only names and sizes.
    """
    try:
        read_contents(prefix)
        if read_all:
            check_values(prefix)
    except UserError as error:
        return str(error)
    return None


def latest_checkpoint(folder: str) -> Optional[str]:
    """The prefix from which training in a folder goes on: what its file `checkpoint` names, or the last whole one
    where that is damaged. None where nothing was trained in it.

    Raises:
      UserError: there are checkpoints, or a file that names one, but none is whole.
    """
    named = _named(folder)
    if named is None:
        return None
    if named and flaw(named) is None:
        return named
    return _last_whole(folder, named)


def _named(folder: str) -> Optional[str]:
    """What the file `checkpoint` names; "" where it is damaged, None where there is none."""
    try:
        state = tf.train.get_checkpoint_state(folder)
    except ValueError:
        return ""
    # Looked for in this folder, which may have been moved.
    return os.path.join(folder, os.path.basename(state.model_checkpoint_path)) if state else None


def _last_whole(folder: str, named: str, read_all: bool = False) -> str:
    for prefix in reversed(_on_disk(folder)):
        if prefix != named and flaw(prefix, read_all) is None:
            return prefix
    if not named:
        raise UserError(
            'the file {} is damaged: write the line `model_checkpoint_path: "model.ckpt-…"` into it to go on, or '
            "remove it to begin anew".format(os.path.join(folder, "checkpoint"))
        )
    raise UserError(
        "no checkpoint in {0} is whole ({1}): remove {2} to begin anew".format(
            folder, flaw(named, read_all), os.path.join(folder, "checkpoint")
        )
    )


def _on_disk(folder: str) -> List[str]:
    """The prefixes of all checkpoints that have an index, by step."""
    names = [match.group(1) for match in map(_INDEX.match, os.listdir(folder)) if match]
    return [os.path.join(folder, name) for name in sorted(names, key=_step_in_name)]


def _step_in_name(name: str) -> int:
    return int(name.rsplit("-", 1)[1])


def saved_checkpoints(folder: str) -> List[str]:
    """The prefixes of the whole checkpoints in a training folder up to the last, oldest first."""
    latest = latest_checkpoint(folder)
    if latest is None:
        return []
    # Not what its file `checkpoint` lists: that names the last alone where all are kept.
    on_disk = _on_disk(folder)
    if latest not in on_disk:  # a checkpoint of another origin
        return [latest]
    return [prefix for prefix in on_disk[: on_disk.index(latest) + 1] if flaw(prefix) is None]


def mend_checkpoints(folder: str) -> Optional[str]:
    """Makes a folder ready to be trained in and returns the checkpoint from which that goes on, or None.

    Removes what killed runs left unfinished, reads the last checkpoint as a whole, and where it is damaged lets the
    file `checkpoint` name the last good one, by which TensorFlow goes. No other process may be training in the folder.

    Raises:
      UserError: there are checkpoints, but none is whole.
    """
    remove_unfinished_checkpoints(folder)
    named = _named(folder)
    if named is None:
        return None
    state_file = os.path.join(folder, "checkpoint")
    reason = flaw(named, read_all=True) if named else "the file {} is damaged".format(state_file)
    good = named if reason is None else _last_whole(folder, named, read_all=True)
    if reason:
        _log.warning("Passed over: %s; the last good checkpoint is %s.", reason, good)
    if reason or _is_elsewhere(folder):
        _name(folder, good)
    return good


def _is_elsewhere(folder: str) -> bool:
    """Whether the file `checkpoint` names a place in which the folder stood before it was moved."""
    state = tf.train.get_checkpoint_state(folder)
    return os.path.realpath(os.path.dirname(state.model_checkpoint_path)) != os.path.realpath(folder)


def _name(folder: str, good: str) -> None:
    """Lets the file `checkpoint` name a checkpoint, as the last of the whole ones up to it."""
    last = _step_in_name(good)
    kept = [prefix for prefix in _on_disk(folder) if _step_in_name(prefix) < last and flaw(prefix) is None] + [good]
    tf.train.update_checkpoint_state(folder, good, all_model_checkpoint_paths=kept)


def remove_unfinished_checkpoints(folder: str) -> None:
    """Removes what a killed or failed run left of files that it was writing; no other process may be writing them."""
    remove_unfinished_in(folder)
    names = set(os.listdir(folder))
    for name in sorted(names):
        data = _DATA.match(name)
        if not (_UNFINISHED.match(name) or (data and data.group(1) + ".index" not in names)):
            continue
        path = os.path.join(folder, name)
        if os.path.isdir(path):
            shutil.rmtree(path, ignore_errors=True)
        else:
            os.remove(path)
