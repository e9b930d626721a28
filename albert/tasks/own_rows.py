"""Rows of a classification task of one's own, from tables, JSON, doccano's lines and the exports of Label Studio."""

from __future__ import annotations

import functools
from typing import Iterable, Iterator, NamedTuple, Optional, Sequence, Tuple, Union

from albert.base.errors import UserError
from albert.tasks.columns import Column, Columns
from albert.tasks.file_form import JSON_FORMATS, FileForm, opened_records, table_rows
from albert.tasks.json_rows import JsonObject, texts_of
from albert.tasks.label_columns import SETTING, marked_labels
from albert.tasks.label_studio import chosen_labels, labelled_tasks
from albert.tasks.rows import UNNUMBERED, LeftOut, Row, RowReader
from albert.tasks.several_labels import checked_labels, labels_of_value, only_label, split_labels


class RowForm(NamedTuple):
    """Form of rows.

    Attributes:
      columns: of texts, label and id; with JSON their keys.
      is_multilabel: whether a row may have several labels.
      label_separator: between the labels of a text; None where the task file names none.
    """

    columns: Columns
    is_multilabel: bool = False
    label_separator: Optional[str] = None


def row_reader(form: FileForm, rows: RowForm) -> RowReader:
    """Makes the reader of files of a form: path -> rows."""
    read = _read_objects if form.format in JSON_FORMATS else _read_table
    return functools.partial(read, form=form, rows=rows)


def _read_table(path: str, form: FileForm, rows: RowForm) -> Iterator[Union[Row, LeftOut]]:
    for row in table_rows(path, form, rows.columns):
        if rows.is_multilabel and isinstance(row, Row) and row.label is not None:
            error = functools.partial(_error, path, row)
            row = row._replace(label=None, labels=split_labels(row.label, rows.label_separator, error))
        yield row


def _error(path: str, row: Row, fault: str) -> UserError:
    return UserError("{} {} {} {}".format(path, row.unit, row.line, fault))


def _read_objects(path: str, form: FileForm, rows: RowForm) -> Iterator[Row]:
    is_studio, records = opened_records(path, form)
    if is_studio and rows.columns.label_columns:
        raise UserError(
            "{} is an export of Label Studio, whose labels have no columns: leave out '{}'".format(path, SETTING)
        )
    if is_studio:
        yield from _studio_rows(records, form, rows)
        return
    for entry in records:
        yield _row(entry, entry, _labels(entry, rows), rows)


def _row(record: JsonObject, data: JsonObject, labels: Optional[Tuple[str, ...]], rows: RowForm) -> Row:
    texts = texts_of(*map(str, rows.columns.texts))(data)
    return Row(
        row_id=UNNUMBERED,
        text_a=texts.text_a,
        text_b=texts.text_b,
        label=None if rows.is_multilabel else only_label(labels, record.error),
        line=record.line,
        own_id=own_id_of(record, data, rows.columns.own_id),
        labels=labels if rows.is_multilabel else None,
        unit=record.unit,
    )


def own_id_of(record: JsonObject, data: JsonObject, column: Optional[Column]) -> Union[int, str, None]:
    """Returns the id of a record or, where it has none, of its data; None where the task file names no column of it."""
    keys = () if column is None else (str(column),)
    found = record.own_id(keys)
    return data.own_id(keys) if found is None else found


def _labels(entry: JsonObject, rows: RowForm) -> Optional[Tuple[str, ...]]:
    label_columns = rows.columns.label_columns
    if label_columns:
        is_labelled = any(label in entry.values for label in label_columns)  # a test file may have no labels
        return (
            marked_labels([(label, entry.value(label)) for label in label_columns], entry.error)
            if is_labelled
            else None
        )
    key = str(rows.columns.label)
    value = entry.values.get(key)
    if rows.is_multilabel and isinstance(value, str):
        return split_labels(value, rows.label_separator, entry.error)
    labels = labels_of_value(entry, key)
    return checked_labels(labels, entry.error) if labels and rows.is_multilabel else labels


def _studio_rows(records: Iterable[JsonObject], form: FileForm, rows: RowForm) -> Iterator[Row]:
    tasks = labelled_tasks(records, form.annotator, form.control or str(rows.columns.label))
    for task, labels in zip(tasks, chosen_labels(tasks, form.control)):
        found = None if labels is None else checked_labels(_stripped(labels), task.record.error)
        yield _row(task.record, task.data, found, rows)


def _stripped(labels: Sequence[str]) -> Tuple[str, ...]:
    return tuple(label.strip() for label in labels)
