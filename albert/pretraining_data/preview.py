"""Preview of examples for a person: the text with its predictions marked, and the sentence-order label."""

from __future__ import annotations

from collections import Counter
from itertools import groupby, islice
from typing import AbstractSet, Callable, Iterator, List, Sequence

from albert.files.features import NO_SENTENCE_ORDER
from albert.pretraining_data.examples import IN_ORDER, SWAPPED, ExampleBatch
from albert.pretraining_data.shards import ShardBuilder, ShardTask
from tokenization import CLS_TOKEN, CONTINUATION_PREFIX, SEP_TOKEN, is_chinese_character

ToTokens = Callable[[Sequence[int]], List[str]]

LEGEND = "【what the model must predict → what it sees instead】; 【word】 alone: to predict, and seen unchanged"
_ORDER_TEXTS = {
    IN_ORDER: "in order (0)",
    SWAPPED: "swapped (1)",
    NO_SENTENCE_ORDER: "none: one segment only (-1)",
}


def preview(builder: ShardBuilder, task: ShardTask, count: int, to_tokens: ToTokens) -> Iterator[str]:
    """Yields texts of the first examples of a shard, in their order before shuffling.

    Args:
      builder: makes the examples.
      task: the shard; nothing is written.
      count: how many examples.
      to_tokens: token ids → tokens.
    """
    texts = (
        example_text(examples, row, to_tokens)
        for _, examples in builder.examples(task, Counter())
        for row in range(len(examples.num_tokens))
    )
    for number, text in enumerate(islice(texts, count), start=1):
        yield "example {}: {}".format(number, text)


def example_text(examples: ExampleBatch, row: int, to_tokens: ToTokens) -> str:
    """Returns one example of a batch as text."""
    num_tokens, num_predictions = int(examples.num_tokens[row]), int(examples.num_predictions[row])
    seen = to_tokens(examples.input_ids[row, :num_tokens].tolist())
    original = list(seen)
    positions = examples.positions[row, :num_predictions].tolist()
    for position, token in zip(positions, to_tokens(examples.labels[row, :num_predictions].tolist())):
        original[position] = token
    return "sentence order {}, {} of {} tokens to predict\n  {}".format(
        _ORDER_TEXTS[int(examples.sentence_order[row])],
        num_predictions,
        num_tokens,
        _marked(original, seen, set(positions)),
    )


def _marked(original: List[str], seen: List[str], positions: AbstractSet[int]) -> str:
    parts = []
    for is_predicted, group in groupby(range(len(seen)), key=lambda place: place in positions):
        places = list(group)
        word = readable([original[place] for place in places])
        if is_predicted:
            shown = readable([seen[place] for place in places])
            word = "【{}】".format(word if word == shown else "{} → {}".format(word, shown))
        parts.append(word)
    return " ".join(parts)


def readable(tokens: Sequence[str]) -> str:
    """Returns tokens as text: pieces joined to words, a blank only between words that are written with one."""
    text = ""
    before = ""
    for token in tokens:
        if token.startswith(CONTINUATION_PREFIX):
            text += token[len(CONTINUATION_PREFIX) :]
        else:
            text += " " + token if before and _are_apart(before, token) else token
        before = token
    return text


def _are_apart(left: str, right: str) -> bool:
    return not {left, right}.isdisjoint((CLS_TOKEN, SEP_TOKEN)) or (_is_latin(left[-1]) and _is_latin(right[0]))


def _is_latin(char: str) -> bool:
    return char.isalnum() and not is_chinese_character(char)
