"""Files and folders that are whole or absent: they take their final name only when they are complete."""

from __future__ import annotations

import contextlib
import errno
import glob
import json
import os
import shutil
from typing import Any, List

from albert.base.errors import UserError
from albert.files.space import cannot_write

_UNFINISHED_MARK = ".unfinished-"  # before the number of the process that writes


class CompleteFile:
    """Opens a temporary file beside `path` and gives it the final name only when the block ends without an error.

    Raises:
      UserError: the folder cannot be made or written.
      DiskFullError: the disk is full.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._temporary_path = "{}{}{}".format(path, _UNFINISHED_MARK, os.getpid())
        self._file: Any = None
        self._num_bytes = 0

    def __enter__(self) -> "CompleteFile":
        try:
            os.makedirs(os.path.dirname(os.path.abspath(self.path)), exist_ok=True)
            self._file = open(self._temporary_path, "wb")  # noqa: SIM115 (closed in __exit__)
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

    def __exit__(self, error_type: Any, error: Any, traceback: Any) -> None:
        try:
            if error_type is None:
                self._file.close()
                os.replace(self._temporary_path, self.path)
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
        with contextlib.suppress(FileNotFoundError):
            os.remove(self._temporary_path)


def remove_unfinished(path: str) -> None:
    """Removes what a killed process left of `path` under a temporary name."""
    for unfinished in glob.glob(glob.escape(path + _UNFINISHED_MARK) + "*"):
        os.remove(unfinished)


def is_unfinished(path: str) -> bool:
    """Whether a path is the temporary name of something that is being written, or was when its process was killed."""
    return _UNFINISHED_MARK in path


def write_json(path: str, value: Any) -> None:
    """Writes JSON, readable and complete or absent."""
    with CompleteFile(path) as file:
        file.write((json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode("utf-8"))


def copy_file(source: str, target: str) -> None:
    """Copies a file, complete or not at all; onto itself, it stays as it is."""
    if os.path.abspath(source) != os.path.abspath(target):
        with open(source, "rb") as file, CompleteFile(target) as copy:
            copy.write(file.read())


class CompleteFolder:
    """Gives a temporary folder beside `path`, which takes the final name only when the block ends without an error.

    Raises:
      UserError: the folder cannot be made, or holds something already.
    """

    def __init__(self, path: str, *, marker: str, overwrite: bool = False) -> None:
        """Checks the place.

        Args:
          path: the final name.
          marker: the name of a file that every export holds, by which an earlier one is recognised.
          overwrite: whether an earlier export may be replaced. Anything else is never removed.
        """
        self.path = os.path.abspath(path)
        self._temporary_path = "{}.unfinished-{}".format(self.path, os.getpid())
        if os.path.isdir(self.path) and os.listdir(self.path):
            is_export = os.path.exists(os.path.join(self.path, marker))
            if not is_export:
                raise UserError("{} is no export and is not empty: name another --output_dir".format(path))
            if not overwrite:
                raise UserError(
                    "{} holds an export already: --overwrite replaces it, or name another --output_dir".format(path)
                )
        elif os.path.exists(self.path) and not os.path.isdir(self.path):
            raise UserError("{} is a file: name a folder with --output_dir".format(path))

    def __enter__(self) -> str:
        try:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            os.mkdir(self._temporary_path)
        except OSError as error:
            raise self._cannot_write(error) from error
        return self._temporary_path

    def __exit__(self, error_type: Any, error: Any, traceback: Any) -> None:
        try:
            if error_type is None:
                self._give_final_name()
            elif getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
                raise self._cannot_write(error) from error
        except OSError as rename_error:
            raise self._cannot_write(rename_error) from rename_error
        finally:
            shutil.rmtree(self._temporary_path, ignore_errors=True)

    def _give_final_name(self) -> None:
        replaced = None
        if os.path.isdir(self.path):
            replaced = "{}.replaced-{}".format(self.path, os.getpid())
            os.rename(self.path, replaced)
        os.rename(self._temporary_path, self.path)
        if replaced:
            shutil.rmtree(replaced)

    def _cannot_write(self, error: OSError) -> UserError:
        return UserError("cannot write {}: {}; nothing was left under that name".format(self.path, error.strerror))


def files_in(folder: str) -> List[str]:
    """The names of all files below a folder, sorted."""
    found = []
    for parent, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(parent, name), folder) for name in names]
    return sorted(found)
