"""Records of sentences and of pairs of sentences, each sentence a sequence of its own."""

from __future__ import annotations

import functools
from typing import Any, Dict, Iterator, List, NamedTuple, Sequence, Tuple

from albert.files.features import PAIR_FEATURES, SENTENCE_FEATURES
from albert.finetuning.feature_cache import EncodedRecord, RecordEncoder
from albert.finetuning.interleaved import interleave
from albert.inference.text_batches import PairEncoder, Place
from albert.tasks.scored_pairs import ScoredPair
from albert.text.sequences import EncodedPair
from tokenization import FullTokenizer

_TEXTS_AT_ONCE = 8192


class Line(NamedTuple):
    """Sentence of a file of lines."""

    text: str


def line_encoder(tokenizer: FullTokenizer, max_seq_length: int, place: Place) -> RecordEncoder:
    """Encoder of `Line`s as records of at most `max_seq_length` tokens; `place` names a line by its number from 1."""
    return RecordEncoder(
        SENTENCE_FEATURES,
        lambda rows: _records(rows, PairEncoder(tokenizer, max_seq_length), tokenizer.pad_id, place),
        {"task": "sentences", "max_seq_length": max_seq_length},
        tokenizer,
        noun="sentences",
    )


def pair_encoder(tokenizer: FullTokenizer, max_seq_length: int) -> RecordEncoder:
    """Encoder of `ScoredPair`s as records of two interleaved sequences of at most `max_seq_length` tokens."""
    return RecordEncoder(
        PAIR_FEATURES,
        lambda rows: _records(rows, PairEncoder(tokenizer, max_seq_length), tokenizer.pad_id, "text {}".format),
        {"task": "scored pairs", "max_seq_length": max_seq_length},
        tokenizer,
        noun="pairs",
    )


def _records(rows: Sequence[Any], encoder: PairEncoder, pad_id: int, place: Place) -> Iterator[EncodedRecord]:
    width = len(_texts(rows[0]))
    step = _TEXTS_AT_ONCE // width
    for start in range(0, len(rows), step):
        some = rows[start : start + step]
        texts = [(text, None) for row in some for text in _texts(row)]
        sequences = encoder.encode(texts, functools.partial(_place_behind, place, start * width))
        for index, row in enumerate(some):
            own = sequences[index * width : (index + 1) * width]
            yield EncodedRecord(_values(start + index, row, own, pad_id), own)


def _place_behind(place: Place, before: int, number: int) -> str:
    return place(before + number)


def _texts(row: Any) -> Tuple[str, ...]:
    return (row.text_a, row.text_b) if isinstance(row, ScoredPair) else (row.text,)


def _values(number: int, row: Any, sequences: List[EncodedPair], pad_id: int) -> Dict[str, List[Any]]:
    encoded = interleave(sequences, pad_id) if len(sequences) > 1 else sequences[0]
    values: Dict[str, List[Any]] = {
        "row_index": [number],
        "input_ids": encoded.input_ids,
        "segment_ids": encoded.segment_ids,
    }
    return dict(values, score=[row.score]) if isinstance(row, ScoredPair) else values
