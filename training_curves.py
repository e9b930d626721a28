"""The picture of a training run: loss, accuracies, learning rate and gradient norm over the steps.

    python training_curves.py RUN_DIR       draws RUN_DIR/training_curves.png from RUN_DIR/metrics.jsonl

Runners draw it at checkpoints and at the end.
"""

from __future__ import annotations

import sys
from typing import Optional, Sequence

from albert.base.errors import UserError
from albert.base.plain_arguments import PlainParser
from albert.monitor.curves import draw_curves


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Draws the picture of the folder on the command line; returns the exit status."""
    parser = PlainParser(prog="training_curves.py", description=__doc__)
    parser.add_argument("run_dir", help="the --output_dir of a run")
    run_dir = parser.parse_args(arguments).run_dir
    try:
        sys.stdout.write(draw_curves(run_dir) + "\n")
    except UserError as error:
        sys.stderr.write("error: {}\n".format(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
