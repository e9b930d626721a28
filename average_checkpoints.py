"""Averages the weights of the last checkpoints of a run into a new folder, which every command accepts as a model.

    python average_checkpoints.py RUN_DIR --last=5 [--output=FOLDER]

The mean of the last checkpoints of a training is often a little better than the last one.
"""

from __future__ import annotations

from albert.base.flags import Flags, run_command
from albert.base.terminal import say


def declare_flags() -> Flags:
    """All flags."""
    flags = Flags()
    flags.word("run_dir", "the --output_dir of a run", is_path=True)
    flags.needs("last")
    flags.integer("last", None, "how many checkpoints, the last ones", minimum=1)
    flags.location("output", None, "the new folder; by default RUN_DIR/average", kind="FOLDER")
    return flags


def main(flags: Flags) -> None:
    """Averages, and says where the average is and how to evaluate it."""
    flags.require()
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.checkpoints.average import average, next_command

    folder = average(flags.run_dir, flags.last, flags.output)
    say([folder, next_command(folder)])


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
