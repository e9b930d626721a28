"""Table of what went wrong on a split, the worst first: columns separated by tabs, under their names."""

from __future__ import annotations

from typing import Iterable, Sequence, Tuple

from albert.files.complete import CompleteFile

_ESCAPES = {ord("\t"): "\\t", ord("\n"): "\\n", ord("\r"): "\\r"}


def write_table(path: str, columns: Sequence[str], rows: Iterable[Tuple[float, Sequence[str]]]) -> int:
    """Writes a table and returns the number of its rows; tabs and ends of lines in a text are written as in a program.

    Args:
      path: the file.
      columns: their names.
      rows: how wrong each row is, by which they are sorted, and its cells.
    """
    ordered = sorted(rows, key=lambda row: -row[0])
    with CompleteFile(path) as file:
        for cells in [columns, *(cells for _, cells in ordered)]:
            file.write(("\t".join(cell.translate(_ESCAPES) for cell in cells) + "\n").encode("utf-8"))
    return len(ordered)
