"""Exports a checkpoint of either family, and reports how far the export's answers are from the checkpoint's.

    python export_model.py --checkpoint=albert_lcqmc_checkpoints --format=savedmodel --output_dir=lcqmc_savedmodel
    python export_model.py --checkpoint=albert_tiny_zh --format=pytorch --output_dir=albert_tiny_zh_pytorch
    python export_model.py --checkpoint=albert_tiny_zh_pytorch --format=tensorflow --output_dir=back

Formats: savedmodel, frozen, tflite, onnx, pytorch (a folder for transformers), tensorflow (back from such a folder).
"""

from __future__ import annotations

from albert.base.flags import Flags, run_command
from albert.export.flags import build_settings, declare_export_flags
from albert.export.settings import DEFAULT_LENGTHS, TO_TENSORFLOW


def declare_flags() -> Flags:
    """Declares all flags."""
    flags = Flags()
    for name in ("checkpoint", "format", "output_dir"):
        flags.needs(name)
    flags.model_location("checkpoint", None, "what to export: a folder, or a checkpoint's prefix")
    flags.choice("format", None, list(DEFAULT_LENGTHS) + [TO_TENSORFLOW], "what to write")
    flags.location("output_dir", None, "the folder to make")
    declare_export_flags(flags)
    return flags


def main(flags: Flags) -> None:
    """Exports and compares."""
    flags.require()
    settings = build_settings(
        flags, checkpoint=flags.checkpoint, export_format=flags.format, output_dir=flags.output_dir
    )
    from albert.base import quiet_tensorflow  # noqa: F401
    from albert.export.run import export_model

    export_model(settings)


if __name__ == "__main__":
    run_command(__doc__, declare_flags(), main)
