"""Settings of an export."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional

TO_TENSORFLOW = "tensorflow"  # the only format whose source is a folder of transformers
ANY_LENGTH = 0
# Formats that are made of a checkpoint, and the tokens of a row by default; None where a format always takes any.
DEFAULT_LENGTHS: Dict[str, Optional[int]] = {
    "savedmodel": ANY_LENGTH,
    "frozen": ANY_LENGTH,
    "tflite": 128,
    "onnx": ANY_LENGTH,
    "pytorch": None,
}
FLOAT32, FLOAT16, INT8 = TFLITE_TYPES = ("float32", "float16", "int8")
ONNX_TYPES = (FLOAT32, INT8)


class ExportSettings(NamedTuple):
    """Source, format and place of an export.

    Attributes:
      checkpoint: the source: a checkpoint's prefix or folder; for the format "tensorflow" a folder of transformers.
      export_format: one of `DEFAULT_LENGTHS`, or TO_TENSORFLOW.
      output_dir: the folder to make.
      head: what the export answers, one of `outputs.HEADS`; by default what the checkpoint was trained for. The format
        "tensorflow" takes the head, the configuration and the length from its source.
      config_file: the model's JSON file, where it is not beside the checkpoint.
      vocab_file: the vocabulary, where it is not beside the checkpoint.
      do_lower_case: whether text is lower-cased, where the checkpoint's folder does not say so.
      max_seq_length: the only length of rows; 0 for any; by default that of the format.
      tflite_type: how TFLite keeps the weights, one of `TFLITE_TYPES`.
      onnx_type: how ONNX keeps the weights, one of `ONNX_TYPES`.
      overwrite: whether an earlier export in output_dir is replaced.
    """

    checkpoint: str
    export_format: str
    output_dir: str
    head: Optional[str] = None
    config_file: Optional[str] = None
    vocab_file: Optional[str] = None
    do_lower_case: bool = True
    max_seq_length: Optional[int] = None
    tflite_type: str = FLOAT32
    onnx_type: str = FLOAT32
    overwrite: bool = False
