"""Records of a classification task's rows: a sequence each, or the interleaved sequences of a row's choices."""

from __future__ import annotations

import functools
from typing import Callable, Dict, Iterator, List, Sequence

from albert.files.features import CLASSIFICATION_FEATURES
from albert.finetuning.feature_cache import EncodedRecord, RecordEncoder
from albert.finetuning.interleaved import interleave
from albert.tasks.rows import Row
from albert.tasks.task import Task
from albert.text.sequences import EncodedPair, join_ids, text_ids
from tokenization import FullTokenizer

UNLABELLED_ID = 0  # stands where a row has no label; no loss and no score may be taken from it

# A short text costs about a kilobyte at most; long ones hardly ever come back.
_MAX_REMEMBERED_TEXTS = 1 << 16
_MAX_REMEMBERED_LENGTH = 64


def record_encoder(task: Task, tokenizer: FullTokenizer, max_seq_length: int) -> RecordEncoder:
    """Encoder of rows as records of at most `max_seq_length` tokens, or of as many for each of a row's choices."""
    return RecordEncoder(
        CLASSIFICATION_FEATURES,
        lambda rows: _records(rows, task.labels, tokenizer, max_seq_length),
        {"task": task.name, "labels": list(task.labels), "max_seq_length": max_seq_length},
        tokenizer,
    )


def _records(
    rows: Sequence[Row], labels: Sequence[str], tokenizer: FullTokenizer, max_seq_length: int
) -> Iterator[EncodedRecord]:
    ids_of = _remembering(tokenizer)
    for row in rows:
        choices = [
            join_ids(tokenizer, ids_of(row.text_a), None if text is None else ids_of(text), max_seq_length)
            for text in row.choices or (row.text_b,)
        ]
        encoded = interleave(choices, tokenizer.pad_id) if row.choices else choices[0]
        yield EncodedRecord(features_of(row, encoded, labels), choices)


def features_of(row: Row, encoded: EncodedPair, labels: Sequence[str]) -> Dict[str, List[int]]:
    """Returns the values of a row's record (`CLASSIFICATION_FEATURES`); `labels` in the order of their ids."""
    return {
        "row_index": [row.row_id],
        "input_ids": encoded.input_ids,
        "segment_ids": encoded.segment_ids,
        "label_ids": [UNLABELLED_ID if row.label is None else labels.index(row.label)],
    }


def _remembering(tokenizer: FullTokenizer) -> Callable[[str], List[int]]:
    """Text to ids; a short text that was seen recently is not tokenized again."""
    remembered = functools.lru_cache(maxsize=_MAX_REMEMBERED_TEXTS)(functools.partial(text_ids, tokenizer))
    return lambda text: remembered(text) if len(text) <= _MAX_REMEMBERED_LENGTH else text_ids(tokenizer, text)
