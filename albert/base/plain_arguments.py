"""Command lines whose errors are one sentence that names the nearest known word."""

from __future__ import annotations

import argparse
import difflib
import sys
from typing import Iterable


def nearest_hint(word: str, known: Iterable[str]) -> str:
    """Returns " (did you mean X?)" for the known word nearest to `word`, or ""."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.5)
    return f" (did you mean {near[0]}?)" if near else ""


class PlainParser(argparse.ArgumentParser):
    """An ArgumentParser that takes no abbreviations and says what is wrong in one sentence."""

    def __init__(self, **kwargs) -> None:
        kwargs.setdefault("allow_abbrev", False)
        kwargs.setdefault("formatter_class", argparse.RawDescriptionHelpFormatter)
        super().__init__(**kwargs)

    def parse_args(self, args=None, namespace=None):
        """Parses, and names the nearest known flag for the first unknown one."""
        parsed, unknown = self.parse_known_args(args, namespace)
        if unknown:
            flag = unknown[0].split("=")[0]
            known = sorted(name for name in self._option_string_actions if name.startswith("--"))
            hint = nearest_hint(flag, known) or f"; the known ones are {', '.join(known)}"
            self.error(f"unknown argument {flag}{hint}")
        return parsed

    def error(self, message: str):
        """Writes one sentence and ends with exit status 2."""
        sys.stderr.write(f"{self.prog}: {message.rstrip('.')}.\n")
        sys.exit(2)
