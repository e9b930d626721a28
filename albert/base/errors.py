"""User errors: the exceptions for mistakes that a user can correct, and checks of what users write."""

from __future__ import annotations

import difflib
from typing import Collection, Iterable, Sequence


class UserError(Exception):
    """A mistake that the user can correct.

    The message is one sentence: what is wrong, where (file and line, if there is one) and what to do.
    Commands print it without a stack trace and exit with status 1.
    """


class UsageError(UserError):
    """A command line, or settings, that cannot be understood."""


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that is most similar to a word."""
    return difflib.get_close_matches(word, list(known), n=1, cutoff=0.0)[0]


def check_keys(keys: Collection[str], known: Sequence[str], required: Sequence[str] = ()) -> None:
    """Checks the keys of a JSON object.

    Raises:
      UserError: one is not known (names the nearest) or is missing.
    """
    for key in keys:
        if key not in known:
            raise UserError("unknown key '{}': the nearest known one is '{}'".format(key, nearest(key, known)))
    missing = [key for key in required if key not in keys]
    if missing:
        raise UserError("the key '{}' is missing".format(missing[0]))
