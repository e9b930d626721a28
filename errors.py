"""The one exception that stands for a user's mistake."""

from __future__ import annotations


class UserError(Exception):
    """Something the user can mend.

    The message is one sentence: what is wrong, where (file and line where there is one) and what to do.
    Runners print it without a stack trace and exit with status 1.
    """
