"""Reading of tags: the answers of a sentence's parts as one, and the entities in them. Pure."""

from __future__ import annotations

from typing import Iterable, List, NamedTuple, Sequence

import numpy as np

from albert.inference.sentence_parts import SentencePart
from albert.tasks.entities import Entity, entities_of_tags, parse_tag
from albert.tasks.ner_rows import Sentence


class ReadEntity(NamedTuple):
    """Entity that was read from tags, in characters of the sentence, and its tokens [first, last)."""

    entity: Entity
    first: int
    last: int


def other_labels(labels: Sequence[str]) -> List[str]:
    """Lists the labels that are no tags of entities, and from which therefore no entity can be read."""
    return [label for label in labels if parse_tag(label) is None]


def token_answers(parts: Iterable[SentencePart], answers: Sequence[np.ndarray], num_sentences: int) -> List[np.ndarray]:
    """Collects the answers [tokens, tags] for each sentence, one for each of its tokens.

    Args:
      parts: of all sentences, in order.
      answers: of the model for each part, [at least its length, tags].
      num_sentences: how many sentences there are.
    """
    found: List[List[np.ndarray]] = [[] for _ in range(num_sentences)]
    for part, answer in zip(parts, answers):
        found[part.sentence].append(answer[part.positions])
    return [np.concatenate(rows) if rows else np.zeros([0, 0], np.float32) for rows in found]


def read_entities(labels: Sequence[str], sentence: Sentence, answer: np.ndarray) -> List[ReadEntity]:
    """Reads the entities off the likeliest tag of each token.

    Args:
      labels: the tags by id, all of which are tags (`entities.parse_tag`).
      sentence: with its tokens.
      answer: [tokens, tags], the larger the likelier.
    """
    if not len(answer):
        return []
    tags = [parse_tag(labels[tag]) for tag in answer.argmax(axis=1)]
    reading = entities_of_tags([tag for tag in tags if tag is not None])
    tokens = sentence.tokens
    return [
        ReadEntity(Entity(tokens[found.start][0], tokens[found.end - 1][1], found.type), found.start, found.end)
        for found in reading.entities
    ]
