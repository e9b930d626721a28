"""The folder of an export: complete or absent, and never written over what another hand put there."""

from __future__ import annotations

import errno
import os
import shutil
from typing import Any, Dict, List

from albert.base.errors import UserError
from albert.files.tfrecords import write_json

EXPORT_DESCRIPTION_FILE = "export.json"  # marks a folder that an export made


class CompleteFolder:
    """Gives a temporary folder beside `path`, which takes the final name only when the block ends without an error.

    Raises:
      UserError: the folder cannot be made, or holds something already.
    """

    def __init__(self, path: str, *, overwrite: bool = False) -> None:
        """Checks the place.

        Args:
          path: the final name.
          overwrite: whether an earlier export may be replaced. Anything else is never removed.
        """
        self.path = os.path.abspath(path)
        self._temporary_path = "{}.unfinished-{}".format(self.path, os.getpid())
        if os.path.isdir(self.path) and os.listdir(self.path):
            is_export = os.path.exists(os.path.join(self.path, EXPORT_DESCRIPTION_FILE))
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


def describe_export(folder: str, description: Dict[str, Any]) -> None:
    """Writes what an export is into its folder."""
    write_json(os.path.join(folder, EXPORT_DESCRIPTION_FILE), description)


def add_file(folder: str, source: str, name: str) -> None:
    """Copies a file that the export's reader needs.

    Raises:
      UserError: it cannot be read.
    """
    try:
        shutil.copyfile(source, os.path.join(folder, name))
    except OSError as error:
        raise UserError("cannot copy {}: {}".format(source, error.strerror)) from error


def files_in(folder: str) -> List[str]:
    """The names of all files below a folder, sorted."""
    found = []
    for parent, _, names in os.walk(folder):
        found += [os.path.relpath(os.path.join(parent, name), folder) for name in names]
    return sorted(found)
