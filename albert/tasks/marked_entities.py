"""Entities of marked spans: blanks at their ends are left off, words are taken whole, and none may overlap.

A model tags words: Chinese characters, marks, and runs of letters or of digits. A span that begins or ends inside of a
word takes the whole word. Whatever is not as the file has it is counted, and the log says it.
"""

from __future__ import annotations

import logging
from typing import Dict, Iterable, List, Sequence, Tuple

from albert.tasks.entities import Entity, tokens_of
from albert.tasks.json_rows import JsonObject
from albert.tasks.span_values import TextSpan

_log = logging.getLogger(__name__)

OVERLAPS = "overlaps"  # the key in task files
ERROR, LONGEST = "error", "longest"

# What may be changed, said of one entity and of several.
_TWICE = ("is marked twice and counts once", "are marked twice and count once")
_BLANKS = ("has blanks at its ends, which are left off", "have blanks at their ends, which are left off")
_WORDS = (
    "begins or ends inside of a word and takes the whole word",
    "begin or end inside of words and take whole words",
)
_DROPPED = ("overlaps a longer one and is left out", "overlap longer ones and are left out")
_Change = Tuple[str, str]


class EntityReader:
    """Reader of the entities of a file's texts; it counts what it changes.

    Args:
      path: of the file.
      overlaps: ERROR, or LONGEST to keep the longest of entities that overlap.
    """

    def __init__(self, path: str, overlaps: str = ERROR) -> None:
        self._path = path
        self._overlaps = overlaps
        self._counts: Dict[_Change, int] = {}
        self._first: Dict[_Change, str] = {}

    def entities(
        self, entry: JsonObject, text: str, tokens: Sequence[Tuple[int, int]], spans: Iterable[TextSpan]
    ) -> Tuple[Entity, ...]:
        """Returns the entities of a text, in order.

        Args:
          entry: for messages.
          text: the text.
          tokens: [start, end) of its words.
          spans: in characters, in the text (`span_values.placed`).

        Raises:
          UserError: a span has no word, or two of them overlap.
        """
        found: Dict[Entity, None] = {}  # in their order
        for span in spans:
            entity = Entity(span.start, span.end, span.type)
            places = tokens_of(entity, tokens)
            if not places:
                raise entry.error("has a span from {} to {} ({}) without any word".format(*entity))
            whole = Entity(tokens[places[0]][0], tokens[places[-1]][1], span.type)
            self._count_change(entry, text, entity, whole)
            if whole in found:
                self._count(_TWICE, entry, text, whole)
            else:
                found[whole] = None
        return tuple(sorted(self._without_overlaps(entry, text, list(found))))

    def _count_change(self, entry: JsonObject, text: str, entity: Entity, whole: Entity) -> None:
        if whole.start < entity.start or whole.end > entity.end:
            self._count(_WORDS, entry, text, entity)
        elif whole != entity:
            self._count(_BLANKS, entry, text, entity)

    def _without_overlaps(self, entry: JsonObject, text: str, entities: Sequence[Entity]) -> List[Entity]:
        """Of entities that overlap the longest is kept, of equals the first."""
        kept: List[Entity] = []
        taken: Dict[int, Entity] = {}  # the entity at each character
        for entity in sorted(entities, key=lambda found: (found.start - found.end, found)):
            other = next((taken[place] for place in range(entity.start, entity.end) if place in taken), None)
            if other is None:
                kept.append(entity)
                taken.update((place, entity) for place in range(entity.start, entity.end))
            elif self._overlaps == ERROR:
                raise entry.error(
                    "has entities that overlap, {} and {}: tags hold one of them, so remove one, or set "
                    '"{}": "{}" in the task file to keep the longest'.format(
                        _shown(text, other), _shown(text, entity), OVERLAPS, LONGEST
                    )
                )
            else:
                self._count(_DROPPED, entry, text, entity)
        return kept

    def _count(self, what: _Change, entry: JsonObject, text: str, entity: Entity) -> None:
        self._counts[what] = self._counts.get(what, 0) + 1
        self._first.setdefault(what, "{} of {} {}".format(_shown(text, entity), entry.unit, entry.line))

    def log_changes(self) -> None:
        """Logs what is not as the file has it."""
        for what, count in self._counts.items():
            _log.info(
                "%s: %s %s; the first is %s.",
                self._path,
                "1 entity" if count == 1 else "{:,} entities".format(count),
                what[count > 1],
                self._first[what],
            )


def _shown(text: str, entity: Entity) -> str:
    return "'{}' ({}, {} to {})".format(text[entity.start : entity.end][:40], entity.type, entity.start, entity.end)
