"""Help page of a command: what it does, then its words and flags in groups, in lines that fit the screen."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Sequence

from albert.base.columns import width_of, wrapped, wrapped_description

REQUIRED, RARE = "Required", "TPU (published, rarely needed)"
_FIRST_GROUPS = (REQUIRED, "Data", "Model", "Training", "Evaluation", "Devices", "Logging")
_TITLE_COLUMNS = 32  # of a flag and its type, and the blanks before and behind them
_FOOTER = (
    "Write --name=value or --name value; a flag that is True or False may stand alone (--name, --noname), and is False "
    "where no default is named. Every command has --help and --version."
)


class Entry(NamedTuple):
    """One word or flag of a command.

    Attributes:
      title: what is written, with the type of the value: --data_dir=FOLDER.
      text: what it means, its default, and whether it is required.
      group: the heading under which it stands.
    """

    title: str
    text: str
    group: str


def help_page(description: str, entries: Sequence[Entry], width: int) -> str:
    """Writes the page.

    Args:
      description: paragraphs, and indented commands.
      entries: the words and flags; those of a group keep their order.
      width: the columns of a line.
    """
    by_group: Dict[str, List[Entry]] = {}
    for entry in entries:
        by_group.setdefault(entry.group, []).append(entry)
    parts = [wrapped_description(description, width)]
    for group in sorted(by_group, key=_place):  # the sort is stable: other groups keep their order
        lines = [line for entry in by_group[group] for line in _entry_lines(entry, width)]
        parts.append("\n".join([group + ":"] + lines))
    if entries:
        parts.append("\n".join(wrapped(_FOOTER, width)))
    return "\n\n".join(parts) + "\n"


def _place(group: str) -> int:
    if group == RARE:
        return len(_FIRST_GROUPS) + 1
    return _FIRST_GROUPS.index(group) if group in _FIRST_GROUPS else len(_FIRST_GROUPS)


def _entry_lines(entry: Entry, width: int) -> List[str]:
    title = "  " + entry.title
    indent = " " * _TITLE_COLUMNS
    lines = [indent + line for line in wrapped(entry.text, width - _TITLE_COLUMNS)]
    if width_of(title) + 2 > _TITLE_COLUMNS:
        return [title] + lines
    return [title + " " * (_TITLE_COLUMNS - width_of(title)) + lines[0].lstrip()] + lines[1:]
