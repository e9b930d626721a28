"""Checks ALBERT's three changes to BERT: factorized embeddings, shared layers, sentence order.

    python test_changes.py

Ends with exit status 1 when one of them does not hold.
"""

from __future__ import annotations

from albert.base.errors import UserError
from albert.base.flags import Flags, run_command
from albert.base.terminal import say


def declare_flags() -> Flags:
    """Declares no flags: there is nothing to choose."""
    return Flags()


def main(flags: Flags) -> None:
    """Checks the three changes and writes what was found."""
    del flags
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.pretraining.three_changes import check_changes

    changes = check_changes()
    for number, change in enumerate(changes, start=1):
        verdict = "holds" if change.holds else "DOES NOT HOLD"
        say(["{}. {}: {}".format(number, change.title, verdict), "   " + change.finding])
    failed = [change.title for change in changes if not change.holds]
    if failed:
        raise UserError("not as ALBERT changed it: " + ", ".join(failed))


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
