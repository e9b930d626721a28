"""Size of a data set before it is made, and the messages for a disk on which it does not fit."""

from __future__ import annotations

import contextlib
import logging
import os
from typing import Dict, Iterator, List, Mapping, NamedTuple, Optional, Sequence

from albert.files.features import Feature
from albert.files.space import DiskFullError, existing_folder, free_bytes, size_text
from albert.files.tfrecords import GZIP
from albert.pretraining_data.shards import BuildSettings, ShardResult, ShardTask, record_features

# Measured on Chinese articles, within a fifth at lengths 128 and 512.
_TEXT_BYTES_PER_TOKEN = 3.0
_FILLED_SHARE = 0.85  # of max_seq_length, over all sequences
_BYTES_PER_INTEGER = 1.35  # ids take two bytes, nearly all others one
_BYTES_PER_FLOAT = 4.0
_BYTES_PER_FEATURE = 27  # its name and the lengths around it
_PACKED_SHARE = 0.3
# Real text differs from the estimate by at most a factor of two, so less than this share of it is certainly too little.
_CERTAINLY_TOO_LITTLE = 0.25

_log = logging.getLogger(__name__)


class _Disk(NamedTuple):
    """File system that shards will be written to."""

    folder: str
    free: Optional[int]  # bytes; None where the file system does not say
    num_shards: int
    needed: int  # bytes


def text_bytes(task: ShardTask, settings: BuildSettings) -> int:
    """Returns the bytes of text that a shard takes."""
    share = settings.heldout_share if task.is_heldout else 1.0 - settings.heldout_share
    return round(share * sum(part.end - part.start for part in task.ranges))


def estimated_rate(features: Sequence[Feature], max_seq_length: int, passes: int, compression: str) -> float:
    """Estimates how many bytes of records a byte of text becomes.

    Args:
      features: the declaration of the record; a field of any length counts as long as the sequence.
      max_seq_length: tokens of a full sequence.
      passes: how often each token is written.
      compression: one of tfrecords.COMPRESSIONS.
    """
    record = 0.0
    for feature in features:
        length = max_seq_length * _FILLED_SHARE if feature.length is None else feature.length
        record += _BYTES_PER_FEATURE + length * (_BYTES_PER_FLOAT if feature.dtype == "float32" else _BYTES_PER_INTEGER)
    rate = passes * record / (_TEXT_BYTES_PER_TOKEN * _FILLED_SHARE * max_seq_length)
    return rate * _PACKED_SHARE if compression == GZIP else rate


def size_estimate(settings: BuildSettings) -> float:
    """Returns `estimated_rate` for the records of these settings."""
    return estimated_rate(
        record_features(settings), settings.chunks.max_seq_length, settings.dupe_factor, settings.compression
    )


class Forecast(NamedTuple):
    """Forecast of the space that the missing shards of a data set need.

    Attributes:
      tasks: all shards.
      finished: those that exist, by path; from their sizes that of the others is known.
      settings: what decides the records.
      estimate: bytes of records per byte of text (`estimated_rate`), used until a shard is finished.
    """

    tasks: Sequence[ShardTask]
    finished: Mapping[str, ShardResult]
    settings: BuildSettings
    estimate: float

    def check_room(self) -> None:
        """Warns when the missing shards will probably not fit on their disks.

        Raises:
          DiskFullError: they certainly will not.
        """
        for disk in self._disks():
            if disk.free is None or disk.free >= disk.needed:
                continue
            text = "{} has {} free, and {} shards will need about {}".format(
                disk.folder, size_text(disk.free), disk.num_shards, size_text(disk.needed)
            )
            if disk.free < _CERTAINLY_TOO_LITTLE * disk.needed:
                raise DiskFullError(text + ": make room, name another --output_file, or give --compression=gzip")
            _log.warning("%s", text)

    @contextlib.contextmanager
    def explained_errors(self) -> Iterator[None]:
        """Adds to the error of a full disk how much is free and how much is needed."""
        try:
            yield
        except DiskFullError as error:
            raise self._disk_full() from error

    def _disk_full(self) -> DiskFullError:
        disk = max(self._disks(), key=lambda disk: disk.needed - (disk.free or 0))
        return DiskFullError(
            "the disk of {} is full: {} are free, and the {} missing shards need about {}; finished shards are kept, "
            "make room and run the same command again".format(
                disk.folder, size_text(disk.free), disk.num_shards, size_text(disk.needed)
            )
        )

    def _disks(self) -> List[_Disk]:
        rate = self._measured_rate() or self.estimate
        disks: Dict[int, _Disk] = {}
        for task in self.tasks:
            if task.path not in self.finished:
                folder = existing_folder(task.path)
                device = os.stat(folder).st_dev
                disk = disks.get(device) or _Disk(folder, free_bytes(task.path), 0, 0)
                needed = disk.needed + round(rate * text_bytes(task, self.settings))
                disks[device] = disk._replace(num_shards=disk.num_shards + 1, needed=needed)
        return list(disks.values())

    def _measured_rate(self) -> Optional[float]:
        """Returns the bytes of records per byte of text in the finished shards, or None where there are none."""
        done = [task for task in self.tasks if task.path in self.finished]
        read = sum(text_bytes(task, self.settings) for task in done)
        return sum(self.finished[task.path].num_bytes for task in done) / read if read else None
