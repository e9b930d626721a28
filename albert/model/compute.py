"""How arithmetic is done: precision of products, keys of dropout, recomputation; a scope, as TensorFlow has its own.

The model code asks `current()`; whoever builds a training graph opens `scope(…)` around it. Outside of every scope
products are float32 and no gradient is special, which is what exports want.
"""

from __future__ import annotations

import contextlib
import copy
import threading
from typing import Any, Iterator, List, NamedTuple, Optional

import tensorflow.compat.v1 as tf


class DropoutKeys:
    """Keys for stateless dropout: one per call, the same whenever the same step is made again."""

    def __init__(self, seed: int, turn: Any) -> None:
        """Creates the keys.

        Args:
          seed: of the run.
          turn: scalar tensor that never comes twice in a run: of the step, its slice and its replica.
        """
        self._seed = seed
        self._turn = turn
        self._calls = 0

    def next(self) -> Any:
        """The key, int64 [2], of the next call."""
        self._calls += 1
        return tf.stack([tf.constant(self._seed * 65537 + self._calls, tf.int64), tf.cast(self._turn, tf.int64)])

    def copy(self) -> DropoutKeys:
        """Keys that go on as these would, to build the same part of a graph again."""
        return copy.copy(self)


class Compute(NamedTuple):
    """How arithmetic is done.

    Attributes:
      is_training: whether gradients will be asked for, so that cheaper ways to them are worth their ops.
      matmul_dtype: what the factors of products are rounded to; None leaves them as they are.
      dropout_keys: where dropout takes its keys; None lets TensorFlow draw them.
      recompute: whether layers keep their input only and are computed again for the gradients.
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
    """What holds where it is called."""
    return _stack()[-1]


@contextlib.contextmanager
def scope(**changes: Any) -> Iterator[Compute]:
    """Changes fields of `Compute` for what is built inside."""
    changed = current()._replace(**changes)
    _stack().append(changed)
    try:
        yield changed
    finally:
        _stack().pop()


def matmul(a: Any, b: Any, transpose_b: bool = False) -> Any:
    """tf.matmul with its factors, and those of its gradients, in the scope's `matmul_dtype`; float32 in and out."""
    dtype = current().matmul_dtype
    if dtype is None:
        return tf.matmul(a, b, transpose_b=transpose_b)
    return tf.cast(tf.matmul(tf.cast(a, dtype), tf.cast(b, dtype), transpose_b=transpose_b), tf.float32)
