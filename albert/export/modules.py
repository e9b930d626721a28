"""Modules of packages that only some export formats need."""

from __future__ import annotations

import importlib
from typing import Any

from albert.base.errors import UserError


def required(module: str) -> Any:
    """Imports a module; raises `UserError` with what installs it where it is missing."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise UserError(
            "{} is not installed: `pip install -r requirements/export.txt` brings it".format(module.split(".")[0])
        ) from error
