"""Engine "onnx": an ONNX export in onnxruntime, which needs no TensorFlow.

The docstring of engine_tensorflow says what an engine is. A batch is answered at once, on all cores.
"""

from __future__ import annotations

import contextlib
import os
from typing import Any, Iterator, Optional

import numpy as np

from albert.base.errors import UserError
from albert.base.machine import available_cores
from albert.inference.model_files import ONNX_FILE
from albert.model.outputs import INPUT_NAMES, Arrays

_ERRORS_ONLY = 3  # the least severity of what onnxruntime writes to the screen
_TRIED_LENGTH = 2  # tokens of the row that is answered when the file is opened


class OnnxEngine:
    """Runs <folder>/model.onnx. Safe to call from several threads."""

    concurrency = 1  # a single answer has all cores already
    gains_from_batches = True

    def __init__(self, folder: str, output: str, num_threads: Optional[int] = None) -> None:
        """Loads the model.

        Args:
          folder: what export_model.py made.
          output: name of the output that answers.
          num_threads: of one answer; as many as there are cores by default.

        Raises:
          UserError: onnxruntime is not installed, or the file is not such a model.
        """
        library = runtime()
        self._path = os.path.join(folder, ONNX_FILE)
        self._outputs = [output]
        with self._explained():
            self._session = library.InferenceSession(
                self._path, _options(library, num_threads or available_cores()), providers=["CPUExecutionProvider"]
            )
            shapes = {tensor.name: tensor.shape for tensor in self._session.get_inputs()}
            if sorted(shapes) != sorted(INPUT_NAMES):
                raise ValueError("its inputs are {}, not {}".format(", ".join(shapes), ", ".join(INPUT_NAMES)))
            widths = {tensor.name: tensor.shape[-1] for tensor in self._session.get_outputs()}
            if output not in widths:
                raise ValueError("it has no output {}".format(output))
            self.seq_length = _known(shapes[INPUT_NAMES[0]][1])
            self.width = _known(widths[output])
            self.answer(dict.fromkeys(INPUT_NAMES, np.ones([1, self.seq_length or _TRIED_LENGTH], np.int32)))

    def answer(self, inputs: Arrays) -> np.ndarray:
        """Returns the answers; see engine_tensorflow."""
        return self._session.run(self._outputs, {name: inputs[name] for name in INPUT_NAMES})[0]

    def close(self) -> None:
        """Frees the session."""
        del self._session

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # onnxruntime's errors share no class but this one
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError("cannot read the ONNX model {}: {}".format(self._path, reason)) from error


def _options(library: Any, num_threads: int) -> Any:
    options = library.SessionOptions()
    options.log_severity_level = _ERRORS_ONLY
    options.intra_op_num_threads = num_threads
    options.inter_op_num_threads = 1
    return options


def _known(size: Any) -> Optional[int]:
    """The size of an axis; None where it is open and has a name."""
    return size if isinstance(size, int) else None


def runtime() -> Any:
    """Imports onnxruntime; raises `UserError` where it is not installed."""
    try:
        import onnxruntime
    except ImportError as error:
        raise UserError(
            "the engine onnx needs onnxruntime: `pip install -r requirements/onnx.txt` brings it"
        ) from error
    return onnxruntime
