"""Data position of a training run, kept beside the checkpoints: a rerun continues with the next batch.

A step is a batch. So the position follows from the checkpoint's step, as long as the data and the settings that order
them are the same. If they changed, a new order begins at that step. The file lists all orders.
"""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, NamedTuple, Sequence, Union

from albert.base.errors import UserError
from albert.files.complete import write_json
from albert.files.json_reading import parse_description, read_text

_log = logging.getLogger(__name__)

DATA_POSITION_FILE = "data_position.json"
FORMAT_VERSION = 1  # raise it with any change of the order in which all data are read
_SEED_STEP = 0x9E3779B1  # between the seeds of two orders; a new order does not repeat the first


class DataPosition(NamedTuple):
    """Position in the data at which a run continues.

    Attributes:
      start_step: number of batches of this order that were trained on before.
      seed_offset: what is added to the run's seed.
    """

    start_step: int = 0
    seed_offset: int = 0


def file_marks(paths: Sequence[str]) -> List[List[Union[str, int]]]:
    """Names and sizes of files: enough to see that they are other files."""
    return [[os.path.basename(path), os.path.getsize(path)] for path in paths]


def find_position(output_dir: str, step: int, read: Dict[str, Any], is_chief: bool = True) -> DataPosition:
    """Finds the position in the data for a run that continues at a step; warns if the data start over.

    Args:
      output_dir: the folder of the run.
      step: the global step of the checkpoint that the run continues from; 0 without a checkpoint.
      read: what is read and what orders it (files, batch size, seed, …), by the words that users see: JSON values.
      is_chief: whether this process writes to the folder.

    Raises:
      UserError: the folder cannot be written.
    """
    path = os.path.join(output_dir, DATA_POSITION_FILE)
    before = [order for order in _read_orders(path) if order["first_step"] <= step] if step else []
    orders = before
    if not before or before[-1]["read"] != read:
        if step:
            _log.warning("%s: the data start over, in a new order.", _why(path, step, before, read))
        orders = [order for order in before if order["first_step"] < step] + [{"first_step": step, "read": read}]
    if is_chief:
        write_json(path, {"format_version": FORMAT_VERSION, "orders": orders})
    return DataPosition(step - orders[-1]["first_step"], _SEED_STEP * (len(orders) - 1))


def _read_orders(path: str) -> List[Dict[str, Any]]:
    """Orders of earlier runs; none if the file is missing, damaged or of another version."""
    try:
        described = parse_description(read_text(path)).values
        if described["format_version"] != FORMAT_VERSION:
            return []
        return [{"first_step": int(order["first_step"]), "read": dict(order["read"])} for order in described["orders"]]
    except (OSError, UserError, ValueError, KeyError, TypeError):
        return []


def _why(path: str, step: int, orders: List[Dict[str, Any]], read: Dict[str, Any]) -> str:
    if not orders:
        return "{} does not say which data were read up to step {}".format(path, step)
    before = orders[-1]["read"]
    changed = sorted(name for name in set(before) | set(read) if before.get(name) != read.get(name))
    return "{} changed since step {}".format(" and ".join(changed), step)
