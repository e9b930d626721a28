"""Base of hooks that know the step of a training: the global step at the start of a session, counted on from there."""

from __future__ import annotations

from typing import Any

import tensorflow.compat.v1 as tf


class StepHook(tf.train.SessionRunHook):
    """Hook that knows the step at which its session begins; who makes steps adds them to `_step`."""

    _step = 0

    def begin(self) -> None:
        """Finds the step counter."""
        self._global_step = tf.train.get_global_step()

    def after_create_session(self, session: Any, coord: Any) -> None:
        """Reads the step at which the run begins."""
        del coord
        self._step = int(session.run(self._global_step))
