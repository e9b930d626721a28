"""Sequences for the model of sentences whose tokens are tagged. Pure.

Each token is cut into word pieces on its own; its tag stands at the first of them. A token of which the tokenizer
leaves nothing is [UNK]. A sentence that is too long for one sequence is read in several parts that overlap: each token
is tagged by one of them, where it has some text on both sides.
"""

from __future__ import annotations

from typing import Dict, Iterable, Iterator, List, NamedTuple, Sequence

from albert.base.errors import UserError
from albert.files.features import NO_TAG, TAG_FEATURES
from albert.finetuning.feature_cache import EncodedRecord, RecordEncoder
from albert.tasks.entities import tags_of_entities
from albert.tasks.ner_rows import Sentence
from albert.tasks.task import Task
from albert.text.sequences import EncodedPair
from tokenization import FullTokenizer

_NUM_SPECIAL = 2  # [CLS] and [SEP]
_CONTEXT_PART = 4  # a quarter of a part is read on either side of the tokens that it tags


class SentencePart(NamedTuple):
    """Part of a sentence: a sequence that tags some of its tokens.

    Attributes:
      sentence: the number of the sentence.
      first: the number of the first token that it tags.
      positions: the place in the sequence of the first piece of each token that it tags.
      encoded: the sequence.
    """

    sentence: int
    first: int
    positions: List[int]
    encoded: EncodedPair


class Reach(NamedTuple):
    """Tokens of a part: it reads [begin, end) and tags [first, last)."""

    begin: int
    first: int
    last: int
    end: int


def record_encoder(task: Task, tokenizer: FullTokenizer, max_seq_length: int) -> RecordEncoder:
    """Encoder of sentences as records, of at most `max_seq_length` tokens each."""
    return RecordEncoder(
        TAG_FEATURES,
        lambda sentences: _records(sentences, parts_of(sentences, tokenizer, max_seq_length), task.labels),
        {"task": task.name, "labels": list(task.labels), "max_seq_length": max_seq_length},
        tokenizer,
        noun="sequences",
    )


def parts_of(sentences: Sequence[Sentence], tokenizer: FullTokenizer, max_seq_length: int) -> Iterator[SentencePart]:
    """Cuts sentences into sequences, in their order.

    Raises:
      UserError: `max_seq_length` leaves no room for a token.
    """
    room = max_seq_length - _NUM_SPECIAL
    if room < 1:
        raise UserError("max_seq_length {} is too short: sentences need at least 3".format(max_seq_length))
    for number, sentence in enumerate(sentences):
        pieces = [_pieces(tokenizer, sentence.text[start:end], room) for start, end in sentence.tokens]
        was_truncated = any(is_cut for _, is_cut in pieces)
        for reach in reaches([len(ids) for ids, _ in pieces], room):
            yield _part(number, [ids for ids, _ in pieces], reach, tokenizer, was_truncated)


class _Pieces(NamedTuple):
    ids: List[int]
    is_cut: bool


def _pieces(tokenizer: FullTokenizer, token: str, room: int) -> _Pieces:
    ids = tokenizer.convert_tokens_to_ids(tokenizer.tokenize(token)) or [tokenizer.unk_id]
    return _Pieces(ids[:room], len(ids) > room)


def reaches(lengths: Sequence[int], room: int) -> Iterator[Reach]:
    """Divides a sentence so that every token is tagged exactly once.

    Args:
      lengths: pieces of each token, each from 1 to `room`.
      room: the most pieces of a part.
    """
    context = room // _CONTEXT_PART
    first = 0
    while first < len(lengths):
        begin, used = first, lengths[first]
        while begin and used + lengths[begin - 1] <= min(room, lengths[first] + context):
            begin -= 1
            used += lengths[begin]
        end = first + 1
        while end < len(lengths) and used + lengths[end] <= room:
            used += lengths[end]
            end += 1
        last, after = end, 0
        while end < len(lengths) and last > first + 1 and after + lengths[last - 1] <= context:
            last -= 1
            after += lengths[last]
        yield Reach(begin, first, last, end)
        first = last


def _part(
    number: int, pieces: Sequence[List[int]], reach: Reach, tokenizer: FullTokenizer, was_truncated: bool
) -> SentencePart:
    ids = [tokenizer.cls_id]
    positions = []
    for token in range(reach.begin, reach.end):
        positions.append(len(ids))
        ids += pieces[token]
    ids.append(tokenizer.sep_id)
    positions = positions[reach.first - reach.begin : reach.last - reach.begin]
    return SentencePart(number, reach.first, positions, EncodedPair(ids, [0] * len(ids), was_truncated))


def _records(
    sentences: Sequence[Sentence], parts: Iterable[SentencePart], labels: Sequence[str]
) -> Iterator[EncodedRecord]:
    ids = {label: number for number, label in enumerate(labels)}
    tagged = -1
    tags: List[str] = []
    for index, part in enumerate(parts):
        sentence = sentences[part.sentence]
        if part.sentence != tagged:
            tagged = part.sentence
            tags = [] if sentence.entities is None else tags_of_entities(sentence.entities, sentence.tokens)
        yield EncodedRecord(_values(index, part, tags, ids), [part.encoded])


def _values(index: int, part: SentencePart, tags: Sequence[str], ids: Dict[str, int]) -> Dict[str, List[int]]:
    label_ids = [NO_TAG] * len(part.encoded.input_ids)
    for position, tag in zip(part.positions, tags[part.first :]):
        label_ids[position] = 1 + ids[tag]
    return {
        "row_index": [index],
        "input_ids": part.encoded.input_ids,
        "segment_ids": part.encoded.segment_ids,
        "label_ids": label_ids,
    }
