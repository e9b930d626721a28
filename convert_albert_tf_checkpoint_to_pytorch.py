"""Converts a checkpoint of either family into a folder for `transformers`; needs neither torch nor transformers.

    python convert_albert_tf_checkpoint_to_pytorch.py --tf_checkpoint_path=albert_tiny_zh/albert_model.ckpt \\
      --pytorch_dump_path=albert_tiny_zh_pytorch

The same as export_model.py --format=pytorch, under its published name and flags.
"""

from __future__ import annotations

from albert.base import quiet_tensorflow  # noqa: F401

# isort: split
from albert.base.flags import Flags, UsageError, run_command
from albert.export.flags import build_settings, declare_export_flags
from albert.export.run import export_model

_WEIGHT_FILE_SUFFIXES = (".bin", ".pt", ".pth", ".safetensors")


def declare_flags() -> Flags:
    """The published flags, and those of export_model.py."""
    flags = Flags()
    flags.location("tf_checkpoint_path", None, "the checkpoint: a folder, or a prefix")
    flags.location("pytorch_dump_path", None, "the folder to make")
    declare_export_flags(flags)
    return flags


def main(flags: Flags) -> None:
    """Exports the checkpoint and compares the answers."""
    flags.require("tf_checkpoint_path", "pytorch_dump_path")
    if flags.pytorch_dump_path.endswith(_WEIGHT_FILE_SUFFIXES):
        raise UsageError(
            "--pytorch_dump_path={} must name a folder: config, weights and vocabulary go there together".format(
                flags.pytorch_dump_path
            )
        )
    export_model(
        build_settings(
            flags,
            checkpoint=flags.tf_checkpoint_path,
            export_format="pytorch",
            output_dir=flags.pytorch_dump_path,
        )
    )


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
