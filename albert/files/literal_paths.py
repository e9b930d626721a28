"""Literal paths: names of checkpoints and data as TensorFlow can take them.

TensorFlow takes [ ] * ? and \\ in the name of a checkpoint for a pattern: it does not find a checkpoint in out[v1], and
removes old checkpoints in all folders that out* stands for. It also takes every name for UTF-8. What has such a name is
reached through a link in the temporary folder, which is removed when the process ends.
"""

from __future__ import annotations

import atexit
import os
import re
import shutil
import tempfile
from typing import Dict

from albert.base.errors import UserError

_PATTERN = re.compile(r"[\[\]*?]" if os.name == "nt" else r"[\[\]*?\\]")
_LINK = "link"

_links: Dict[str, str] = {}  # folder -> its link


def literal_path(path: str) -> str:
    """Returns a path of the same folder, file or checkpoint that TensorFlow takes as it is; usually the path itself.

    Args:
      path: a folder, a file, or the prefix of a checkpoint, whose files must be there already if the name itself has to
        be replaced.

    Raises:
      UserError: no link can be made.
    """
    if is_literal(path):
        return path
    path = os.path.abspath(path)
    if os.path.isdir(path):
        return _link_to(path)
    folder, name = os.path.split(path)
    return os.path.join(literal_path(folder), name) if is_literal(name) else _linked_files(folder, name)


def is_literal(path: str) -> bool:
    """Whether TensorFlow takes a path as it is."""
    try:
        return not _PATTERN.search(path) and os.fsencode(path) == path.encode("utf-8")
    except UnicodeEncodeError:  # bytes that are no text
        return False


def with_real_paths(message: str) -> str:
    """Returns a message of TensorFlow with the folders that its links stand for."""
    for folder, link in _links.items():
        message = message.replace(link, folder)
    return message


def _link_to(folder: str) -> str:
    link = _links.get(folder)
    if link is None or not os.path.islink(link):
        link = os.path.join(_temporary_folder(folder), _LINK)
        _make_link(folder, link)
        _links[folder] = link
    return link


def _linked_files(folder: str, name: str) -> str:
    """Links the files of a checkpoint, or one file, under another name."""
    place = os.path.join(_temporary_folder(folder), _LINK)
    for found in os.listdir(folder):
        if found == name or found.startswith(name + "."):
            _make_link(os.path.join(folder, found), place + found[len(name) :])
    return place


def _temporary_folder(path: str) -> str:
    place = tempfile.mkdtemp(prefix="albert-")
    if not is_literal(place):
        os.rmdir(place)
        raise _no_link(path, "the temporary folder {} has such a name too".format(place))
    atexit.register(_remove, place, os.getpid())
    return place


def _make_link(target: str, link: str) -> None:
    try:
        os.symlink(target, link)
    except (OSError, NotImplementedError) as error:
        raise _no_link(
            target, "no link to it can be made: {}".format(getattr(error, "strerror", None) or error)
        ) from error


def _no_link(path: str, reason: str) -> UserError:
    return UserError(
        "TensorFlow takes a character in {} for a pattern, or cannot decode it, and {}: rename it, without [ ] * ? "
        "and \\".format(path, reason)
    )


def _remove(place: str, process: int) -> None:
    if os.getpid() == process:  # a forked process leaves the links of its parent alone
        shutil.rmtree(place, ignore_errors=True)
