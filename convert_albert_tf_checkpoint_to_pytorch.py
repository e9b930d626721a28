"""Converts a checkpoint of either family into a folder for `transformers`; needs neither torch nor transformers.

    python convert_albert_tf_checkpoint_to_pytorch.py --tf_checkpoint_path=albert_tiny_zh/albert_model.ckpt \\
      --pytorch_dump_path=albert_tiny_zh_pytorch

Without flags it converts the folder albert_tiny_zh, the name that the published instructions give to the downloaded
model, and writes albert_tiny_zh_pytorch. The same as export_model.py --format=pytorch, under its published name and
flags.
"""

from __future__ import annotations

import os

from albert.base.errors import UsageError, UserError
from albert.base.flags import Flags, run_command
from albert.export.flags import build_settings, declare_export_flags

PUBLISHED_FOLDER = "albert_tiny_zh"

_WEIGHT_FILE_SUFFIXES = (".bin", ".pt", ".pth", ".safetensors")


def declare_flags() -> Flags:
    """The published flags, and those of export_model.py."""
    flags = Flags()
    flags.group("Export")
    flags.location("tf_checkpoint_path", PUBLISHED_FOLDER, "the checkpoint: a folder, or a prefix", kind="MODEL")
    flags.location(
        "pytorch_dump_path", None, "the folder to make (default: the checkpoint's folder with _pytorch)", kind="FOLDER"
    )
    declare_export_flags(flags)
    return flags


def main(flags: Flags) -> None:
    """Exports the checkpoint and compares the answers."""
    flags.require("tf_checkpoint_path")
    output_dir = flags.pytorch_dump_path or _folder_beside(flags.tf_checkpoint_path)
    if output_dir.endswith(_WEIGHT_FILE_SUFFIXES):
        raise UsageError(
            "--pytorch_dump_path={} must name a folder: config, weights and vocabulary go there together".format(
                output_dir
            )
        )
    if not flags.was_given("tf_checkpoint_path") and not os.path.isdir(PUBLISHED_FOLDER):
        raise UserError(
            "the folder {0} is not here: `python -m albert.downloads.download albert_tiny_489k --to={0}` brings the "
            "published model, or name another with --tf_checkpoint_path".format(PUBLISHED_FOLDER)
        )
    settings = build_settings(
        flags, checkpoint=flags.tf_checkpoint_path, export_format="pytorch", output_dir=output_dir
    )
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.export.run import export_model

    export_model(settings)


def _folder_beside(checkpoint: str) -> str:
    folder = checkpoint if os.path.isdir(checkpoint) else os.path.dirname(checkpoint)
    return os.path.abspath(folder or os.curdir) + "_pytorch"


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
