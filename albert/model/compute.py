"""Compute scope: precision of products, keys of dropout, recomputation; a scope, as TensorFlow has its own.

The model code asks `current()`, and the code that builds a training graph opens `scope(…)` around it. Outside of any
scope products are float32 and gradients are TensorFlow's own, which suits exports.
"""

from __future__ import annotations

import contextlib
import copy
import threading
from typing import Any, Iterator, List, NamedTuple, Optional

import tensorflow.compat.v1 as tf

from albert.model.types import Tensor


class DropoutKeys:
    """Keys for stateless dropout: one per call, the same whenever the same step is made again."""

    def __init__(self, seed: int, turn: Tensor) -> None:
        """Creates the keys.

        Args:
          seed: of the run.
          turn: scalar tensor that has no value twice in a run: it numbers the step, its slice and its replica.
        """
        self._seed = seed
        self._turn = turn
        self._calls = 0

    def next(self) -> Tensor:
        """The key, int64 [2], of the next call."""
        self._calls += 1
        return tf.stack([tf.constant(self._seed * 65537 + self._calls, tf.int64), tf.cast(self._turn, tf.int64)])

    def copy(self) -> DropoutKeys:
        """Copies the keys; the copy continues as these do, to build the same part of a graph again."""
        return copy.copy(self)


class Compute(NamedTuple):
    """Settings of arithmetic.

    Attributes:
      is_training: whether gradients will be computed, so that ops for cheaper gradients pay.
      matmul_dtype: the type to which factors of products are rounded; None leaves them as they are.
      dropout_keys: the keys of dropout; None lets TensorFlow draw its own.
      recompute: whether layers keep only their input and are computed again for the gradients.
    """

    is_training: bool = False
    matmul_dtype: Optional[Any] = None
    dropout_keys: Optional[DropoutKeys] = None
    recompute: bool = False


_local = threading.local()  # several devices build their graphs in threads of their own


def _stack() -> List[Compute]:
    if not hasattr(_local, "stack"):
        _local.stack = [Compute()]
    return _local.stack


def current() -> Compute:
    """Returns the settings of the innermost scope."""
    return _stack()[-1]


@contextlib.contextmanager
def scope(**changes: Any) -> Iterator[Compute]:
    """Changes fields of `Compute` for the graph that is built inside."""
    changed = current()._replace(**changes)
    _stack().append(changed)
    try:
        yield changed
    finally:
        _stack().pop()


def matmul(a: Tensor, b: Tensor, transpose_b: bool = False) -> Tensor:
    """Multiplies as tf.matmul, with factors (also of gradients) in the scope's `matmul_dtype`; float32 in and out."""
    dtype = current().matmul_dtype
    if dtype is None:
        return tf.matmul(a, b, transpose_b=transpose_b)
    return tf.cast(tf.matmul(tf.cast(a, dtype), tf.cast(b, dtype), transpose_b=transpose_b), tf.float32)
