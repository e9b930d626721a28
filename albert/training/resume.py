"""Resuming of a run that stopped: one training at a time, whole checkpoints, the next batch."""

from __future__ import annotations

import contextlib
import os
from typing import Any, Callable, Dict, Iterator

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.batches.position import DataPosition, find_position
from albert.checkpoints.training_folder import latest_checkpoint, mend_checkpoints, remove_unfinished_checkpoints
from albert.checkpoints.values import step_of
from albert.files.lock import hold_lock
from albert.files.space import DiskFullError, is_full_disk, reason_of

_STATE_FILE = "checkpoint"


@contextlib.contextmanager
def training_folder(output_dir: str, *, is_keeper: bool) -> Iterator[None]:
    """Explains a full disk in one sentence; for training, locks the output folder and mends what killed runs left.

    Args:
      output_dir: the folder of the run.
      is_keeper: whether this process trains there and writes the checkpoints.

    Raises:
      UserError: another run is training there, no checkpoint is whole, or the disk became full.
    """
    with contextlib.ExitStack() as stack:
        if is_keeper:
            stack.enter_context(hold_lock([os.path.join(output_dir, _STATE_FILE)]))
            mend_checkpoints(output_dir)
        try:
            yield
        except (tf.errors.OpError, OSError, DiskFullError) as error:
            if not is_full_disk(error) and not isinstance(error, DiskFullError):
                raise
            if is_keeper:
                remove_unfinished_checkpoints(output_dir)
            raise _disk_is_full(output_dir, error) from error


def _disk_is_full(output_dir: str, error: BaseException) -> UserError:
    latest = latest_checkpoint(output_dir)
    return DiskFullError(
        "{}; {}: make room and run the same command again".format(
            error if isinstance(error, DiskFullError) else reason_of(error, output_dir),
            "the last good checkpoint is {}".format(latest) if latest else "there is no checkpoint yet",
        )
    )


def resuming_input_fn(
    output_dir: str, read: Dict[str, Any], is_chief: bool, input_fn_at: Callable[[DataPosition], Callable[..., Any]]
) -> Callable[..., Any]:
    """Makes an input_fn that continues where the folder's last checkpoint stands when it is called.

    Args:
      output_dir: the folder of the run.
      read, is_chief: see `data_position.find_position`.
      input_fn_at: makes the input_fn that begins at a place.
    """

    def input_fn(params: Dict[str, Any]) -> Any:
        latest = latest_checkpoint(output_dir)
        step = step_of(latest) if latest else 0
        return input_fn_at(find_position(output_dir, step, read, is_chief))(params)

    return input_fn
