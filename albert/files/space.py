"""Disk space: free bytes, sizes as text, and the errors for files that cannot be written."""

from __future__ import annotations

import errno
import os
import shutil
from typing import Optional

from albert.base.errors import UserError

# The disk is full, this user's quota is used up, or a file is as large as this process may write.
_FULL = frozenset((errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG))


class DiskFullError(UserError):
    """A file cannot be written because the disk is full."""


def is_full_disk(error: BaseException) -> bool:
    """Whether an error of any library means that a file could not be written because the disk is full."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _FULL
    return any(os.strerror(number) in str(error) for number in _FULL)


def reason_of(error: BaseException, folder: str) -> str:
    """The reason, in words, of an error for which `is_full_disk` is true."""
    if os.strerror(errno.EFBIG) in str(error):
        return "a file in {} became larger than this process may write (see `ulimit -f`)".format(folder)
    return "the disk of {} is full ({} free)".format(folder, size_text(free_bytes(os.path.join(folder, "file"))))


def existing_folder(path: str) -> str:
    """The folder of a path, or the nearest folder above it that exists."""
    folder = os.path.dirname(os.path.abspath(path))
    while not os.path.isdir(folder) and os.path.dirname(folder) != folder:
        folder = os.path.dirname(folder)
    return folder


def free_bytes(path: str) -> Optional[int]:
    """The number of free bytes for a file at `path`; None if the file system does not tell."""
    try:
        return shutil.disk_usage(existing_folder(path)).free
    except OSError:
        return None


def size_text(num_bytes: Optional[int]) -> str:
    """A size in the usual units: "3.1 GB"."""
    if num_bytes is None:
        return "an unknown number of bytes"
    for unit, size in (("GB", 1e9), ("MB", 1e6), ("KB", 1e3)):
        if num_bytes >= size:
            return "{:,.1f} {}".format(num_bytes / size, unit)
    return "{} bytes".format(num_bytes)


def cannot_write(path: str, error: OSError, needed: int) -> UserError:
    """The error for a file that could not be written. Remove the written part first: the free space is measured here.

    Args:
      path: the file.
      error: of the operating system.
      needed: bytes that were written before the error.
    """
    if error.errno in _FULL:
        return DiskFullError(
            "cannot write {}: its disk is full, {} are free and more than {} are needed; nothing was left under that "
            "name, make room and run the same command again".format(
                path, size_text(free_bytes(path)), size_text(needed)
            )
        )
    return UserError("cannot write {}: {}; nothing was left under that name".format(path, error.strerror))
