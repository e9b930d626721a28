"""Command lines: strict flags and words in a namespace of their own, and errors as one sentence.

Each command owns a `Flags` object, so importing a command defines nothing globally and two commands live in one
process. Unknown flags, bad values and unexpected words end it with exit status 2; the message names the flag that is
meant, where one is near, and all flags that are missing. `--name=value` and `--name value` are the same, and so are
`-` and `_` in names. In a path, `~` is the home folder: a shell leaves it alone behind `--name=`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import logging
import os
import re
import sys
from typing import Any, Callable, Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from absl import flags as absl_flags

from albert.base import flag_parsers
from albert.base.columns import screen_width
from albert.base.console import make_streams_tolerant
from albert.base.errors import UsageError, UserError
from albert.base.help_page import RARE, REQUIRED, Entry, help_page
from albert.base.paths import ROOT
from albert.base.suggestions import suggestion
from albert.base.versions import versions_text

__all__ = ["RARE", "Flags", "MissingFlagsError", "UsageError", "run_command"]

USAGE_EXIT_STATUS = 2
USER_ERROR_EXIT_STATUS = 1
INTERRUPTED_EXIT_STATUS = 130

_FLAG = re.compile(r"--?([^\W\d][\w-]*)(=.*)?$", re.DOTALL)
_TRUTH = ("true", "false")


class MissingFlagsError(UsageError):
    """Flags or words that a command needs have no value; the message names all of them."""


class _Need(NamedTuple):
    """Flags of which one must be given, unless one of others is."""

    names: Tuple[str, ...]
    unless: Tuple[str, ...] = ()


class _Shown(NamedTuple):
    """What --help shows of a flag: the type of its value, its meaning, and the heading above it."""

    kind: str
    meaning: str
    group: str


class Flags:
    """The flags of one command: declared once, parsed once, read as attributes.

    A declaration takes the name, the default, the meaning for --help, and `kind`, the type that --help shows behind
    the name; by default it follows from the name.
    """

    def __init__(self) -> None:
        self._values = absl_flags.FlagValues()
        self._words: Dict[str, bool] = {}  # name -> whether it must be given
        self._shown: Dict[str, _Shown] = {}
        self._needs: List[_Need] = []
        self._group = "Flags"

    def group(self, title: str) -> None:
        """Names the heading under which --help lists the flags that are declared from here on."""
        self._group = title

    def needs(self, *names: str, unless: Sequence[str] = ()) -> None:
        """Declares that one of these flags must be given, unless one of others is; `require` checks it."""
        self._needs.append(_Need(names, tuple(unless)))

    def forget_needs(self) -> None:
        """Forgets the declared needs: a command that takes the flags of another gives these itself."""
        self._needs.clear()

    def string(self, name: str, default: Optional[str], help_text: str, *, kind: Optional[str] = None) -> None:
        """Declares a flag that holds a text."""
        self._define(
            flag_parsers.Text(), name, default, help_text, kind or ("NAME" if name.endswith("_name") else "TEXT")
        )

    def location(self, name: str, default: Optional[str], help_text: str, *, kind: Optional[str] = None) -> None:
        """Declares a flag that holds the path of a file or a folder."""
        self._define(
            flag_parsers.Path(), name, default, help_text, kind or ("FOLDER" if name.endswith("_dir") else "FILE")
        )

    def model_location(self, name: str, default: Optional[str], help_text: str) -> None:
        """Declares a flag that holds the path of a model, or "starter" for the shipped one."""
        self._define(flag_parsers.ModelPath(), name, default, help_text, "MODEL")

    def locations(self, name: str, default: Optional[str], help_text: str) -> None:
        """Declares a flag that holds paths, separated by commas."""
        self._define(flag_parsers.Paths(), name, default, help_text, "FILES")

    def _define(self, parser: Any, name: str, default: Optional[str], help_text: str, kind: str) -> None:
        serializer = absl_flags.ArgumentSerializer()
        absl_flags.DEFINE(parser, name, default, help_text, flag_values=self._values, serializer=serializer)
        self._show(name, kind, help_text)

    def _show(self, name: str, kind: str, help_text: str) -> None:
        self._shown[name] = _Shown(kind, help_text, self._group)

    def boolean(self, name: str, default: bool, help_text: str) -> None:
        """Declares a flag that is true or false: `--name`, `--name=True`, `--name True`, `--noname`."""
        absl_flags.DEFINE_boolean(name, default, help_text, flag_values=self._values)
        self._values[name].parser = flag_parsers.Boolean()
        self._show(name, "True|False", help_text)

    def integer(self, name: str, default: Optional[int], help_text: str, minimum: Optional[int] = None) -> None:
        """Declares a flag that holds a whole number of at least `minimum`."""
        absl_flags.DEFINE_integer(name, default, help_text, lower_bound=minimum, flag_values=self._values)
        self._show(name, "N", help_text)

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
        self._show(name, "RATE" if name.endswith("_rate") else "NUMBER", help_text)

    def choice(self, name: str, default: Optional[str], choices: Sequence[str], help_text: str) -> None:
        """Declares a flag whose value is one of `choices`."""
        absl_flags.DEFINE_enum(name, default, list(choices), help_text, flag_values=self._values)
        self._show(name, "|".join(choices), help_text)

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
        words = self._parse_flags(self._joined(arguments))
        open_names = [name for name in self._words if not self.was_given(name)]
        self._parse_flags(["--{}={}".format(name, word) for name, word in zip(open_names, words)])
        for word in words[len(open_names) :]:
            raise UsageError(
                "unexpected argument '{}': write every option as --name=value (--help lists them)".format(word)
            )
        missing = [name for name in open_names[len(words) :] if self._words[name]]
        if missing:
            raise MissingFlagsError(self._missing_words(missing))

    def _joined(self, arguments: Sequence[str]) -> List[str]:
        """Flags joined with their values, with `_` in their names; words stay as they are.

        Raises:
          UsageError: flags are unknown, or one has no value.
        """
        result: List[str] = []
        unknown: List[str] = []
        rest = list(arguments)
        while rest:
            argument = rest.pop(0)
            if argument == "--":
                result += [argument] + rest
                break
            match = _FLAG.match(argument)
            joined = self.joined_with_value(argument, rest) if match else argument
            if match and joined is None:
                unknown.append(match.group(1))
            elif joined is not None:
                result.append(joined)
        if unknown:
            raise UsageError(self._unknown_flags_message(unknown))
        return result

    def joined_with_value(self, argument: str, rest: List[str]) -> Optional[str]:
        """Writes a flag as --name=value, and takes its value from the arguments behind it where it stands there.

        Args:
          argument: a flag, with or without a value.
          rest: the arguments behind it; a value that is taken leaves them.

        Returns:
          The flag; None for words and for flags that are not declared.

        Raises:
          UsageError: the flag has no value.
        """
        match = _FLAG.match(argument)
        name = self._declared_name(match.group(1)) if match else None
        if match is None or name is None:
            return None
        value = match.group(2)
        return "--" + name + (value if value is not None else self._next_value(name, rest))

    def _declared_name(self, written: str) -> Optional[str]:
        """The flag's name, or that of its negation, as it is declared; None where there is none."""
        name = written.replace("-", "_")
        if name in self._values:
            return name
        positive = name[len("no_") :] if name.startswith("no_") else name[len("no") :]
        return "no" + positive if name.startswith("no") and self._is_boolean(positive) else None

    def _is_boolean(self, name: str) -> bool:
        return name in self._values and bool(self._values[name].boolean)

    def _next_value(self, name: str, rest: List[str]) -> str:
        """Takes the value of a flag from the arguments behind it: "=value", or nothing for a lonely boolean."""
        if name not in self._values:  # a negation
            return ""
        if self._is_boolean(name):
            return "=" + rest.pop(0) if rest and rest[0].lower() in _TRUTH else ""
        match = _FLAG.match(rest[0]) if rest else None
        if not rest or (match and self._declared_name(match.group(1))):
            raise UsageError("--{0} has no value: write --{0}={1}".format(name, self._shown[name].kind))
        return "=" + rest.pop(0)

    def _parse_flags(self, arguments: Sequence[str]) -> List[str]:
        """Reads flags and returns the words between them."""
        try:
            return self._values(["command"] + list(arguments))[1:]
        except absl_flags.UnrecognizedFlagError as error:
            raise UsageError(self._unknown_flags_message([error.flagname])) from error
        except absl_flags.Error as error:
            raise UsageError(" ".join(str(error).split())) from error

    def require(self, *names: str) -> None:
        """Checks the declared needs, and that the named flags have values.

        Raises:
          MissingFlagsError: some have none; the message names all of them.
        """
        missing = self._missing_needs(*names)
        if missing:
            raise MissingFlagsError("{} must be given (--help lists all flags)".format(_listed(missing)))

    def _missing_needs(self, *names: str) -> List[str]:
        """In words, what has no value of the declared needs and of further names."""
        needs = self._needs + [_Need((name,)) for name in names]
        missing = {need.names for need in needs if not any(map(self._has_value, need.names + need.unless))}
        missing -= {(name,) for names in missing if len(names) > 1 for name in names}  # one of several says more
        order = [need.names for need in needs if need.names in missing]
        return [self._in_words(names) for names in sorted(dict.fromkeys(order), key=lambda names: len(names) > 2)]

    def _has_value(self, name: str) -> bool:
        return name in self._values and bool(self._values[name].value)

    def _in_words(self, names: Sequence[str]) -> str:
        written = ["--{}{}".format(name, "=True" if self._is_boolean(name) else "") for name in names]
        return written[0] if len(written) == 1 else " or ".join(written) if len(written) == 2 else _one_of(written)

    def _missing_words(self, names: Sequence[str]) -> str:
        missing = [name.upper() for name in names] + self._missing_needs()
        if len(missing) == 1:
            return "{} is missing: {} (--help lists all flags)".format(missing[0], self._shown[names[0]].meaning)
        return "{} must be given (--help lists all flags)".format(_listed(missing))

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

    def entries(self) -> List[Entry]:
        """The words and flags for --help, in the order of their declaration, words first."""
        names = list(self._words) + [name for name in self._shown if name not in self._words]
        return [self._entry(name) for name in names]

    def _entry(self, name: str) -> Entry:
        shown, is_word = self._shown[name], name in self._words
        title = name.upper() if is_word else "--{}={}".format(name, shown.kind)
        notes = [note for note in (self._need_note(name), self._default_note(name)) if note]
        text = shown.meaning + (" ({})".format("; ".join(notes)) if notes else "")
        is_required = self._words[name] if is_word else any(name in need.names for need in self._needs)
        return Entry(title, text, REQUIRED if is_required else "Words" if is_word else shown.group)

    def _need_note(self, name: str) -> str:
        for need in self._needs:
            others = [other for other in need.names + need.unless if other != name and other in self._values]
            if name in need.names and others:
                return "or --" + ", --".join(others)
        return ""

    def _default_note(self, name: str) -> str:
        value = self._values[name].value
        is_said = re.search(r"\bdefault", self._shown[name].meaning) is not None
        return "" if value in (None, "", False) or is_said else "default: " + _default_text(value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._values, name)

    def _unknown_flags_message(self, names: Sequence[str]) -> str:
        parts = []
        for name in names:
            near = suggestion(name.replace("-", "_"), list(self._values))
            parts.append("unknown flag --{}".format(name) + (": the nearest known one is --" + near if near else ""))
        return "; ".join(parts) + " (--help lists them)"


def separate_words(arguments: Sequence[str], commands: Sequence[Flags]) -> Tuple[List[str], List[str]]:
    """Separates words from flags, each of which may belong to any of several commands; the flags have their values."""
    words: List[str] = []
    options: List[str] = []
    rest = list(arguments)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("-"):
            words.append(argument)
            continue
        taken = (flags.joined_with_value(argument, rest) for flags in commands)
        options.append(next((option for option in taken if option is not None), argument))
    return words, options


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else "{} and {}".format(", ".join(words[:-1]), words[-1])


def _one_of(words: Sequence[str]) -> str:
    return "one of {} or {}".format(", ".join(words[:-1]), words[-1])


def _default_text(value: Any) -> str:
    if isinstance(value, float):
        return re.sub(r"e-0*", "e-", "{:g}".format(value))
    return ", ".join(map(_short_path, value.split(","))) if isinstance(value, str) and os.sep in value else str(value)


def _short_path(path: str) -> str:
    """A path of the project as it is written in its folder."""
    return os.path.relpath(path, ROOT) if path.startswith(ROOT + os.sep) else path


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
      description: the text that `--help` begins with; its first command is the example for what is missing.
      flags: the command's flags.
      main: is called with the parsed flags.
      arguments: the command line without the program's name; `sys.argv` by default.
    """
    arguments = sys.argv[1:] if arguments is None else arguments
    if asks_for_help(arguments):
        write_help(description, flags)
        return
    if "--version" in arguments:
        sys.stdout.write(versions_text() + "\n")
        return
    with errors_in_words(example_of(description)):
        flags.parse(arguments)
        main(flags)


def asks_for_help(arguments: Sequence[str]) -> bool:
    """Whether a command line asks for help."""
    return any(argument in ("--help", "-h", "-help") for argument in arguments)


def write_help(description: str, flags: Flags) -> None:
    """Writes the description and the flags of a command to standard output."""
    make_streams_tolerant()
    sys.stdout.write(help_page(description, flags.entries(), screen_width()))


def example_of(description: str) -> str:
    """The first command in the description of a command, in one line; empty where there is none."""
    match = re.search(r"^ *(?:python|bash) (?:.*\\\n)*.*", description, re.MULTILINE)
    command = re.sub(r"\s*\\\n\s*", " ", match.group().strip()) if match else ""
    return re.sub(r" {3,}.*", "", command)  # what it does


@contextlib.contextmanager
def errors_in_words(example: str = "") -> Iterator[None]:
    """Logs to standard error, and ends the process with one sentence there after a `UserError` or Ctrl-C.

    Args:
      example: a command that follows the sentence where flags are missing.
    """
    make_streams_tolerant()
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        yield
    except UsageError as error:
        is_missing = isinstance(error, MissingFlagsError)
        _exit_with(error, USAGE_EXIT_STATUS, "\nexample: " + example if example and is_missing else "")
    except UserError as error:
        _exit_with(error, USER_ERROR_EXIT_STATUS)
    except KeyboardInterrupt as error:
        _exit_with(UserError(str(error) or "interrupted"), INTERRUPTED_EXIT_STATUS)


def _exit_with(error: Exception, status: int, more: str = "") -> None:
    sys.stderr.write("error: {}{}\n".format(error, more))
    sys.exit(status)
