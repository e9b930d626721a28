"""Chunks: stretches of text that fill one sequence each, and the places where a chunk may be cut in two segments.

Pure functions of an encoded text and a random generator. A chunk is a range of the text, so nothing is copied and
even a single line of a megabyte is divided in linear time. Chunks are drawn once; which order and which masks they
get is drawn from them as often as wanted (`examples.py`).

A dynamic record holds a chunk (`features.CHUNK_FEATURES`): its tokens, where its units start and where it may be cut.
The order of its segments and its masks are drawn each time it is read.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import Dict, Iterator, List, NamedTuple, Tuple, Union

import numpy as np

from albert.files.record_encoding import Ragged
from albert.text.arrays import ranges
from albert.text.encoded_text import EncodedText

_SPECIAL_TOKENS_PER_PAIR = 3  # [CLS] A [SEP] B [SEP]
_SHORTEST_TARGET = 2
SHORTEST_SEQUENCE = _SHORTEST_TARGET + _SPECIAL_TOKENS_PER_PAIR


class ChunkSettings(NamedTuple):
    """Settings of the lengths of chunks.

    Attributes:
      max_seq_length: the length of a sequence, at least SHORTEST_SEQUENCE.
      short_seq_prob: the share of the sequences that are filled to a random shorter length.
    """

    max_seq_length: int = 128
    short_seq_prob: float = 0.1


class Chunks(NamedTuple):
    """Chunks of a text.

    Attributes:
      token_ids: int32 [tokens], the text.
      starts_unit: bool [tokens], whether a masking unit starts at a token.
      starts, ends: int [chunks], the ranges [start, end) of the text.
      cuts: int [...], places of the text at which chunks may be cut.
      first_cuts, num_cuts: int [chunks], the range of `cuts` that belongs to a chunk; all lie within it.
    """

    token_ids: np.ndarray
    starts_unit: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    cuts: np.ndarray
    first_cuts: np.ndarray
    num_cuts: np.ndarray

    def take(self, which: Union[slice, np.ndarray]) -> "Chunks":
        """Returns the chunks of a slice, or those where a bool vector is True."""
        return self._replace(
            **{name: getattr(self, name)[which] for name in ("starts", "ends", "first_cuts", "num_cuts")}
        )


def make_chunks(
    text: EncodedText,
    *,
    dupe_factor: int,
    rng: np.random.RandomState,
    settings: ChunkSettings,
    is_clause_end: np.ndarray,
) -> Chunks:
    """Divides documents into chunks, `dupe_factor` times over; every token goes into one chunk of each pass.

    A chunk ends between two units; only a unit that is longer than a whole chunk is cut. No chunk spans two documents
    (docs/en/records.md, "Sentence order").

    Args:
      text: the documents.
      dupe_factor: passes, each with other lengths.
      rng: draws the lengths.
      settings: lengths.
      is_clause_end: bool [V], the punctuation at which a chunk within one sentence may be cut.
    """
    unit_starts = np.flatnonzero(text.starts_unit).tolist()
    bounds = text.document_starts.tolist() + [len(text.token_ids)]
    targets = _target_lengths(rng, settings)
    starts: List[int] = []
    ends: List[int] = []
    for _ in range(dupe_factor):
        for start, end in zip(bounds, bounds[1:]):
            _divide(start, end, unit_starts, targets, starts, ends)
    return _with_cuts(text, np.array(starts, np.int64), np.array(ends, np.int64), is_clause_end)


def _target_lengths(rng: np.random.RandomState, settings: ChunkSettings) -> Iterator[int]:
    longest = settings.max_seq_length - _SPECIAL_TOKENS_PER_PAIR
    share = settings.short_seq_prob if longest > _SHORTEST_TARGET else 0.0
    while True:
        for drawn in rng.random_sample(256).tolist():
            # A draw below `share`, divided by it, is uniform again.
            yield _SHORTEST_TARGET + int(drawn / share * (longest - _SHORTEST_TARGET)) if drawn < share else longest


def _divide(
    start: int, end: int, unit_starts: List[int], targets: Iterator[int], starts: List[int], ends: List[int]
) -> None:
    """Appends the chunks of one document."""
    while start < end:
        cut = start + next(targets)
        if cut >= end:
            cut = end
        else:
            unit_start = unit_starts[bisect_right(unit_starts, cut) - 1]
            cut = unit_start if unit_start > start else cut
        starts.append(start)
        ends.append(cut)
        start = cut


def _with_cuts(text: EncodedText, starts: np.ndarray, ends: np.ndarray, is_clause_end: np.ndarray) -> Chunks:
    """Adds the cuts: between sentences, or within a single sentence after clause punctuation that follows text."""
    sentences = text.sentence_starts
    clauses, first_text = _clauses(text, is_clause_end)
    first_sentence, num_sentences = _between(sentences, starts, ends)
    first_clause, num_clauses = _between(clauses, np.maximum(starts, first_text[starts]), ends)
    has_sentences = num_sentences > 0
    return Chunks(
        text.token_ids,
        text.starts_unit,
        starts,
        ends,
        np.concatenate([sentences, clauses]),
        np.where(has_sentences, first_sentence, first_clause + len(sentences)),
        np.where(has_sentences, num_sentences, num_clauses),
    )


def _clauses(text: EncodedText, is_clause_end: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Returns where clauses start, and for each token the first place from it on that is not clause punctuation."""
    is_end = is_clause_end[text.token_ids]
    starts_clause = text.starts_unit & ~is_end
    starts_clause[1:] &= is_end[:-1]
    starts_clause[:1] = False
    places = np.arange(len(is_end))
    first_text = np.where(is_end, len(is_end), places)
    first_text = np.minimum.accumulate(first_text[::-1])[::-1]
    return np.flatnonzero(starts_clause), first_text


def _between(places: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Returns the range of the ascending `places` that lies within each (start, end): first index and length."""
    first = np.searchsorted(places, starts, side="right")
    return first, np.maximum(np.searchsorted(places, ends, side="left") - first, 0)


def chunk_columns(chunks: Chunks) -> Dict[str, Ragged]:
    """Fields of `features.CHUNK_FEATURES` as ragged columns; places count from the start of the chunk."""
    lengths = chunks.ends - chunks.starts
    tokens = ranges(chunks.starts, lengths)
    place_in_chunk = ranges(np.zeros_like(lengths), lengths)
    starts_unit = chunks.starts_unit[tokens] | (place_in_chunk == 0)
    cuts = chunks.cuts[ranges(chunks.first_cuts, chunks.num_cuts)] - np.repeat(chunks.starts, chunks.num_cuts)
    num_units = np.add.reduceat(starts_unit, np.cumsum(lengths) - lengths, dtype=np.int64)
    return {
        "token_ids": Ragged(chunks.token_ids[tokens], lengths),
        "unit_starts": Ragged(place_in_chunk[starts_unit], num_units),
        "cuts": Ragged(cuts, chunks.num_cuts),
    }


def chunks_of_columns(columns: Dict[str, Ragged]) -> Chunks:
    """Chunks of a batch of records: the inverse of `chunk_columns`."""
    lengths, num_cuts = columns["token_ids"].lengths, columns["cuts"].lengths
    starts = np.cumsum(lengths) - lengths
    starts_unit = np.zeros(int(lengths.sum()), dtype=bool)
    starts_unit[columns["unit_starts"].values + np.repeat(starts, columns["unit_starts"].lengths)] = True
    return Chunks(
        token_ids=columns["token_ids"].values,
        starts_unit=starts_unit,
        starts=starts,
        ends=starts + lengths,
        cuts=columns["cuts"].values + np.repeat(starts, num_cuts),
        first_cuts=np.cumsum(num_cuts) - num_cuts,
        num_cuts=num_cuts,
    )
