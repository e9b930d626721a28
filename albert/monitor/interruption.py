"""Interruption of a training by a signal: the step is finished and saved, so that the same command goes on from it."""

from __future__ import annotations

import signal
import threading
from typing import Any, Dict, Optional

import tensorflow.compat.v1 as tf

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Interruption:
    """Watch for signals while a training runs: the first one ends it after its step, a second one at once.

    Use it as a context manager around the training. A signal that the process ignores (SIGHUP under nohup) stays so.

    Attributes:
      name: of the signal that came; None before one did.
    """

    def __init__(self) -> None:
        """Creates a watch that waits for nothing yet."""
        self.name: Optional[str] = None
        self._before: Dict[int, Any] = {}

    def __enter__(self) -> Interruption:
        if threading.current_thread() is threading.main_thread():  # no other thread can handle signals
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *error: Any) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}

    def _note(self, number: int, frame: Any) -> None:
        del frame
        if self.name:
            raise KeyboardInterrupt("stopped by two signals: the same command goes on from the last checkpoint")
        self.name = signal.Signals(number).name


class InterruptionHook(tf.train.SessionRunHook):
    """Ends a training after the step in which a signal came; it must stand before the hook that saves checkpoints."""

    def __init__(self, interruption: Interruption) -> None:
        """Creates the hook of a watch."""
        self._interruption = interruption

    def after_run(self, run_context: Any, run_values: Any) -> None:
        """Asks for the end, at which the last step is saved."""
        del run_values
        if self._interruption.name:
            run_context.request_stop()


class UninterruptedListener(tf.train.CheckpointSaverListener):
    """Listener that hands checkpoints to another one, except for that of an interruption, which has no time."""

    def __init__(self, listener: Any, interruption: Interruption) -> None:
        """Creates the listener around another one."""
        self._listener = listener
        self._interruption = interruption

    def after_save(self, session: Any, global_step_value: int) -> Optional[bool]:
        """Hands a checkpoint on; returns what the other listener returns."""
        if self._interruption.name:
            return None
        found: Optional[bool] = self._listener.after_save(session, global_step_value)
        return found
