"""Parts of sentences whose tokens are tagged: sequences for the model that overlap in a long sentence. Pure.

Each token is cut into word pieces on its own; its tag stands at the first of them. A token of which the tokenizer
leaves nothing is [UNK]. A sentence that is too long for one sequence is read in several parts that overlap: each token
is tagged by one of them, where it has some text on both sides.
"""

from __future__ import annotations

from typing import Iterator, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.tasks.ner_rows import Sentence, word_places
from albert.text.sequences import EncodedPair
from tokenization import FullTokenizer

_NUM_SPECIAL = 2  # [CLS] and [SEP]
_OTHER = "other"  # than a letter or digit
_CONTEXT_PART = 4  # a quarter of a part is read on either side of the tokens that it tags


def token_places(text: str, reads_characters: bool) -> Tuple[Tuple[int, int], ...]:
    """Returns [start, end) of the tokens of a text that is asked.

    Args:
      text: the text.
      reads_characters: whether letters and digits are tokens one by one, as in files with a character in each line.
    """
    words = word_places(text)
    if not reads_characters:
        return words
    return tuple((place, place + 1) for start, end in words for place in range(start, end))


def are_characters(sentences: Sequence[Sentence]) -> Optional[bool]:
    """Whether letters and digits are tokens one by one; None where sentences have no two that stand together."""
    alone = together = 0
    for sentence in sentences:
        before = (0, 0)
        for start, end in sentence.tokens:
            together += len(set(map(_kind_of, sentence.text[start:end]))) == 1 < end - start
            neighbours = sentence.text[before[0] : end] if before[1] == start else ""
            alone += len(neighbours) == 2 and _kind_of(neighbours[0]) == _kind_of(neighbours[1]) != _OTHER
            before = (start, end)
    return alone > together if alone or together else None


def _kind_of(char: str) -> str:
    if not char.isalnum() or char > "\x7f":
        return _OTHER
    return "digit" if char.isdigit() else "letter"


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


def parts_of(sentences: Sequence[Sentence], tokenizer: FullTokenizer, max_seq_length: int) -> Iterator[SentencePart]:
    """Cuts sentences into sequences, in their order; none of a sentence without tokens.

    Raises:
      UserError: `max_seq_length` leaves no room for a token.
    """
    room = max_seq_length - _NUM_SPECIAL
    if room < 1:
        raise UserError("max_seq_length {} is too short: sentences need at least 3".format(max_seq_length))
    for number, sentence in enumerate(sentences):
        pieces = [_pieces(tokenizer, sentence.text[start:end]) for start, end in sentence.tokens]
        was_truncated = any(len(ids) > room for ids in pieces)
        pieces = [ids[:room] for ids in pieces]
        for reach in reaches([len(ids) for ids in pieces], room):
            yield _part(number, pieces, reach, tokenizer, was_truncated)


def _pieces(tokenizer: FullTokenizer, token: str) -> List[int]:
    return tokenizer.convert_tokens_to_ids(tokenizer.tokenize(token)) or [tokenizer.unk_id]


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
