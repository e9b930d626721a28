"""Long texts for a model of short sequences: cut, head and tail, or windows whose answers become one. Pure.

A row that fits is one sequence, the same in every way of reading. Of one that does not fit:

| way | what is read |
|---|---|
| cut | the beginning |
| head_tail | the beginning and the end, a quarter and three quarters of the room |
| windows_mean, windows_max | all of it, in sequences that overlap by a quarter of the room or more |

Of a pair `cut` and `head_tail` keep as many tokens of each text as `sequences.lengths_that_fit` says. Windows slide
over the second text; each begins with the first text, of which at most half the room is kept where both are long.
"""

from __future__ import annotations

from typing import List, Optional, Sequence

import numpy as np

from albert.text.sequences import EncodedPair, join_ids, lengths_that_fit
from tokenization import FullTokenizer

CUT, HEAD_TAIL, WINDOWS_MEAN, WINDOWS_MAX = LONG_TEXTS = ("cut", "head_tail", "windows_mean", "windows_max")
WINDOWS = (WINDOWS_MEAN, WINDOWS_MAX)

_HEAD_SHARE = 4  # a quarter: Sun et al., "How to Fine-Tune BERT for Text Classification?", 128 of 510 tokens
_OVERLAP_SHARE = 4
_LEAST_PROBABILITY = 1e-30  # whose logarithm is finite
_MOST_CERTAIN = 16.0  # the largest logit that the float32 number of a probability still tells from larger ones


def sequences_of(
    tokenizer: FullTokenizer,
    ids_a: List[int],
    ids_b: Optional[List[int]],
    max_seq_length: int,
    long_text: str = CUT,
) -> List[EncodedPair]:
    """Encodes a text (`ids_b` None) or a pair as the sequences that are read of it, at least one.

    Args:
      tokenizer: the model's.
      ids_a, ids_b: the texts' ids, without special tokens.
      max_seq_length: the most tokens of a sequence, special ones included.
      long_text: one of LONG_TEXTS.

    Raises:
      UserError: `max_seq_length` leaves no room for a token of each text.
    """
    cut = join_ids(tokenizer, ids_a, ids_b, max_seq_length)
    if not cut.was_truncated or long_text == CUT:
        return [cut]
    room = max_seq_length - (2 if ids_b is None else 3)
    kept_a, kept_b = lengths_that_fit(len(ids_a), len(ids_b or ()), room)
    if long_text == HEAD_TAIL:
        second = None if ids_b is None else head_and_tail(ids_b, kept_b)
        joined = join_ids(tokenizer, head_and_tail(ids_a, kept_a), second, max_seq_length)
        return [joined._replace(was_truncated=True)]
    if ids_b is None:
        return [
            join_ids(tokenizer, ids_a[start : start + room], None, max_seq_length)
            for start in window_starts(len(ids_a), room)
        ]
    first = ids_a[:kept_a]
    pairs = (
        join_ids(tokenizer, first, ids_b[start : start + kept_b], max_seq_length)
        for start in window_starts(len(ids_b), kept_b)
    )
    return [pair._replace(was_truncated=kept_a < len(ids_a)) for pair in pairs]


def head_and_tail(ids: List[int], length: int) -> List[int]:
    """Returns the first quarter of `length` ids, and from the end the rest of them; all ids where they fit."""
    if len(ids) <= length:
        return ids
    head = length // _HEAD_SHARE
    return ids[:head] + ids[len(ids) - (length - head) :]


def window_starts(length: int, size: int) -> List[int]:
    """Returns where windows of `size` tokens begin, evenly from the first token on; the last ends with the last token.

    Neighbours share a quarter of their tokens or more, and there are no more windows than that takes.
    """
    if length <= size:
        return [0]
    stride = max(1, size - size // _OVERLAP_SHARE)
    steps = -(-(length - size) // stride)
    return [step * (length - size) // steps for step in range(steps + 1)]


def merge_windows(logits: np.ndarray, counts: Sequence[int], long_text: str) -> np.ndarray:
    """Merges the logits of windows into those of their rows: the mean or the maximum of each label.

    Args:
      logits: [windows, labels], a row's windows one after the other. Of labels that exclude each other logarithms of
        probabilities: only such logits can be compared between sequences.
      counts: the number of windows of each row, 1 or more.
      long_text: one of WINDOWS.

    Returns:
      [rows, labels], of the same type.
    """
    starts = np.cumsum([0, *counts[:-1]])
    if long_text == WINDOWS_MAX:
        found: np.ndarray = np.maximum.reduceat(logits, starts, axis=0)
        return found
    sums = np.add.reduceat(logits.astype(np.float64), starts, axis=0)
    means: np.ndarray = (sums / np.asarray(counts)[:, np.newaxis]).astype(logits.dtype)
    return means


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Computes the natural logarithms of the probabilities of labels that exclude each other, [rows, labels]."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    logs: np.ndarray = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
    return logs


def sigmoid(logits: np.ndarray) -> np.ndarray:
    """Computes the probabilities of labels that do not exclude each other; large logits overflow nothing."""
    small = np.exp(-np.abs(logits))
    values: np.ndarray = np.where(logits >= 0, 1.0, small) / (1.0 + small)
    return values


def merge_independent(logits: np.ndarray, counts: Sequence[int], long_text: str) -> np.ndarray:
    """Merges as `merge_windows` the logits of labels that do not exclude each other.

    A window's logit counts as 16 at most: so probabilities, in which larger ones cannot be told apart, merge alike.
    """
    return merge_windows(np.clip(logits, -_MOST_CERTAIN, _MOST_CERTAIN), counts, long_text)


def merge_probabilities(
    probabilities: np.ndarray, counts: Sequence[int], long_text: str, *, is_multilabel: bool
) -> np.ndarray:
    """Merges the probabilities of windows into those of their rows, by the logits that they stand for.

    Args:
      probabilities: float32 [windows, labels]; the other arguments as `merge_windows`.
      counts: see there.
      long_text: see there.
      is_multilabel: whether labels do not exclude each other, so that a row's probabilities need not sum to 1.
    """
    if max(counts) == 1:
        return probabilities
    values = np.asarray(probabilities, np.float64)
    logits = np.log(np.maximum(values, _LEAST_PROBABILITY))
    if is_multilabel:
        logits -= np.log(np.maximum(1.0 - values, _LEAST_PROBABILITY))
        answers = sigmoid(merge_independent(logits, counts, long_text))
    else:
        answers = np.exp(log_softmax(merge_windows(logits, counts, long_text)))
    result: np.ndarray = answers.astype(np.float32)
    # A row of one sequence keeps its answer to the last bit.
    alone = np.asarray(counts) == 1
    result[alone] = probabilities[np.cumsum([0, *counts[:-1]])[alone]]
    return result
