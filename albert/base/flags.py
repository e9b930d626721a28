"""Command lines: strict flags and words in a namespace of their own, and errors as one sentence.

Each command owns a `Flags` object, so importing a command defines nothing globally and two commands live in one
process. Unknown flags, bad values and unexpected words end it with exit status 2; the message names the nearest flag.
In a path, `~` is the home folder: a shell leaves it alone behind `--name=`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import sys
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, Optional, Sequence

from absl import flags as absl_flags

from albert.base.console import decoded_argument, make_streams_tolerant
from albert.base.errors import UsageError, UserError, nearest
from albert.base.paths import expand_home, model_path

USAGE_EXIT_STATUS = 2
USER_ERROR_EXIT_STATUS = 1
INTERRUPTED_EXIT_STATUS = 130


class _Text(absl_flags.ArgumentParser):
    """Parser of texts."""

    def parse(self, argument: Any) -> Any:
        """Returns the text; raises `ValueError` where its bytes are none."""
        return decoded_argument(argument)


class _Path(absl_flags.ArgumentParser):
    """Parser of paths; their bytes may be in any encoding."""

    def parse(self, argument: Any) -> Any:
        """Returns the path; raises `ValueError` where its home folder does not exist."""
        return expand_home(argument)


class _ModelPath(_Path):
    """Parser of paths of models; "starter" is the shipped one."""

    def parse(self, argument: Any) -> Any:
        """Returns the path; raises as `_Path`."""
        return model_path(super().parse(argument))


class _Paths(absl_flags.ArgumentParser):
    """Parser of paths that are separated by commas."""

    def parse(self, argument: Any) -> Any:
        """Returns the paths, still separated by commas; raises as `_Path`."""
        parts = argument.split(",")
        return ",".join(expand_home(part.strip()) if part.strip().startswith("~") else part for part in parts)


class Flags:
    """The flags of one command: declared once, parsed once, read as attributes."""

    def __init__(self) -> None:
        self._values = absl_flags.FlagValues()
        self._words: Dict[str, bool] = {}  # name -> whether it must be given

    def string(self, name: str, default: Optional[str], help_text: str) -> None:
        """Declares a flag that holds a text."""
        self._define(_Text(), name, default, help_text)

    def location(self, name: str, default: Optional[str], help_text: str) -> None:
        """Declares a flag that holds the path of a file or a folder."""
        self._define(_Path(), name, default, help_text)

    def model_location(self, name: str, default: Optional[str], help_text: str) -> None:
        """Declares a flag that holds the path of a model, or "starter" for the shipped one."""
        self._define(_ModelPath(), name, default, help_text)

    def locations(self, name: str, default: Optional[str], help_text: str) -> None:
        """Declares a flag that holds paths, separated by commas."""
        self._define(_Paths(), name, default, help_text)

    def _define(self, parser: Any, name: str, default: Optional[str], help_text: str) -> None:
        serializer = absl_flags.ArgumentSerializer()
        absl_flags.DEFINE(parser, name, default, help_text, flag_values=self._values, serializer=serializer)

    def boolean(self, name: str, default: bool, help_text: str) -> None:
        """Declares a flag that is true or false: `--name`, `--name=True`, `--noname`."""
        absl_flags.DEFINE_boolean(name, default, help_text, flag_values=self._values)

    def integer(self, name: str, default: Optional[int], help_text: str, minimum: Optional[int] = None) -> None:
        """Declares a flag that holds a whole number of at least `minimum`."""
        absl_flags.DEFINE_integer(name, default, help_text, lower_bound=minimum, flag_values=self._values)

    def float(
        self,
        name: str,
        default: Optional[float],
        help_text: str,
        minimum: Optional[float] = None,
        maximum: Optional[float] = None,
    ) -> None:
        """Declares a flag that holds a number between `minimum` and `maximum`."""
        absl_flags.DEFINE_float(
            name, default, help_text, lower_bound=minimum, upper_bound=maximum, flag_values=self._values
        )

    def choice(self, name: str, default: Optional[str], choices: Sequence[str], help_text: str) -> None:
        """Declares a flag whose value is one of `choices`."""
        absl_flags.DEFINE_enum(name, default, list(choices), help_text, flag_values=self._values)

    def word(self, name: str, help_text: str, *, is_required: bool = True, is_path: bool = False) -> None:
        """Declares a word that stands on the command line without a name: `command WORD`, or `command --name=WORD`.

        Several words are read in the order in which they are declared.
        """
        (self.location if is_path else self.string)(name, None, help_text)
        self._words[name] = is_required

    def parse(self, arguments: Sequence[str]) -> None:
        """Reads the command line (without the program's name).

        Raises:
          UsageError: an unknown flag, a bad value, a word that was not declared, or one that is missing.
        """
        words = self._parse_flags(arguments)
        open_names = [name for name in self._words if not self.was_given(name)]
        self._parse_flags(["--{}={}".format(name, word) for name, word in zip(open_names, words)])
        for word in words[len(open_names) :]:
            raise UsageError(
                "unexpected argument '{}': write every option as --name=value (--help lists them)".format(word)
            )
        for name in open_names[len(words) :]:
            if self._words[name]:
                help_text = self._values[name].help
                raise UsageError("{} is missing: {} (--help lists all flags)".format(name.upper(), help_text))

    def _parse_flags(self, arguments: Sequence[str]) -> List[str]:
        """Reads flags and returns the words between them."""
        try:
            return self._values(["command"] + list(arguments))[1:]
        except absl_flags.UnrecognizedFlagError as error:
            raise UsageError(self._unknown_flag_message(error.flagname)) from error
        except absl_flags.Error as error:
            raise UsageError(" ".join(str(error).split())) from error

    def require(self, *names: str) -> None:
        """Raises `UsageError` when one of the named flags has no value."""
        missing = ["--" + name for name in names if not self._values[name].value]
        if missing:
            raise UsageError("{} must be given (--help lists all flags)".format(" and ".join(missing)))

    def was_given(self, name: str) -> bool:
        """Whether the command line set the flag."""
        return bool(self._values[name].present)

    def given(self) -> FrozenSet[str]:
        """The names of all flags that the command line set."""
        return frozenset(name for name in self._values if self.was_given(name))

    def values_of(self, settings_class: type) -> Dict[str, Any]:
        """The values of those fields of a dataclass or NamedTuple class that are declared flags, by name."""
        return {name: getattr(self, name) for name in _field_names(settings_class) if name in self._values}

    def set_default(self, name: str, value: Any) -> None:
        """Sets the default of a flag: its value, unless the command line sets the flag."""
        self._values.set_default(name, value)

    def as_dict(self) -> Dict[str, Any]:
        """All flags with their values, sorted by name: the resolved configuration of a run."""
        values = self._values.flag_values_dict()
        return {name: values[name] for name in sorted(values)}

    def help(self) -> str:
        """The words and flags with their meaning, as text."""
        lines = ["  {}\n      {}".format(name.upper(), self._values[name].help) for name in self._words]
        for name in sorted(set(self._values) - set(self._words)):
            flag = self._values[name]
            lines.append("  --{}={}\n      {}".format(name, flag.value, flag.help))
        return "\n".join(lines)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._values, name)

    def _unknown_flag_message(self, name: str) -> str:
        near = nearest(name, self._values)
        return "unknown flag --{}: the nearest known one is --{} (--help lists them)".format(name, near)


def _field_names(settings_class: type) -> Sequence[str]:
    if dataclasses.is_dataclass(settings_class):
        return [field.name for field in dataclasses.fields(settings_class)]
    names: Sequence[str] = getattr(settings_class, "_fields")  # noqa: B009 (of a NamedTuple, which has no type of its own)
    return names


def run_command(
    description: str, flags: Flags, main: Callable[[Flags], None], arguments: Optional[List[str]] = None
) -> None:
    """Parses the command line, calls `main` and turns a `UserError` into one sentence on standard error.

    Args:
      description: the text that `--help` begins with.
      flags: the command's flags.
      main: is called with the parsed flags.
      arguments: the command line without the program's name; `sys.argv` by default.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if asks_for_help(arguments):
        write_help(description, flags)
        return
    with errors_in_words():
        flags.parse(arguments)
        main(flags)


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for help."""
    return any(argument in ("--help", "-h", "-help") for argument in arguments)


def write_help(description: str, flags: Flags) -> None:
    """Writes the description and the flags of a command to standard output."""
    make_streams_tolerant()
    listed = flags.help()
    sys.stdout.write(description.strip() + ("\n\nFlags:\n" + listed if listed else "") + "\n")


@contextlib.contextmanager
def errors_in_words() -> Iterator[None]:
    """Logs to standard error, and ends the process with one sentence there after a `UserError` or Ctrl-C."""
    make_streams_tolerant()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        yield
    except UsageError as error:
        _exit_with(error, USAGE_EXIT_STATUS)
    except UserError as error:
        _exit_with(error, USER_ERROR_EXIT_STATUS)
    except KeyboardInterrupt as error:
        _exit_with(UserError(str(error) or "interrupted"), INTERRUPTED_EXIT_STATUS)


def _exit_with(error: Exception, status: int) -> None:
    sys.stderr.write("error: {}\n".format(error))
    sys.exit(status)
