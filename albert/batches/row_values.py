"""Row values: an array with a row for each record, added to batches by row_index; a memory-mapped file may hold it."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from albert.batches.order import Tensor

ROW_INDEX = "row_index"


def with_row_values(batches: tf.data.Dataset, name: str, values: Any) -> tf.data.Dataset:
    """Adds the values of each record's row to batches, as float32 [B, D].

    Values are looked up on this machine while training runs, so a TPU cannot be fed in this way.

    Args:
      batches: dictionaries of tensors, `ROW_INDEX` [B, 1] among them.
      name: of the tensor that is added.
      values: [rows, D], of any type of real numbers; an array, or what is read by an array of row numbers as one is
        (`vector_files.JoinedVectors`).
    """
    width = values.shape[1]

    def rows_of(numbers: np.ndarray) -> np.ndarray:
        return np.asarray(values[numbers], np.float32)

    def add(batch: dict) -> dict:
        numbers = tf.reshape(batch[ROW_INDEX], [-1])
        found: Tensor = tf.numpy_function(rows_of, [numbers], tf.float32)
        found.set_shape([batch[ROW_INDEX].shape[0], width])
        return dict(batch, **{name: found})

    return batches.map(add)
