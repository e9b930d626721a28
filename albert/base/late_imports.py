"""Late imports: names of a module that are found only when a program uses them (PEP 562)."""

from __future__ import annotations

import importlib
from typing import Any, Mapping


def find_late(name: str, module: str, homes: Mapping[str, str]) -> Any:
    """Returns what a module has under a name, for its `__getattr__`.

    Args:
      name: the name that a program uses.
      module: the module that it is asked of.
      homes: by name, the module that holds it.

    Raises:
      AttributeError: it is none of these names.
    """
    if name not in homes:
        raise AttributeError("module {!r} has no attribute {!r}".format(module, name))
    return getattr(importlib.import_module(homes[name]), name)
