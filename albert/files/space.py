"""Room on the disk: how much is free, and the sentence for a file that cannot be written."""

from __future__ import annotations

import errno
import os
import shutil
from typing import Optional

from albert.base.errors import UserError

# Full for all, for this user, or for a file of this process.
_FULL = frozenset((errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG))


class DiskFullError(UserError):
    """A file cannot be written for want of room."""


def tells_of_full_disk(error: BaseException) -> bool:
    """Whether an error says that a file could not be written for want of room, in whatever words of its library."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL
    return any(os.strerror(number) in str(error) for number in _FULL)


def reason_of(error: BaseException, folder: str) -> str:
    """Why there is no room, for an error that `tells_of_full_disk`."""
    if os.strerror(errno.EFBIG) in str(error):
        return "a file in {} became larger than this process may write (see `ulimit -f`)".format(folder)
    return "the disk of {} is full ({} free)".format(folder, size_text(free_bytes(os.path.join(folder, "file"))))


def existing_folder(path: str) -> str:
    """The folder in which `path` is, or the nearest one above it that exists."""
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def free_bytes(path: str) -> Optional[int]:
    """The room that is left for a file at `path`, or None where the file system does not tell."""
    try:
        return shutil.disk_usage(existing_folder(path)).free
    except OSError:
        return None


def size_text(num_bytes: Optional[int]) -> str:
    """A size as people say it: "3.1 GB"."""
    if num_bytes is None:
        return "an unknown number of bytes"
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if num_bytes >= size:
            return "{:,.1f} {}".format(num_bytes / size, unit)
    return "{} bytes".format(num_bytes)


def cannot_write(path: str, error: OSError, needed: int) -> UserError:
    """The error for a file that could not be written, to be raised when what was written of it is removed.

    Args:
      path: the file.
      error: what the operating system said.
      needed: the bytes that the file was known to need by then.
    """
    if error.errno in _FULL:
        return DiskFullError(
            "cannot write {}: its disk is full, {} are free and more than {} are needed; nothing was left under that "
            "name, make room and run the same command again".format(
                path, size_text(free_bytes(path)), size_text(needed)
            )
        )
    return UserError("cannot write {}: {}; nothing was left under that name".format(path, error.strerror))
