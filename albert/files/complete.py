"""Files and folders that are whole or absent, even if their process is killed.

What is being written stands beside its place under a temporary name, NAME.unfinished-PROCESS, and takes its own name
when it is complete. A file replaces an older file in one step. A folder cannot: the older folder is first set aside as
NAME.unfinished-replaced. If the process is killed before the new folder has the name, `recover` gives it back to the
older one. What takes its name is on the disk by then, so that a power cut leaves no name of half a file either.
"""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import re
import shutil
from types import TracebackType
from typing import BinaryIO, List, Optional, Type

from albert.base.errors import UserError
from albert.base.machine import is_running
from albert.files.space import cannot_write, is_full_disk

_MARK = ".unfinished-"
_REPLACED = _MARK + "replaced"
_UNFINISHED = re.compile(r"\.unfinished-(\d+|replaced)(?=$|[/\\])")
_CANNOT_SYNC = (errno.EINVAL, getattr(errno, "ENOTSUP", errno.EINVAL), errno.EBADF, errno.EROFS)
_OCCUPIED = (errno.ENOTEMPTY, errno.EEXIST)


class CompleteFile:
    """Opens a temporary file beside `path` and gives it the final name only when the block ends without an error.

    Raises:
      UserError: the folder cannot be made or written.
      DiskFullError: the disk is full.
    """

    def __init__(self, path: str, writer: Optional[int] = None) -> None:
        """Names the file.

        Args:
          path: the final name.
          writer: a number that no other writer of the file has; by default that of this process, which is its own on
            one machine only.
        """
        self.path = path
        self._temporary_path = _temporary(path, writer)
        self._num_bytes = 0

    def __enter__(self) -> CompleteFile:
        try:
            os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
            self._file: BinaryIO = open(self._temporary_path, "wb")  # noqa: SIM115 (closed in __exit__)
        except OSError as error:
            raise cannot_write(self.path, error, self._num_bytes) from error
        return self

    def write(self, data: bytes) -> None:
        """Appends bytes."""
        self._num_bytes += len(data)
        try:
            self._file.write(data)
        except OSError as error:
            raise self._given_up(error) from error

    def __exit__(
        self,
        error_type: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            if error_type is None:
                _sync(self._file)
                self._file.close()
                os.replace(self._temporary_path, self.path)
                _sync_folder(os.path.dirname(os.path.abspath(self.path)))
        except OSError as close_error:
            raise self._given_up(close_error) from close_error
        finally:
            self._remove()

    def _given_up(self, error: OSError) -> UserError:
        self._remove()  # before the free room is measured
        return cannot_write(self.path, error, self._num_bytes)

    def _remove(self) -> None:
        with contextlib.suppress(OSError):  # what could not be written to the end
            self._file.close()
        _remove(self._temporary_path)


class CompleteFolder:
    """Gives a temporary folder beside `path`, which takes the final name only when the block ends without an error.

    An older folder of that name is replaced if it is empty or holds the marker, and is whole until the new one is.

    Raises:
      UserError: the folder cannot be made, or another one has the name.
      DiskFullError: the disk is full.
    """

    def __init__(self, path: str, *, marker: Optional[str] = None) -> None:
        """Names the folder.

        Args:
          path: the final name. A link is followed.
          marker: pattern of a file name that tells the folders which may be replaced; None: no folder may.
        """
        self.path = os.path.realpath(path)
        self._marker = marker
        self._temporary_path = _temporary(self.path)

    def __enter__(self) -> str:
        try:
            _remove_left_by_dead_processes(self.path)
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            os.mkdir(self._temporary_path)
        except OSError as error:
            raise cannot_write(self.path, error, 0) from error
        return self._temporary_path

    def __exit__(
        self,
        error_type: Optional[Type[BaseException]],
        error: Optional[BaseException],
        traceback: Optional[TracebackType],
    ) -> None:
        try:
            if error_type is None:
                self._take_name()
            elif isinstance(error, OSError) and is_full_disk(error):
                raise self._given_up(error) from error
        except OSError as rename_error:
            raise self._given_up(rename_error) from rename_error
        finally:
            recover(self.path)
            _remove(self._temporary_path)

    def _take_name(self) -> None:
        _sync_tree(self._temporary_path)
        while not self._is_renamed():
            if not may_be_replaced(self.path, self._marker):
                raise UserError("{} holds something else: move it away or name another folder".format(self.path))
            with contextlib.suppress(FileNotFoundError):
                os.rename(self.path, self.path + _REPLACED)
        _sync_folder(os.path.dirname(self.path))
        _remove_replaced(self.path)

    def _is_renamed(self) -> bool:
        """Renames the folder unless the name is taken: a reader may have recovered what was set aside a moment ago."""
        try:
            os.rename(self._temporary_path, self.path)
            return True
        except OSError as error:
            if error.errno not in _OCCUPIED:
                raise
            return False

    def _given_up(self, error: OSError) -> UserError:
        paths = [os.path.join(self._temporary_path, name) for name in files_in(self._temporary_path)]
        num_bytes = sum(map(os.path.getsize, paths))
        _remove(self._temporary_path)  # before the free room is measured
        return cannot_write(self.path, error, num_bytes)


def may_be_replaced(folder: str, marker: Optional[str]) -> bool:
    """Whether a folder is absent, is empty, or holds a file that fits the marker: nothing of others is lost."""
    if not os.path.lexists(folder):
        return True
    if not os.path.isdir(folder):
        return False
    return not os.listdir(folder) or bool(marker and glob.glob(os.path.join(glob.escape(folder), marker)))


def recover(path: str) -> str:
    """Gives a folder its name back if a process was killed while it replaced the folder; returns the path as given.

    Readers and writers call this before they look for the folder, also while another process is replacing it.
    """
    place = os.path.realpath(path)
    if not os.path.lexists(place) and os.path.isdir(place + _REPLACED):
        with contextlib.suppress(OSError):  # another process was faster, or may write here and this one not
            os.rename(place + _REPLACED, place)
    return path


def remove_unfinished(path: str) -> None:
    """Removes what killed processes left of a file or a folder; no process may be writing it now."""
    recover(path)
    for left in _left_of(path):
        _remove_left(path, left)


def remove_unfinished_in(folder: str) -> None:
    """Removes what killed processes left of all files and folders of a folder; no process may be writing them now."""
    names = {name[: name.rindex(_MARK)] for name in os.listdir(folder) if is_unfinished(name)}
    for name in sorted(names):
        remove_unfinished(os.path.join(folder, name))


def is_unfinished(path: str) -> bool:
    """Whether a path is, or leads through, the temporary name of something that is or was being written."""
    return bool(_UNFINISHED.search(path))


def _temporary(path: str, writer: Optional[int] = None) -> str:
    return "{}{}{}".format(path, _MARK, os.getpid() if writer is None else writer)


def _left_of(path: str) -> List[str]:
    found = glob.glob(glob.escape(path + _MARK) + "*")
    return sorted(left for left in found if _UNFINISHED.fullmatch(left[len(path) :]))


def _remove_left_by_dead_processes(path: str) -> None:
    recover(path)
    for left in _left_of(path):
        process = left[len(path + _MARK) :]
        if left == path + _REPLACED or int(process) == os.getpid() or not is_running(int(process)):
            _remove_left(path, left)


def _remove_left(path: str, left: str) -> None:
    if left != path + _REPLACED:
        _remove(left)
    elif os.path.lexists(path):
        _remove_replaced(path)


def _remove_replaced(path: str) -> None:
    """Removes what was set aside, under another name: what `recover` finds is always whole."""
    with contextlib.suppress(FileNotFoundError):
        os.rename(path + _REPLACED, _temporary(path))
        _remove(_temporary(path))


def _sync(file: BinaryIO) -> None:
    """Waits until the bytes of an open file are on the disk, where its file system can tell."""
    file.flush()
    try:
        os.fsync(file.fileno())
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


def _sync_tree(folder: str) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            with open(os.path.join(parent, name), "rb") as file:
                _sync(file)
        _sync_folder(parent)


def _sync_folder(folder: str) -> None:
    """Waits until the names in a folder are on the disk, where the system has a way to do so."""
    with contextlib.suppress(OSError):  # Windows opens no folders, and some file systems sync none
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(FileNotFoundError):
            os.remove(path)


def write_json(path: str, value: object) -> None:
    """Writes JSON, readable and complete or absent."""
    text = json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    with CompleteFile(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))  # bytes of a path that are no text: as JSON's \udcff


def copy_file(source: str, target: str) -> None:
    """Copies a file, complete or not at all; onto itself, it stays as it is."""
    if os.path.abspath(source) != os.path.abspath(target):
        with open(source, "rb") as file, CompleteFile(target) as copy:
            copy.write(file.read())


def files_in(folder: str) -> List[str]:
    """The names of all files below a folder, sorted."""
    found = []
    for parent, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(parent, name), folder) for name in names]
    return sorted(found)
