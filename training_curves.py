"""Draws the picture of a training run: loss, accuracies, learning rate and gradient norm over the steps.

    python training_curves.py RUN_DIR       draws RUN_DIR/training_curves.png from RUN_DIR/metrics.jsonl

Runners draw it at checkpoints and at the end.
"""

from __future__ import annotations

from albert.base.flags import Flags, run_command
from albert.base.terminal import say
from albert.monitor.curves import draw_curves


def declare_flags() -> Flags:
    """All flags."""
    flags = Flags()
    flags.word("run_dir", "the --output_dir of a run", is_path=True)
    return flags


def main(flags: Flags) -> None:
    """Draws the picture of a run's folder and says where it is."""
    say([draw_curves(flags.run_dir)])


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
