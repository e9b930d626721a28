"""Templates of everyday Chinese sentences, read from `sample_pair_intents.txt`, and their sentences.

The file says its own format in its first lines.
"""

from __future__ import annotations

import os
import re
from typing import Dict, List, NamedTuple, Sequence, Tuple

INTENTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "sample_pair_intents.txt")
KINDS = ("other", "opposite", "swap", "symmetric")
SLOT = re.compile(r"{(\w+?)([12]?)}")


class Value(NamedTuple):
    """Slot value: all its names; the first is the usual one."""

    names: Tuple[str, ...]


class Family(NamedTuple):
    """Intents with the same slots, all of another meaning.

    Attributes:
      name: name of the family.
      kinds: how its sentences can differ in meaning: words of `KINDS`.
      slots: slots of every template, as written in braces.
      intents: templates of each intent.
    """

    name: str
    kinds: Tuple[str, ...]
    slots: Tuple[str, ...]
    intents: Tuple[Tuple[str, ...], ...]


Lists = Dict[str, List[Value]]
Filling = Tuple[Value, ...]


class TemplateError(Exception):
    """Error: a line of the templates is wrong."""


def list_of(slot: str) -> str:
    """Returns the list that a slot takes its values from: of "城市1", "城市"."""
    return slot.rstrip("12")


def slots_of(template: str) -> Tuple[str, ...]:
    """Returns the slots of a template, each once, sorted."""
    return tuple(sorted({name + role for name, role in SLOT.findall(template)}))


def split_bar(text: str) -> List[str]:
    """Splits at the bars."""
    return [part.strip() for part in text.split("|")]


def read_templates(path: str = INTENTS) -> Tuple[Lists, List[Family]]:
    """Reads value lists and families.

    Raises:
      TemplateError: a line is of no known form, or the templates of a family differ in their slots.
    """
    lists: Lists = {}
    families: List[Family] = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(map(str.strip, file), 1):
            if line.startswith("@"):
                name, values = line[1:].split(" = ")
                lists[name] = [Value(tuple(value.split("/"))) for value in split_bar(values)]
            elif line.startswith("["):
                name, kinds = line[1:].split("]")
                families.append(Family(name, tuple(kinds.split()), (), ()))
            elif line.startswith("- "):
                families[-1] = add_intent(families[-1], tuple(split_bar(line[2:])), number)
            elif line and not line.startswith("#"):
                raise TemplateError(f"line {number} begins with none of @ [ - #: {line}")
    return lists, families


def add_intent(family: Family, templates: Tuple[str, ...], number: int) -> Family:
    """Returns the family with one more intent."""
    slots = family.slots or slots_of(templates[0])
    for template in templates:
        if slots_of(template) != slots:
            raise TemplateError(f"line {number}: these slots are needed: {', '.join(slots)}; got {template}")
    unknown = set(family.kinds) - set(KINDS)
    if unknown:
        raise TemplateError(f"family {family.name}: unknown kinds {sorted(unknown)}; known: {', '.join(KINDS)}")
    return family._replace(slots=slots, intents=family.intents + (templates,))


def fill(template: str, slots: Sequence[str], names: Sequence[str]) -> str:
    """Puts the names of the slots' values into a template."""
    for slot, name in zip(slots, names):
        template = template.replace("{" + slot + "}", name)
    return template
