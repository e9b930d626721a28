"""The one exception that stands for a user's mistake, and a check of what users write."""

from __future__ import annotations

import difflib
from typing import Collection, Sequence


class UserError(Exception):
    """Something the user can mend.

    The message is one sentence: what is wrong, where (file and line where there is one) and what to do.
    Runners print it without a stack trace and exit with status 1.
    """


def check_keys(keys: Collection[str], known: Sequence[str], required: Sequence[str] = ()) -> None:
    """Checks the keys of a JSON object.

    Raises:
      UserError: one is not known (names the nearest) or is missing.
    """
    for key in keys:
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)[0]
            raise UserError("unknown key '{}': the nearest known one is '{}'".format(key, near))
    missing = [key for key in required if key not in keys]
    if missing:
        raise UserError("the key '{}' is missing".format(missing[0]))
