"""Columns of a terminal: the width of a text (a Chinese character takes two), and texts in lines that fit."""

from __future__ import annotations

import re
import shutil
import sys
import unicodedata
from typing import Iterator, List

_DEFAULT_WIDTH, _LEAST_WIDTH, _MOST_WIDTH = 80, 40, 100
_WIDE = ("W", "F")
_NO_LINE_BEGINS_WITH = "，。；：、！？）】》”’"
_COMMAND_WORD = re.compile(r"""(?:'[^']*'|"[^"]*"|[^\s'"])+""")


def width_of(text: str) -> int:
    """Counts the columns of a text."""
    return sum(2 if unicodedata.east_asian_width(char) in _WIDE else 1 for char in text)


def screen_width() -> int:
    """The columns of lines on standard output: those of its terminal, at most 100; 80 where it is none."""
    if not sys.stdout.isatty():
        return _DEFAULT_WIDTH
    columns = shutil.get_terminal_size((_DEFAULT_WIDTH, 24)).columns
    return min(max(columns, _LEAST_WIDTH), _MOST_WIDTH)


def wrapped(text: str, width: int) -> List[str]:
    """Breaks a text at blanks and between Chinese characters; a word that is too long has a line of its own.

    Args:
      text: words that are separated by blanks or line breaks.
      width: the columns of a line.
    """
    lines = [""]
    for piece in _pieces(text):
        if lines[-1] and width_of(lines[-1] + piece.rstrip()) > width:
            lines[-1] = lines[-1].rstrip()
            lines.append("")
        lines[-1] += piece
    lines[-1] = lines[-1].rstrip()
    return lines


def _pieces(text: str) -> Iterator[str]:
    """The parts of a text behind each of which a line may end; a blank belongs to the part before it."""
    for word in text.split():
        start = 0
        for place in range(1, len(word)):
            is_wide = any(unicodedata.east_asian_width(char) in _WIDE for char in word[place - 1 : place + 1])
            if is_wide and word[place] not in _NO_LINE_BEGINS_WITH:
                yield word[start:place]
                start = place
        yield word[start:] + " "


def wrapped_command(command: str, width: int, indent: str = "    ") -> List[str]:
    r"""Breaks a command line at blanks outside quotes; lines but the last end in a backslash, as a shell reads them.

    Args:
      command: one line; what stands behind three blanks or more is a note on it, which gets lines of its own.
      width: the columns of a line.
      indent: what stands before the first line; the others have two blanks more.
    """
    if width_of(indent + command) <= width:
        return [indent + command]
    command, _, note = re.sub(r" {3,}", "\n", command, count=1).partition("\n")
    if note:
        return wrapped_command(command, width, indent) + [indent * 2 + line for line in wrapped(note, width - 8)]
    lines, line = [], indent
    for word in _COMMAND_WORD.findall(command):
        if line.strip() and width_of(line + word) + len(" \\") > width:
            lines.append(line.rstrip() + " \\")
            line = indent + "  "
        line += word + " "
    return lines + [line.rstrip()]


def wrapped_description(description: str, width: int) -> str:
    """Breaks a description into lines that fit: paragraphs at blanks, indented commands where a shell allows it."""
    blocks = re.split(r"\n\s*\n", description.strip("\n"))
    return "\n\n".join("\n".join(_wrapped_block(block, width)) for block in blocks)


def _wrapped_block(block: str, width: int) -> List[str]:
    if not block.startswith(" "):
        return [line for paragraph in _paragraphs(block) for line in wrapped(paragraph, width)]
    joined = re.sub(r"\s*\\\n\s*", " ", block)
    return [line for command in joined.split("\n") for line in wrapped_command(command.strip(), width)]


def _paragraphs(block: str) -> List[str]:
    """A block's paragraphs: one, or each line where they are commands or the items of a list."""
    lines = block.split("\n")
    return lines if any(re.match(r"(python|bash|- )", line) for line in lines) else [" ".join(lines)]
