"""What every export format is asked, and what it says when its files are written."""

from __future__ import annotations

from typing import Callable, NamedTuple, Optional

from albert.checkpoints.model import CheckpointModel
from albert.model.outputs import Arrays

FLOAT32_TOLERANCE = 1e-3  # two correct float32 models differ by about 1e-5 of their outputs' spread


class Request(NamedTuple):
    """What is to be exported.

    Attributes:
      model: the checkpoint.
      head: one of HEADS, which the checkpoint holds.
      text_length: the longest row that the model was trained for.
      do_lower_case: whether the model's text is lower-cased.
      seq_length: the only length of rows (S); None for any.
      tflite_type: how TFLite keeps the weights.
    """

    model: CheckpointModel
    head: str
    text_length: int
    do_lower_case: bool
    seq_length: Optional[int] = None
    tflite_type: str = "float32"


class Written(NamedTuple):
    """Files of an export, before they are compared.

    Attributes:
      answer: the outputs for a batch of inputs, read from the files.
      tolerance: the largest difference that the format allows, as a share of an output's spread.
      opened_by: what opens the files, as a line of code or a command; {} stands for their folder.
    """

    answer: Callable[[Arrays], Arrays]
    tolerance: float
    opened_by: str
