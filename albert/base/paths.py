"""Paths of the files that belong to the project, and paths that begin with the home folder."""

from __future__ import annotations

import os
import re
import shlex

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CONFIGS = os.path.join(ROOT, "albert_config")
VOCABULARY = os.path.join(CONFIGS, "vocab.txt")  # downloaded by scripts/setup.sh, not part of the repository
DATA = os.path.join(ROOT, "data")
STARTER = "starter"  # names the model that ships with the project wherever a command takes a model
STARTER_MODEL = os.path.join(DATA, "starter_model")


def expand_home(path: str) -> str:
    """Returns a path in which `~` or `~user` at the beginning is the home folder, as a shell does it.

    Raises:
      ValueError: there is no such home folder, and nothing has that name.
    """
    expanded = os.path.expanduser(path)
    if path.startswith("~") and expanded == path and not os.path.lexists(path):
        raise ValueError("there is no home folder {}: write ./{} for a name that begins with ~".format(path, path))
    return expanded


def model_path(path: str) -> str:
    """Returns the path of a model: the shipped one for "starter", unless something of that name is there."""
    return STARTER_MODEL if path == STARTER and not os.path.lexists(path) else path


def shell_word(path: str) -> str:
    """Returns a path as it is typed in a shell: in quotes where it holds blanks or characters with a meaning there."""
    return path if re.fullmatch(r"[\w@%+=:,./-]+", path) else shlex.quote(path)
