"""Entities and their tags: BIO as the model learns it, BIOES, BMES and BILOU as files may have it; entity F1."""

from __future__ import annotations

from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

OUTSIDE = "O"
_BEGIN, _INSIDE = "B", "I"
_CONTINUATIONS = frozenset("IME")
_ENDINGS = frozenset("ES")
PREFIXES = "BIMES"
_OTHER_PREFIXES = {"L": "E", "U": "S", "W": "S"}  # of BILOU and BMEWO


class Entity(NamedTuple):
    """Entity [start, end) of a sentence, in characters of its text or in its tokens."""

    start: int
    end: int
    type: str


class Tag(NamedTuple):
    """Tag as prefix and type; both empty outside of entities."""

    prefix: str
    type: str


class TagReading(NamedTuple):
    """Entities that were read from tags.

    Attributes:
      entities: in order, in tokens.
      repaired: places of tags that continue an entity that never began; an entity begins there.
    """

    entities: List[Entity]
    repaired: List[int]


def bio_tags(types: Sequence[str]) -> Tuple[str, ...]:
    """Returns the BIO tags of entity types: "O", then "B-" and "I-" of each."""
    return (OUTSIDE,) + tuple("{}-{}".format(prefix, kind) for kind in types for prefix in (_BEGIN, _INSIDE))


def parse_tag(text: str) -> Optional[Tag]:
    """Returns the parts of a tag of BIO, BIOES, BMES, BILOU or BMEWO; None where the text is not one."""
    if text == OUTSIDE:
        return Tag("", "")
    prefix, separator, kind = text.partition("-")
    prefix = _OTHER_PREFIXES.get(prefix, prefix)
    return Tag(prefix, kind) if separator and kind and len(prefix) == 1 and prefix in PREFIXES else None


def entities_of_tags(tags: Sequence[Tag]) -> TagReading:
    """Reads entities from tags as conlleval and seqeval do.

    A tag that continues an entity (I, M, E) begins one where no entity of its type is before it.
    """
    entities: List[Entity] = []
    repaired: List[int] = []
    begin: Optional[int] = None
    for place, tag in enumerate(tags):
        continues = tag.prefix in _CONTINUATIONS
        if begin is not None and not (continues and tag.type == tags[place - 1].type):
            entities.append(Entity(begin, place, tags[place - 1].type))
            begin = None
        if begin is None and tag.prefix:
            begin = place
            if continues:
                repaired.append(place)
        if begin is not None and tag.prefix in _ENDINGS:
            entities.append(Entity(begin, place + 1, tag.type))
            begin = None
    if begin is not None:
        entities.append(Entity(begin, len(tags), tags[-1].type))
    return TagReading(entities, repaired)


def tags_of_entities(entities: Iterable[Entity], tokens: Sequence[Tuple[int, int]]) -> List[str]:
    """Returns the BIO tags of tokens; of overlapping entities the longest is kept; a token that it cuts belongs to it.

    Args:
      entities: in characters.
      tokens: [start, end) of each, in characters, in order.
    """
    tags = [OUTSIDE] * len(tokens)
    for entity in sorted(entities, key=lambda found: (found.start - found.end, found)):
        places = tokens_of(entity, tokens)
        if all(tags[place] == OUTSIDE for place in places):
            for place in places:
                tags[place] = "{}-{}".format(_INSIDE if place > places[0] else _BEGIN, entity.type)
    return tags


def tokens_of(entity: Entity, tokens: Sequence[Tuple[int, int]]) -> range:
    """Returns the places of the tokens that have a part of an entity; arguments as `tags_of_entities`."""
    begin = _first_token(tokens, lambda token: token[1] > entity.start)
    return range(begin, _first_token(tokens, lambda token: token[0] >= entity.end, begin))


def _first_token(tokens: Sequence[Tuple[int, int]], is_behind: Callable[[Tuple[int, int]], bool], low: int = 0) -> int:
    """The place of the first token from which on all are behind something, by halving."""
    high = len(tokens)
    while low < high:
        middle = (low + high) // 2
        if is_behind(tokens[middle]):
            high = middle
        else:
            low = middle + 1
    return low


class EntityScore(NamedTuple):
    """Score of entities that were found.

    Attributes:
      gold, predicted, right: how many there are, were found, and were found with the exact place and type.
    """

    gold: int = 0
    predicted: int = 0
    right: int = 0

    @property
    def precision(self) -> float:
        """Share of the found entities that are right, 0 to 1; 0 where nothing was found."""
        return self.right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """Share of the entities that were found, 0 to 1; 0 where there is nothing to find."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall, 0 to 1; 0 where it is not defined."""
        return 2 * self.right / (self.gold + self.predicted) if self.gold + self.predicted else 0.0


def entity_scores(gold: Sequence[Iterable[Entity]], predicted: Sequence[Iterable[Entity]]) -> Dict[str, EntityScore]:
    """Returns the scores of each type that occurs, in the order of their names.

    Args:
      gold, predicted: the entities of each sentence.

    Raises:
      ValueError: the numbers of sentences differ.
    """
    if len(gold) != len(predicted):
        raise ValueError("{} predictions for {} sentences".format(len(predicted), len(gold)))
    counts: Dict[str, List[int]] = {}
    for right, found in zip(gold, predicted):
        right, found = frozenset(right), frozenset(found)
        for place, entities in enumerate((right, found, right & found)):
            for entity in entities:
                counts.setdefault(entity.type, [0, 0, 0])[place] += 1
    return {kind: EntityScore(*counts[kind]) for kind in sorted(counts)}


def over_all_types(scores: Dict[str, EntityScore]) -> EntityScore:
    """Returns the micro-averaged score: of all entities together, of any type."""
    return EntityScore(*(sum(column) for column in zip(*scores.values()))) if scores else EntityScore()
