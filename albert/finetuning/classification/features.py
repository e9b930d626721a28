"""Records of a classification task's rows: a sequence each, the interleaved ones of a row's choices, or windows."""

from __future__ import annotations

import functools
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Sequence

from albert.files.features import CLASSIFICATION_FEATURES, Feature
from albert.finetuning.classification.losses import NUM_WINDOWS
from albert.finetuning.feature_cache import EncodedRecord, RecordEncoder
from albert.finetuning.interleaved import interleave
from albert.tasks.rows import Row
from albert.tasks.task import Task
from albert.text.long_texts import CUT, WINDOWS, sequences_of
from albert.text.sequences import EncodedPair, text_ids
from tokenization import FullTokenizer

UNLABELLED_ID = 0  # stands where a row has no label; no loss and no score may be taken from it

# A short text costs about a kilobyte at most; long ones hardly ever come back.
_MAX_REMEMBERED_TEXTS = 1 << 16
_MAX_REMEMBERED_LENGTH = 64


class Reading(NamedTuple):
    """Way to read texts.

    Attributes:
      max_seq_length: the most tokens of a sequence.
      long_text: see `long_texts.LONG_TEXTS`.
    """

    max_seq_length: int
    long_text: str = CUT

    @property
    def has_windows(self) -> bool:
        """Whether a row may be several records."""
        return self.long_text in WINDOWS

    def described(self) -> Dict[str, Any]:
        """Describes the way for a cache of records."""
        ways: Dict[str, Any] = {"max_seq_length": self.max_seq_length}
        return ways if self.long_text == CUT else dict(ways, long_text="windows" if self.has_windows else "head_tail")


def record_encoder(task: Task, tokenizer: FullTokenizer, max_seq_length: int, long_text: str = CUT) -> RecordEncoder:
    """Encoder of rows as records: one of each row, with all of its choices, or one of each window of it."""
    reading = Reading(max_seq_length, long_text)
    settings = dict(reading.described(), task=task.name, labels=list(task.labels))
    return RecordEncoder(
        record_features(task, reading),
        lambda rows: _records(rows, task, tokenizer, reading),
        dict(settings, is_multilabel=True) if task.is_multilabel else settings,
        tokenizer,
        noun="windows" if reading.has_windows else "rows",
    )


def record_features(task: Task, reading: Reading) -> List[Feature]:
    """Declares the fields of a record."""
    num_labels = len(task.labels) if task.is_multilabel else 1
    features = [f._replace(length=num_labels) if f.name == "label_ids" else f for f in CLASSIFICATION_FEATURES]
    return features + [Feature(NUM_WINDOWS, "int64", 1)] if reading.has_windows else features


def _records(rows: Sequence[Row], task: Task, tokenizer: FullTokenizer, reading: Reading) -> Iterator[EncodedRecord]:
    count = 0
    for row, sequences in zip(rows, sequences_of_rows(rows, tokenizer, reading)):
        windows = [sequences] if row.choices else [[sequence] for sequence in sequences]
        for window in windows:
            encoded = interleave(window, tokenizer.pad_id) if row.choices else window[0]
            values = features_of(row, encoded, task.labels, task.is_multilabel)
            if reading.has_windows:
                values.update({"row_index": [count], NUM_WINDOWS: [len(windows)]})
            yield EncodedRecord(values, window)
            count += 1


def sequences_of_rows(rows: Sequence[Row], tokenizer: FullTokenizer, reading: Reading) -> Iterator[List[EncodedPair]]:
    """Yields the sequences of each row: one for each choice, else those that are read of it."""
    ids_of = _remembering(tokenizer)
    for row in rows:
        yield [
            sequence
            for text in row.choices or (row.text_b,)
            for sequence in sequences_of(
                tokenizer,
                ids_of(row.text_a),
                None if text is None else ids_of(text),
                reading.max_seq_length,
                reading.long_text,
            )
        ]


def features_of(
    row: Row, encoded: EncodedPair, labels: Sequence[str], is_multilabel: bool = False
) -> Dict[str, List[int]]:
    """Returns the values of a row's record (`record_features`), but for its windows.

    Args:
      row: the row.
      encoded: what is read of it.
      labels: of the task, in the order of their ids.
      is_multilabel: whether a row has any number of them.
    """
    return {
        "row_index": [row.row_id],
        "input_ids": encoded.input_ids,
        "segment_ids": encoded.segment_ids,
        "label_ids": _ids_of_all(row, labels) if is_multilabel else [_id_of(row, labels)],
    }


def _ids_of_all(row: Row, labels: Sequence[str]) -> List[int]:
    return [int(label in (row.labels or ())) for label in labels]


def _id_of(row: Row, labels: Sequence[str]) -> int:
    return UNLABELLED_ID if row.label is None else labels.index(row.label)


def _remembering(tokenizer: FullTokenizer) -> Callable[[str], List[int]]:
    """Text to ids; a short text that was seen recently is not tokenized again."""
    remembered = functools.lru_cache(maxsize=_MAX_REMEMBERED_TEXTS)(functools.partial(text_ids, tokenizer))
    return lambda text: remembered(text) if len(text) <= _MAX_REMEMBERED_LENGTH else text_ids(tokenizer, text)
