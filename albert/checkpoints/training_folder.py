"""Checkpoints of a training folder: finds the last whole one, and removes files that killed runs left unfinished.

A checkpoint is written under other names and renamed, data before index, and then the file `checkpoint` names it. A
killed run, a full disk or a power cut may leave any of these unfinished.
"""

from __future__ import annotations

import logging
import os
import re
import shutil
from typing import List, Optional

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints.state_file import named_checkpoint
from albert.checkpoints.values import check_values, read_contents
from albert.files.complete import remove_unfinished_in
from albert.files.literal_paths import is_literal, literal_path

_log = logging.getLogger(__name__)

_INDEX = re.compile(r"(model\.ckpt-\d+)\.index$")
# What TensorFlow calls files until they are complete.
_UNFINISHED = re.compile(
    r"model\.ckpt-\d+_temp|model\.ckpt-\d+\..*tempstate\d+$|(checkpoint|graph\.pbtxt|model\.ckpt-\d+\.meta)\.tmp"
)
_DATA = re.compile(r"(model\.ckpt-\d+)\.data-\d{5}-of-\d{5}$")


def flaw(prefix: str, read_all: bool = False) -> Optional[str]:
    """Says why a checkpoint cannot be used, in a sentence; None if it is whole.

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
    """Finds the prefix from which training in a folder continues; None if no training has saved one.

    It is the checkpoint that the file `checkpoint` names or, if that is damaged, the last whole one.

    Raises:
      UserError: there are checkpoints, or a file that names one, but none is whole.
    """
    named = named_checkpoint(folder)
    if named is None:
        return None
    if named and flaw(named) is None:
        return named
    return _last_whole(folder, named)


def _last_whole(folder: str, named: str, read_all: bool = False) -> str:
    for prefix in reversed(_on_disk(folder)):
        if prefix != named and flaw(prefix, read_all) is None:
            return prefix
    if not named:
        raise UserError(
            'the file {} is damaged: write the line `model_checkpoint_path: "model.ckpt-…"` into it to go on, or '
            "remove it to start again".format(os.path.join(folder, "checkpoint"))
        )
    raise UserError(
        "no checkpoint in {0} is whole ({1}): remove {2} to start again".format(
            folder, flaw(named, read_all), os.path.join(folder, "checkpoint")
        )
    )


def _on_disk(folder: str) -> List[str]:
    """The prefixes of all checkpoints that have an index, in the order of their steps."""
    names = [match.group(1) for match in map(_INDEX.match, os.listdir(folder)) if match]
    return [os.path.join(folder, name) for name in sorted(names, key=_step_in_name)]


def _step_in_name(name: str) -> int:
    return int(name.rsplit("-", 1)[1])


def last_checkpoint(folder: str) -> Optional[str]:
    """Finds the prefix of the last whole checkpoint of a training in a folder, also where nothing names one.

    Raises:
      UserError: as `latest_checkpoint`.
    """
    whole = (prefix for prefix in reversed(_on_disk(folder)) if flaw(prefix) is None)
    return latest_checkpoint(folder) or next(whole, None)


def saved_checkpoints(folder: str) -> List[str]:
    """Lists the prefixes of the whole checkpoints in a training folder up to the latest, oldest first."""
    latest = latest_checkpoint(folder)
    if latest is None:
        return []
    # Not the list in its file `checkpoint`, which holds the latest only if all checkpoints are kept.
    on_disk = _on_disk(folder)
    if latest not in on_disk:  # the checkpoint of another program
        return [latest]
    return [prefix for prefix in on_disk[: on_disk.index(latest) + 1] if flaw(prefix) is None]


def mend_checkpoints(folder: str) -> Optional[str]:
    """Prepares a folder for training and returns the checkpoint from which training continues, or None.

    Removes the files that killed runs left unfinished and reads all of the latest checkpoint. If that is damaged, the
    file `checkpoint`, which TensorFlow follows, names the last good one from then on. No other process may be training
    in the folder.

    Raises:
      UserError: there are checkpoints, but none is whole.
    """
    remove_unfinished_checkpoints(folder)
    named = named_checkpoint(folder)
    if named is None:
        return None
    state_file = os.path.join(folder, "checkpoint")
    reason = flaw(named, read_all=True) if named else "the file {} is damaged".format(state_file)
    good = named if reason is None else _last_whole(folder, named, read_all=True)
    if reason:
        _log.warning("Passed over: %s; the last good checkpoint is %s.", reason, good)
    if reason or not _leads_tensorflow_to(folder, good):
        _name(folder, good)
    return good


def _leads_tensorflow_to(folder: str, good: str) -> bool:
    """Whether TensorFlow finds a checkpoint by the file `checkpoint` as it is written.

    It does not after the folder was moved or the file was edited, or where the path in it looks like a pattern.
    """
    try:
        state = tf.train.get_checkpoint_state(literal_path(folder))
    except ValueError:
        return False
    path = state.model_checkpoint_path if state else ""
    return is_literal(path) and os.path.realpath(path) == os.path.realpath(good)


def _name(folder: str, good: str) -> None:
    """Makes the file `checkpoint` name a checkpoint and the whole ones before it."""
    last = _step_in_name(good)
    kept = [prefix for prefix in _on_disk(folder) if _step_in_name(prefix) < last and flaw(prefix) is None] + [good]
    names = [os.path.basename(prefix) for prefix in kept]
    place = os.path.abspath(folder)  # in a relative one TensorFlow takes the names for paths from here
    tf.train.update_checkpoint_state(literal_path(place), names[-1], all_model_checkpoint_paths=names)


def remove_unfinished_checkpoints(folder: str) -> None:
    """Removes the files that a killed or failed run left unfinished; no other process may be writing them."""
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
