"""Request to an export format, and what the format returns when its files are written."""

from __future__ import annotations

from typing import Callable, NamedTuple, Optional, Tuple, Union

from albert.checkpoints.model import CheckpointModel
from albert.checkpoints.parts import outputs_of
from albert.export.parity import Tolerance
from albert.model.outputs import CLASSIFIER, Arrays

FLOAT32_TOLERANCE = 1e-3  # two correct float32 models differ by about 1e-5 of their outputs' spread


class Request(NamedTuple):
    """Request to write one format.

    Attributes:
      model: the checkpoint.
      head: one of `outputs.HEADS`, which the checkpoint holds.
      text_length: the longest row that the model was trained for.
      do_lower_case: whether the model's text is lower-cased.
      seq_length: the only length of rows (S); None for any.
      tflite_type, onnx_type: how TFLite and ONNX keep the weights.
    """

    model: CheckpointModel
    head: str
    text_length: int
    do_lower_case: bool
    seq_length: Optional[int] = None
    tflite_type: str = "float32"
    onnx_type: str = "float32"

    @property
    def outputs(self) -> Tuple[str, ...]:
        """The names of the outputs of the head."""
        return outputs_of(self.head, self.model.shapes)

    @property
    def is_multilabel(self) -> bool:
        """Whether a row has any number of labels, whose probabilities need not sum to 1."""
        description = self.model.description
        return self.head == CLASSIFIER and description is not None and description.is_multilabel


class Written(NamedTuple):
    """Written files of an export, before they are compared.

    Attributes:
      answer: computes the outputs for a batch of inputs from the files.
      tolerance: the largest difference that the format allows, as a share of an output's spread, or a `Tolerance`.
      opened_by: a line of code or a command that opens the files; {} stands for their folder.
    """

    answer: Callable[[Arrays], Arrays]
    tolerance: Union[float, Tolerance]
    opened_by: str
