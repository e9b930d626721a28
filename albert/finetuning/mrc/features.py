"""Records of questions on contexts, one for each window (`albert.inference.context_windows`). Pure."""

from __future__ import annotations

from typing import Any, Dict, Iterable, Iterator

from albert.base.errors import UserError
from albert.files.features import SPAN_FEATURES
from albert.finetuning.feature_cache import EncodedRecord, RecordEncoder
from albert.inference.context_windows import Window, WindowSettings, windows_of
from albert.tasks.task import Task
from tokenization import FullTokenizer


def record_encoder(task: Task, tokenizer: FullTokenizer, settings: WindowSettings) -> RecordEncoder:
    """Encoder of questions as records."""
    described: Dict[str, Any] = dict(settings._asdict(), task=task.name)
    return RecordEncoder(
        SPAN_FEATURES,
        lambda questions: _records(windows_of(questions, tokenizer, settings)),
        described,
        tokenizer,
        noun="windows",
    )


def check_settings(settings: WindowSettings) -> None:
    """Raises `UserError` where questions may leave no room for a context."""
    if settings.max_seq_length < settings.shortest:
        raise UserError(
            "--max_seq_length={} leaves no room for a context: --max_query_length={} needs at least {}".format(
                settings.max_seq_length, settings.max_query_length, settings.shortest
            )
        )


def _records(windows: Iterable[Window]) -> Iterator[EncodedRecord]:
    for index, window in enumerate(windows):
        values = {
            "row_index": [index],
            "input_ids": window.encoded.input_ids,
            "segment_ids": window.encoded.segment_ids,
            "start_positions": [window.answer[0]],
            "end_positions": [window.answer[1]],
        }
        yield EncodedRecord(values, [window.encoded])
