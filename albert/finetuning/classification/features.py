"""The records of a classification task's rows, for `feature_cache`."""

from __future__ import annotations

import functools
from typing import Callable, Iterator, List, Sequence

from albert.files.features import CLASSIFICATION_FEATURES
from albert.finetuning.feature_cache import EncodedRecord, RecordEncoder
from albert.tasks.classification import Task
from albert.tasks.rows import Row
from albert.text.sequences import features_of, interleave, join_ids, text_ids
from tokenization import FullTokenizer

# A short text costs about a kilobyte at most; long ones hardly ever come back.
_MAX_REMEMBERED_TEXTS = 1 << 16
_MAX_REMEMBERED_LENGTH = 64


def record_encoder(task: Task, tokenizer: FullTokenizer, max_seq_length: int) -> RecordEncoder:
    """What makes a record of each row, of at most `max_seq_length` tokens, or of as many for each of its choices."""
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


def _remembering(tokenizer: FullTokenizer) -> Callable[[str], List[int]]:
    """Text to ids; a short text that was seen not long ago is not cut again."""
    remembered = functools.lru_cache(maxsize=_MAX_REMEMBERED_TEXTS)(functools.partial(text_ids, tokenizer))
    return lambda text: remembered(text) if len(text) <= _MAX_REMEMBERED_LENGTH else text_ids(tokenizer, text)
