"""Sequences of one or two texts: ids and segments as the model reads them, and batches of them. Pure functions."""

from __future__ import annotations

from typing import Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from albert.base.errors import UserError
from tokenization import FullTokenizer


class EncodedPair(NamedTuple):
    """Sequence of one or two texts as the model reads it.

    Attributes:
      input_ids: [S] ids of `[CLS] a [SEP]` or `[CLS] a [SEP] b [SEP]`, S at most max_seq_length.
      segment_ids: [S] 0 through the first [SEP], then 1.
      was_truncated: whether tokens were left out.
    """

    input_ids: List[int]
    segment_ids: List[int]
    was_truncated: bool


def encode_pair(tokenizer: FullTokenizer, text_a: str, text_b: Optional[str], max_seq_length: int) -> EncodedPair:
    """Encodes one text (`text_b` None) or a pair of at most `max_seq_length` tokens, special ones included.

    Raises:
      UserError: `max_seq_length` leaves no room for a token of each text.
    """
    ids_b = None if text_b is None else text_ids(tokenizer, text_b)
    return join_ids(tokenizer, text_ids(tokenizer, text_a), ids_b, max_seq_length)


def text_ids(tokenizer: FullTokenizer, text: str) -> List[int]:
    """Returns the ids of the tokens of a text, without special tokens."""
    return tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))


def join_ids(
    tokenizer: FullTokenizer, ids_a: List[int], ids_b: Optional[List[int]], max_seq_length: int
) -> EncodedPair:
    """Encodes texts that are ids already: adds the special tokens; otherwise as `encode_pair`."""
    num_texts = 1 if ids_b is None else 2
    room = max_seq_length - 1 - num_texts  # [CLS], and a [SEP] after each text
    if room < num_texts:
        raise UserError(
            "max_seq_length {} is too short: {} need{} at least {}".format(
                max_seq_length, *(("a text", "s", 3) if ids_b is None else ("two texts", "", 5))
            )
        )
    length_a, length_b = lengths_that_fit(len(ids_a), len(ids_b or ()), room)
    input_ids = [tokenizer.cls_id] + ids_a[:length_a] + [tokenizer.sep_id]
    segment_ids = [0] * len(input_ids)
    if ids_b is not None:
        input_ids += ids_b[:length_b] + [tokenizer.sep_id]
        segment_ids += [1] * (length_b + 1)
    return EncodedPair(input_ids, segment_ids, len(ids_a) + len(ids_b or ()) > room)


class FittingLengths(NamedTuple):
    """Numbers of tokens that are kept of each text."""

    a: int
    b: int


def lengths_that_fit(length_a: int, length_b: int, room: int) -> FittingLengths:
    """Returns the lengths of two texts when the longer one loses its last token until both fit into `room`.

    If both are equally long the second one loses a token (BERT, run_classifier), so it keeps at most `room // 2`
    tokens, and more only where the first one leaves room.
    """
    if length_a + length_b <= room:
        return FittingLengths(length_a, length_b)
    kept_b = min(length_b, max(room - length_a, room // 2))
    return FittingLengths(room - kept_b, kept_b)


def pad_batch(rows: Sequence[EncodedPair], pad_id: int, seq_length: Optional[int] = None) -> Dict[str, np.ndarray]:
    """Returns rows as the model's inputs by name, each int32 [rows, S]; S is the longest row's length unless given."""
    shape = (len(rows), seq_length or max(len(row.input_ids) for row in rows))
    input_ids, input_mask, segment_ids = (np.zeros(shape, np.int32) for _ in range(3))
    input_ids.fill(pad_id)
    for index, row in enumerate(rows):
        length = len(row.input_ids)
        input_ids[index, :length] = row.input_ids
        input_mask[index, :length] = 1
        segment_ids[index, :length] = row.segment_ids
    return {"input_ids": input_ids, "input_mask": input_mask, "segment_ids": segment_ids}
