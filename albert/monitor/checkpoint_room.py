"""Room for the next checkpoint: told before it is written, so that a run ends before its disk is full."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

from albert.files.space import DiskFullError, free_bytes, size_text


class CheckpointRoom(tf.train.CheckpointSaverListener):
    """Ends training before a checkpoint that certainly has no room on the disk; the first one stands at step 0."""

    def __init__(self, output_dir: str) -> None:
        self._output_dir = output_dir
        self._needed = 0

    def begin(self) -> None:
        """Adds up what the variables of the graph take."""
        variables = tf.global_variables()
        self._needed = sum(
            int(np.prod(variable.shape.as_list())) * variable.dtype.base_dtype.size for variable in variables
        )

    def before_save(self, session: Any, global_step_value: int) -> None:
        """Looks for room.

        Raises:
          DiskFullError: there is none.
        """
        del session
        free = free_bytes(os.path.join(self._output_dir, "checkpoint"))
        if free is not None and free < self._needed:
            raise DiskFullError(
                "the checkpoint of step {} takes {}, and the disk of {} has {} free".format(
                    global_step_value, size_text(self._needed), self._output_dir, size_text(free)
                )
            )
