"""Locks: a file beside each output, so that two runs never write the same data set at once.

The lock is held by an open file, so it ends with its process, even if that is killed. Workers that are forked from the
process hold it too, so nothing is started again while orphans of a killed run are still writing. Without flock
(Windows, some network file systems) there is no lock.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from io import RawIOBase
from typing import Iterator, Optional, Sequence

from albert.base.errors import UserError
from albert.base.machine import is_running
from albert.files.record_sets import data_set_path
from albert.files.space import cannot_write

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore

_LOCK_SUFFIX = ".lock"
_ORPHAN_SECONDS = 10.0  # that the workers of a killed run may take to notice it
_POLL_SECONDS = 0.1

_log = logging.getLogger(__name__)


def lock_path(output_file: str) -> str:
    """The path of the lock for the data set to which a record file belongs."""
    return data_set_path(output_file) + _LOCK_SUFFIX


@contextlib.contextmanager
def hold_lock(output_files: Sequence[str]) -> Iterator[None]:
    """Locks record files and their shards against all other runs until the block ends.

    Raises:
      UserError: another run is writing one of them, or the lock cannot be written.
    """
    outputs = {_real_path(lock_path(output_file)): output_file for output_file in output_files}
    with contextlib.ExitStack() as stack:
        # In the same order everywhere: if two runs name the same files in different orders, one of them gets them all.
        for path in sorted(outputs) if fcntl else ():
            stack.enter_context(_held(path, outputs[path]))
        yield


def _real_path(path: str) -> str:
    """One name for a file that has several; the last part is kept, since a link there is what will be replaced."""
    return os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))


@contextlib.contextmanager
def _held(path: str, output_file: str) -> Iterator[None]:
    file = _acquire(path, output_file)
    try:
        yield
    finally:
        # Removed while it is locked: a process that has opened it in the meantime sees that it is gone, and opens a new
        # one.
        with contextlib.suppress(OSError):
            os.remove(path)
        file.close()


def _acquire(path: str, output_file: str) -> RawIOBase:
    deadline = time.monotonic() + _ORPHAN_SECONDS
    while True:
        file = _open(path)
        holder = _holder(file, path)
        if not _is_free(file, path):
            file.close()
            if holder is None or is_running(holder) or time.monotonic() > deadline:
                raise UserError(
                    "another run{} is writing {}: wait until it ends, or name another file".format(
                        " (process {})".format(holder) if holder else "", output_file
                    )
                )
            time.sleep(_POLL_SECONDS)
        elif _is_at(file, path):
            _write_holder(file)
            return file
        else:
            file.close()  # removed by the run that held it before


def _open(path: str) -> RawIOBase:
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        return open(path, "a+b", buffering=0)
    except OSError as error:
        raise cannot_write(path, error, 0) from error


def _is_free(file: RawIOBase, path: str) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        _log.warning("%s cannot be locked (%s): make sure that only one run writes there", path, error.strerror)
    return True


def _is_at(file: RawIOBase, path: str) -> bool:
    """Whether an open file is still the file with that name."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _write_holder(file: RawIOBase) -> None:
    with contextlib.suppress(OSError):  # on a full disk the process is not named
        file.truncate(0)
        file.write(b"%d\n" % os.getpid())
        file.flush()


def _holder(file: RawIOBase, path: str) -> Optional[int]:
    """The process that a lock names; None if it names none (yet)."""
    file.seek(0)
    text = file.read(32)
    if text and not text.strip().isdigit():
        file.close()
        raise UserError("{} is no lock of this program and would be removed: rename it".format(path))
    return int(text) if text else None
