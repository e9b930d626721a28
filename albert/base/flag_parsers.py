"""Parsers of flags: texts in any encoding, paths, paths of models."""

from __future__ import annotations

from typing import Any

from absl import flags as absl_flags

from albert.base.console import decoded_argument
from albert.base.paths import expand_home, model_path


class Text(absl_flags.ArgumentParser):
    """Parser of texts."""

    def parse(self, argument: Any) -> Any:
        """Returns the text; raises `ValueError` where its bytes are none."""
        return decoded_argument(argument)


class Path(absl_flags.ArgumentParser):
    """Parser of paths; their bytes may be in any encoding."""

    def parse(self, argument: Any) -> Any:
        """Returns the path; raises `ValueError` where its home folder does not exist."""
        return expand_home(argument)


class ModelPath(Path):
    """Parser of paths of models; "starter" is the shipped one."""

    def parse(self, argument: Any) -> Any:
        """Returns the path; raises as `Path`."""
        return model_path(super().parse(argument))


class Boolean(absl_flags.BooleanParser):
    """Parser of what is true or false."""

    def parse(self, argument: Any) -> bool:
        """Returns the value; raises `ValueError` where a text is neither."""
        try:
            return bool(super().parse(argument))
        except ValueError:
            raise ValueError("give True or False") from None


class Paths(absl_flags.ArgumentParser):
    """Parser of paths that are separated by commas."""

    def parse(self, argument: Any) -> Any:
        """Returns the paths, still separated by commas; raises as `Path`."""
        parts = argument.split(",")
        return ",".join(expand_home(part.strip()) if part.strip().startswith("~") else part for part in parts)
