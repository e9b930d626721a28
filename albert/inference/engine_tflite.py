"""Engine "tflite": a TFLite export in ai-edge-litert, which needs no TensorFlow.

The docstring of engine_tensorflow says what an engine is. Rows are answered one by one, on all cores: an interpreter
takes one row at a time, in its own length where the export takes any length, so that nothing is padded.
"""

from __future__ import annotations

import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator, List, Optional

import numpy as np

from albert.base.errors import UserError
from albert.base.machine import available_cores
from albert.base.terminal import silence
from albert.inference.model_files import TFLITE_FILE
from albert.model.outputs import INPUT_NAMES, Arrays

_MARK = b"TFL3"  # of the format, behind the first four bytes


class TfliteEngine:
    """Runs <folder>/model.tflite."""

    gains_from_batches = False

    def __init__(self, folder: str, num_threads: Optional[int] = None) -> None:
        """Loads the model.

        Args:
          folder: what export_model.py made.
          num_threads: rows that are answered at a time; as many as there are cores by default.

        Raises:
          UserError: the interpreter is not installed, or the file is not a model.
        """
        self._path = os.path.join(folder, TFLITE_FILE)
        num_threads = num_threads or available_cores()
        self.concurrency = num_threads
        library = interpreter_class()
        _check_format(self._path)
        with silence():
            self._idle: List[_RowInterpreter] = [_RowInterpreter(library, self._path) for _ in range(num_threads)]
            self._idle[0].try_out()
        self._lock = threading.Lock()
        self._is_idle = threading.Semaphore(num_threads)
        self._threads = ThreadPoolExecutor(num_threads)
        self.seq_length = self._idle[0].seq_length
        self.width = self._idle[0].width

    def answer(self, inputs: Arrays) -> np.ndarray:
        """Returns the answers; see engine_tensorflow."""
        rows = [{name: values[row : row + 1] for name, values in inputs.items()} for row in range(_num_rows(inputs))]
        shares = [rows[first :: self.concurrency] for first in range(min(len(rows), self.concurrency))]
        # One on the caller's own thread: another one would cost a tenth of a row's time.
        others = [self._threads.submit(self._answer_rows, share) for share in shares[1:]]
        answers: List[Any] = [None] * len(rows)
        answers[:: self.concurrency] = self._answer_rows(shares[0])
        for first, other in enumerate(others, start=1):
            answers[first :: self.concurrency] = other.result()
        return _joined(answers)

    def close(self) -> None:
        """Ends the threads."""
        self._threads.shutdown()

    def _answer_rows(self, rows: List[Arrays]) -> List[np.ndarray]:
        return [self._answer_row(row) for row in rows]

    def _answer_row(self, row: Arrays) -> np.ndarray:
        length = row["input_ids"].shape[1] if self.seq_length else int(row["input_mask"].sum())
        with self._interpreter(length) as interpreter:
            return interpreter.answer({name: values[:, :length] for name, values in row.items()})

    @contextlib.contextmanager
    def _interpreter(self, length: int) -> Iterator[_RowInterpreter]:
        """Lends an idle interpreter, if possible one whose last row was as long: others must allocate tensors."""
        with self._is_idle:
            with self._lock:
                place = next((i for i, idle in enumerate(self._idle) if idle.length == length), 0)
                interpreter = self._idle.pop(place)
            try:
                yield interpreter
            finally:
                with self._lock:
                    self._idle.append(interpreter)


def _check_format(path: str) -> None:
    """Refuses what is no TFLite model: the interpreter believes what it reads, and would end the process."""
    try:
        with open(path, "rb") as file:
            beginning = file.read(8)
    except OSError as error:
        raise UserError("cannot read {}: {}".format(path, error.strerror)) from error
    if beginning[4:] != _MARK:
        raise UserError("cannot read the TFLite model {}: it is of another format, or cut off".format(path))


class _RowInterpreter:
    """Interpreter for one row at a time."""

    def __init__(self, interpreter_class: Any, path: str) -> None:
        self._path = path
        with self._explained():
            self._interpreter = interpreter_class(model_path=path, num_threads=1)
            details, answers = self._interpreter.get_input_details(), self._interpreter.get_output_details()
            self._inputs = {tensor["name"].split(":")[0]: tensor["index"] for tensor in details}
            self._output = answers[0]["index"]
            width = int(answers[0]["shape_signature"][-1])
            self.width = width if width > 0 else None
            length = int(details[0]["shape_signature"][1])
            if sorted(self._inputs) != sorted(INPUT_NAMES):
                raise ValueError("its inputs are {}, not {}".format(", ".join(self._inputs), ", ".join(INPUT_NAMES)))
        self.seq_length = length if length > 0 else None
        self.length = self.seq_length or 1  # of the last row
        with self._explained():
            self._make_tensors()

    def try_out(self) -> None:
        """Answers a row of zeros, so that what is wrong with the file shows when it is opened."""
        row = np.zeros([1, self.length], np.int32)
        with self._explained():
            self.answer(dict.fromkeys(INPUT_NAMES, row))

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        try:
            yield
        except (ValueError, RuntimeError, OSError, IndexError, KeyError, TypeError, MemoryError) as error:
            reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise UserError("cannot read the TFLite model {}: {}".format(self._path, reason)) from error

    def answer(self, row: Arrays) -> np.ndarray:
        length = row["input_ids"].shape[1]
        if length != self.length:
            self.length = length
            self._make_tensors()
        for name, index in self._inputs.items():
            self._interpreter.set_tensor(index, row[name])
        self._interpreter.invoke()
        return self._interpreter.get_tensor(self._output)

    def _make_tensors(self) -> None:
        for index in self._inputs.values():
            self._interpreter.resize_tensor_input(index, [1, self.length])
        self._interpreter.allocate_tensors()


def _joined(answers: List[np.ndarray]) -> np.ndarray:
    """Joins the answers to rows; where rows have their own lengths, shorter ones are padded with zeros."""
    shape = tuple(max(sizes) for sizes in zip(*(answer.shape[1:] for answer in answers)))
    if all(answer.shape[1:] == shape for answer in answers):
        return np.concatenate(answers)
    joined = np.zeros((len(answers),) + shape, answers[0].dtype)
    for row, answer in zip(joined, answers):
        row[tuple(slice(size) for size in answer.shape[1:])] = answer[0]
    return joined


def _num_rows(inputs: Arrays) -> int:
    return len(inputs["input_ids"])


def interpreter_class() -> Any:
    """Imports the interpreter; raises `UserError` where it is not installed."""
    try:
        from ai_edge_litert.interpreter import Interpreter
    except ImportError as error:
        raise UserError(
            "the engine tflite needs ai-edge-litert: `pip install -r requirements/litert.txt` brings it "
            "(Python 3.10 and later)"
        ) from error
    return Interpreter
