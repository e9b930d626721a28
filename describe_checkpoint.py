"""Describes a checkpoint on one screen, with commands that use it: `python describe_checkpoint.py PATH`."""

from __future__ import annotations

from albert.base.flags import Flags, run_command
from albert.base.terminal import say


def declare_flags() -> Flags:
    """All flags."""
    flags = Flags()
    flags.word("path", "a folder, a checkpoint's prefix or one of its files", is_path=True)
    flags.group("Model")
    flags.location("config_file", None, "the model's JSON file, where none is beside it")
    return flags


def main(flags: Flags) -> None:
    """Describes a checkpoint on the screen."""
    from albert.checkpoints.describe import describe_model
    from albert.checkpoints.model import open_checkpoint

    model = open_checkpoint(flags.path, flags.config_file, config_flag="config_file")
    say([describe_model(model, flags.path)])


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
