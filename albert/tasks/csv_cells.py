"""Cells of a line of comma-separated text, of any length and with any character in them."""

from __future__ import annotations

import re
from typing import List

_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"')
_PLAIN = re.compile("[^,]*")


def csv_cells(text: str) -> List[str]:
    """Returns the cells of a line; in one that begins with a quote, commas are text and doubled quotes are one.

    Raises:
      ValueError: a quote is not closed, or something stands between it and the next comma.
    """
    if '"' not in text:
        return text.split(",")
    cells: List[str] = []
    place = -1
    while place < len(text):
        place += 1
        is_quoted = text.startswith('"', place)
        match = (_QUOTED if is_quoted else _PLAIN).match(text, place)
        if match is None:
            raise ValueError("the quote at character {} is not closed".format(place + 1))
        cells.append(match.group(1).replace('""', '"') if is_quoted else match.group())
        place = match.end()
        if text[place : place + 1] not in ("", ","):
            raise ValueError("there is text behind the closing quote at character {}".format(place))
    return cells
