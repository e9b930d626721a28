"""Candidate sentence pairs of the sample, drawn from the templates for each split.

A split has slot values, combinations of templates, and some families, that no other split has.
"""

from __future__ import annotations

import functools
import itertools
import random
from typing import Dict, FrozenSet, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from sample_pair_templates import Family, Filling, Lists, fill, list_of

SPLITS = ("train", "dev", "test")
SAME = "same"
DIFFERENT = ("other_slot", "other_intent", "other_role")
HELD_OUT_SHARE = 0.12  # of the families, for dev and for test each
VALUE_SHARE = 0.2  # of the values of each list, for dev and for test each
TEMPLATE_SHARE = 0.15  # of the combinations of two templates, for dev and for test each
ALL_USUAL = 0.4  # share of pairs in which each value has its usual name

Template = Tuple[str, int, int]
Traits = Tuple[Tuple[str, float], ...]


class Sentence(NamedTuple):
    """Filled template: family, intent and template within it, values."""

    text: str
    template: Template
    filling: Filling


class Candidate(NamedTuple):
    """Pair of sentences.

    Attributes:
      texts: both sentences.
      kind: `SAME`, or one of `DIFFERENT`.
      overlap: share of characters in common, 0 to 1.
      traits: what must not reveal the label, with weights.
    """

    texts: Tuple[str, str]
    kind: str
    overlap: float
    traits: Traits


def make_candidate(first: Sentence, second: Sentence, kind: str) -> Candidate:
    """Makes a candidate of two sentences."""
    return Candidate((first.text, second.text), kind, overlap(first.text, second.text), traits(first, second))


def traits(first: Sentence, second: Sentence) -> Traits:
    """Returns the templates, the values, and the characters that only one sentence has."""
    found = [("{} {} {}".format(*sentence.template), 3.0) for sentence in (first, second)]
    found += [(value.names[0], 0.3) for sentence in (first, second) for value in sentence.filling]
    return tuple(found + [(character, 1.0) for character in sorted(set(first.text) ^ set(second.text))])


def overlap(first: str, second: str) -> float:
    """Returns the share of common characters and character pairs among all of both sentences."""
    one, two = grams(first), grams(second)
    return len(one & two) / len(one | two)


def grams(text: str) -> FrozenSet[str]:
    """Returns the characters and the pairs of neighbouring characters of a text."""
    return frozenset(text) | frozenset(a + b for a, b in zip(text, text[1:]))


def split_values(lists: Lists, seed: str) -> Dict[str, Lists]:
    """Gives each value of each list to one split."""
    splits: Dict[str, Lists] = {split: {} for split in SPLITS}
    for name, values in lists.items():
        mixed = list(values)
        random.Random(f"{seed} values {name}").shuffle(mixed)
        few = max(2, round(len(mixed) * VALUE_SHARE))
        splits["dev"][name], splits["test"][name] = mixed[:few], mixed[few : 2 * few]
        splits["train"][name] = mixed[2 * few :]
    return splits


def split_families(families: Sequence[Family], seed: str) -> Dict[str, List[Family]]:
    """Returns the families of each split: some in dev or in test only, the others in all."""
    mixed = list(families)
    random.Random(f"{seed} families").shuffle(mixed)
    few = round(len(mixed) * HELD_OUT_SHARE)
    shared = mixed[2 * few :]
    return {"train": shared, "dev": shared + mixed[:few], "test": shared + mixed[few : 2 * few]}


@functools.lru_cache(maxsize=None)
def split_of(one: Template, two: Template, seed: str) -> str:
    """Returns the split of a combination of templates, given in ascending order."""
    place = random.Random(f"{seed} templates {one} {two}").random()
    if place < 1 - 2 * TEMPLATE_SHARE:
        return "train"
    return "dev" if place < 1 - TEMPLATE_SHARE else "test"


class Drawer:
    """Draws candidates of one family for one split.

    Args:
      family: the family.
      split: the split.
      shared: whether other splits have the family, too.
      values: slot values of the split.
      seed: seed of the data set.
    """

    def __init__(self, family: Family, split: str, shared: bool, values: Lists, seed: str) -> None:
        self.family, self.split, self.shared, self.seed = family, split, shared, seed
        self.values = [values[list_of(slot)] for slot in family.slots]
        self.rng = random.Random(f"{seed} candidates {split} {family.name}")

    def candidates(self, draws: int) -> Iterator[Candidate]:
        """Draws pairs of each kind that the family has, at most `draws` of a kind."""
        for kind in self.kinds():
            for _ in range(draws):
                pair = self.draw(kind)
                if pair:
                    yield pair

    def kinds(self) -> List[str]:
        """Returns the kinds of pairs of the family."""
        several, kinds = len(self.family.intents) > 1, self.family.kinds
        found = [SAME, "other_slot"]
        if several and "other" in kinds:
            found.append("other_intent")
        if "swap" in kinds or (several and "opposite" in kinds):
            found.append("other_role")
        return found

    def draw(self, kind: str) -> Optional[Candidate]:
        """Draws a pair of a kind, or nothing: values or templates can be equal, or of another split."""
        filling = tuple(map(self.rng.choice, self.values))
        if has_equal_values(filling):
            return None
        other = self.other_filling(kind, filling)
        intent = self.rng.randrange(len(self.family.intents))
        step = self.intent_step(kind, filling != other)
        first, second = self.template_of(intent), self.template_of((intent + step) % len(self.family.intents))
        if has_equal_values(other) or not self.owns(first, second):
            return None
        usual = self.rng.random() < ALL_USUAL
        one, two = self.sentence(first, filling, usual), self.sentence(second, other, usual)
        return None if one.text == two.text else make_candidate(one, two, kind)

    def other_filling(self, kind: str, filling: Filling) -> Filling:
        """Returns the values of the second sentence."""
        if kind == "other_slot":
            place = self.rng.randrange(len(filling))
            other = self.rng.choice([value for value in self.values[place] if value != filling[place]])
            return filling[:place] + (other,) + filling[place + 1 :]
        may_exchange = "symmetric" if kind == SAME else "swap" if kind == "other_role" else None
        if may_exchange not in self.family.kinds:
            return filling
        must = kind == "other_role" and not ("opposite" in self.family.kinds and len(self.family.intents) > 1)
        return self.exchanged(filling) if must or self.rng.random() < 0.5 else filling

    def exchanged(self, filling: Filling) -> Filling:
        """Returns the filling with the values of the slots 1 and 2 exchanged."""
        by_slot = dict(zip(self.family.slots, filling))
        partner = {slot: slot[:-1] + {"1": "2", "2": "1"}[slot[-1]] for slot in by_slot if slot[-1] in "12"}
        return tuple(by_slot[partner.get(slot, slot)] for slot in self.family.slots)

    def intent_step(self, kind: str, other_filling: bool) -> int:
        """Returns how far the second sentence's intent is from the first one's."""
        if kind == "other_intent" or (kind == "other_role" and not other_filling):
            return self.rng.randrange(1, len(self.family.intents))
        return 0

    def template_of(self, intent: int) -> Template:
        """Draws a template of an intent."""
        return (self.family.name, intent, self.rng.randrange(len(self.family.intents[intent])))

    def owns(self, first: Template, second: Template) -> bool:
        """Whether a combination of templates is of this split; a family of one split has them all."""
        one, two = sorted((first, second))
        return not self.shared or split_of(one, two, self.seed) == self.split

    def sentence(self, template: Template, filling: Filling, usual: bool) -> Sentence:
        """Fills a template, with the usual names of the values or with any."""
        names = [value.names[0] if usual else self.rng.choice(value.names) for value in filling]
        text = fill(self.family.intents[template[1]][template[2]], self.family.slots, names)
        return Sentence(text, template, filling)


def has_equal_values(filling: Filling) -> bool:
    """Whether two slots have the same value."""
    return len(set(filling)) < len(filling)


def all_candidates(
    lists: Lists, families: Sequence[Family], counts: Dict[str, int], seed: str
) -> Dict[str, List[Candidate]]:
    """Returns candidates of each split, several times as many as the pairs that are needed."""
    values, members = split_values(lists, seed), split_families(families, seed)
    found: Dict[str, List[Candidate]] = {}
    for split in SPLITS:
        drawers = [Drawer(one, split, one in members["train"], values[split], seed) for one in members[split]]
        draws = 80 + counts[split] // 32
        found[split] = list(itertools.chain.from_iterable(drawer.candidates(draws) for drawer in drawers))
    return found
