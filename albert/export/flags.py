"""Flags of an export, and the settings that they make."""

from __future__ import annotations

from typing import Optional

from albert.base.errors import UsageError
from albert.base.flags import Flags
from albert.export.settings import DEFAULT_LENGTHS, FLOAT32, ONNX_TYPES, TFLITE_TYPES, TO_TENSORFLOW, ExportSettings
from albert.model.outputs import HEADS

_CONFIG_FLAGS = ("bert_config_file", "albert_config_file")
# A folder of transformers says these itself.
_MEANINGLESS_FROM_TRANSFORMERS = ("head", "max_seq_length") + _CONFIG_FLAGS


def declare_export_flags(flags: Flags) -> None:
    """Declares the flags of an export beside its source, its format and its folder."""
    flags.group("Export")
    flags.choice("head", None, tuple(HEADS), "what the export answers; by default what the checkpoint was trained for")
    flags.group("Model")
    flags.location("bert_config_file", None, "the config of a zh model, where it is not beside the checkpoint")
    flags.location("albert_config_file", None, "the config of a google model, where it is not beside the checkpoint")
    flags.location("vocab_file", None, "the vocabulary that goes with it, where it is not beside the checkpoint")
    flags.boolean("do_lower_case", True, "whether text is lower-cased, where the checkpoint's folder does not say so")
    flags.group("Export")
    flags.integer("max_seq_length", None, "the only length of rows; 0 for any (tflite: 128, others: any)", minimum=0)
    flags.choice("tflite_type", FLOAT32, TFLITE_TYPES, "how TFLite keeps the weights")
    flags.choice("onnx_type", FLOAT32, ONNX_TYPES, "how ONNX keeps the weights")
    flags.boolean("overwrite", False, "replace an earlier export in the output folder")


def build_settings(flags: Flags, *, checkpoint: str, export_format: str, output_dir: str) -> ExportSettings:
    """Builds the settings of an export from its flags.

    Args:
      flags: those of `declare_export_flags`.
      checkpoint, export_format, output_dir: see `ExportSettings`.

    Raises:
      UsageError: a flag means nothing to the format, or two flags contradict each other.
    """
    if export_format == TO_TENSORFLOW:
        for name in _MEANINGLESS_FROM_TRANSFORMERS:
            if flags.was_given(name):
                raise UsageError(
                    "--{} means nothing to --format={}: the folder says it all".format(name, TO_TENSORFLOW)
                )
    elif DEFAULT_LENGTHS[export_format] is None and flags.max_seq_length is not None:
        raise UsageError("--max_seq_length means nothing to --format={}: it takes any length".format(export_format))
    return ExportSettings(
        checkpoint=checkpoint,
        export_format=export_format,
        output_dir=output_dir,
        head=flags.head,
        config_file=_config_file(flags),
        vocab_file=flags.vocab_file,
        do_lower_case=flags.do_lower_case,
        max_seq_length=flags.max_seq_length,
        tflite_type=flags.tflite_type,
        onnx_type=flags.onnx_type,
        overwrite=flags.overwrite,
    )


def _config_file(flags: Flags) -> Optional[str]:
    given = [getattr(flags, name) for name in _CONFIG_FLAGS if getattr(flags, name)]
    if len(given) > 1:
        raise UsageError("give --bert_config_file (zh family) or --albert_config_file (google family), not both")
    return given[0] if given else None
