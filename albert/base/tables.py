"""Results as tables that read well on a screen and are Markdown."""

from __future__ import annotations

from typing import Sequence


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table with aligned columns, the first one to the left; ends with a line break."""
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    rule = ["-" * widths[0]] + ["-" * (width - 1) + ":" for width in widths[1:]]
    lines = []
    for cells in [header, rule, *rows]:
        padded = [cells[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:])]
        lines.append("| " + " | ".join(padded) + " |\n")
    return "".join(lines)
