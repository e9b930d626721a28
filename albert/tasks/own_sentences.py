"""Sentences of a tagging task of one's own: tagged lines, and texts with spans in JSON, tables or Label Studio."""

from __future__ import annotations

import functools
import json
from typing import Iterator, List, NamedTuple, Optional

from albert.tasks.columns import Column, Columns
from albert.tasks.file_form import JSON_FORMATS, FileForm, opened_records, table_rows
from albert.tasks.json_rows import JsonObject, shown
from albert.tasks.label_studio import labelled_tasks, marked_spans
from albert.tasks.marked_entities import ERROR, EntityReader
from albert.tasks.ner_rows import Sentence, SentenceReader, word_places
from albert.tasks.own_rows import own_id_of
from albert.tasks.rows import UNNUMBERED, Row, text_fault
from albert.tasks.span_values import (
    TextSpan,
    in_characters,
    in_utf16_units,
    placed,
    preferred_readings,
    spans_of_value,
)

_KEYS = ("label", "labels", "entities", "spans")  # of an object's spans, where the task file names none


class SpanForm(NamedTuple):
    """Form of texts with spans.

    Attributes:
      columns: of text, spans and id; with JSON their keys. Without one of spans, JSON is looked through for them.
      overlaps: see `EntityReader`.
    """

    columns: Columns
    overlaps: str = ERROR


class _Marked(NamedTuple):
    """Text with its spans as the file has them; None where it has none to learn from."""

    record: JsonObject
    data: JsonObject
    text: str
    spans: Optional[List[TextSpan]]


def sentence_reader(form: FileForm, spans: SpanForm) -> SentenceReader:
    """Makes the reader of files with texts and spans: path -> sentences."""
    return functools.partial(_read, form=form, spans=spans)


def _read(path: str, form: FileForm, spans: SpanForm) -> Iterator[Sentence]:
    readings = [in_characters, in_utf16_units]
    if form.format not in JSON_FORMATS:
        marked = _of_table(path, form, spans.columns)
    else:
        is_studio, records = opened_records(path, form)
        if is_studio:
            readings.reverse()  # it runs in a browser
        key = str(spans.columns.texts[0])
        marked = _of_studio(records, form, key) if is_studio else _of_objects(records, key, spans.columns.label)
    found = list(marked)
    order = preferred_readings([(each.text, each.spans or ()) for each in found], readings)
    reader = EntityReader(path, spans.overlaps)
    for each in found:
        tokens = word_places(each.text)
        entities = None
        if each.spans is not None:
            entities = reader.entities(
                each.record, each.text, tokens, placed(each.record, each.text, each.spans, order)
            )
        own_id = own_id_of(each.record, each.data, spans.columns.own_id)
        yield Sentence(UNNUMBERED, each.text, tokens, entities, each.record.line, own_id, each.record.unit)
    reader.log_changes()


def _of_table(path: str, form: FileForm, columns: Columns) -> Iterator[_Marked]:
    for row in table_rows(path, form, columns):
        if isinstance(row, Row):
            entry = JsonObject({str(columns.own_id): row.own_id}, path, row.line)
            yield _marked(entry, entry, row.text_a, _spans_of_cell(entry, row.label))


def _spans_of_cell(entry: JsonObject, cell: Optional[str]) -> Optional[List[TextSpan]]:
    if not cell:
        return None
    try:
        return spans_of_value(entry, json.loads(cell))
    except ValueError as error:
        raise entry.error(
            'has no spans as JSON but {}: write [[0, 2, "LOC"]], and [] where there is none'.format(shown(cell))
        ) from error


def _of_studio(records: Iterator[JsonObject], form: FileForm, key: str) -> Iterator[_Marked]:
    tasks = labelled_tasks(records, form.annotator)
    for task, spans in zip(tasks, marked_spans(tasks, form.control)):
        yield _marked(task.record, task.data, task.data.text(key), spans)


def _of_objects(records: Iterator[JsonObject], key: str, label: Optional[Column]) -> Iterator[_Marked]:
    for entry in records:
        text = entry.text(key)
        value = entry.values.get(_key_of_spans(entry) if label is None else str(label))
        is_open = value is None or value == ""
        yield _marked(entry, entry, text, None if is_open else spans_of_value(entry, value))


def _key_of_spans(entry: JsonObject) -> str:
    keys = [key for key in _KEYS if key in entry.values]
    if len(keys) > 1:
        raise entry.error(
            "may have its spans under {}: name the key with 'label' in the task file".format(
                " or ".join("'{}'".format(key) for key in keys)
            )
        )
    return keys[0] if keys else _KEYS[0]


def _marked(record: JsonObject, data: JsonObject, text: str, spans: Optional[List[TextSpan]]) -> _Marked:
    fault = text_fault(text, "")
    if fault:
        raise record.error(fault)
    return _Marked(record, data, text, spans)
