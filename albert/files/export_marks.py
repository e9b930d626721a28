"""Files that mark the folder of an export and go along with it."""

from __future__ import annotations

import os
import shutil
from typing import Any, Dict

from albert.base.errors import UserError
from albert.files.complete import write_json

EXPORT_DESCRIPTION_FILE = "export.json"  # marks a folder that an export made


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
