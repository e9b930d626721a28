"""Task file: a task of your own, described in JSON (--task_file=my_task.json); no Python is needed.

    {"name": "reviews", "files": {"train": "train.tsv", "dev": "dev.tsv", "test": "test.tsv"},
     "text_a": "review", "label": "stars", "labels": "infer", "metric": "macro_f1"}
    {"kind": "tags", "name": "places", "files": {"train": "export.json", "dev": "dev.json"}}

| key | kinds | meaning |
|---|---|---|
| kind | | classification (the default), pair, multilabel, tags (run_ner.py) or spans (run_mrc.py) |
| name | all | the name of the task in messages and in the submission |
| files | all | the file of each split, relative to --data_dir, or to this file's folder without that flag |
| text_a | all but spans | the column of the first text; "text" by default where the kind is tags |
| text_b | all but tags, spans | the column of the second text where rows are pairs |
| label | all but spans | the column of the label, labels or spans; in Label Studio, the name of the tag that labels |
| question, context | spans | the columns of both texts ("question" and "context" by default) |
| answers, answer_start | spans | the columns of the answer or answers ("answers" by default), and of the start of one |
| id | all | the column of the row's id (optional); of a classification task only the test file must have it |
| labels | all but spans | a list of labels or entity types, or "infer": those of the train file (the default) |
| label_columns | multilabel | in place of label and labels: a list of columns of 0 and 1, one for each label |
| label_separator | multilabel | the mark between the labels in a text, "|" by default |
| similar_label | pair | of two labels, the one that means "the same", for similarity.py and serve.py (optional) |
| overlaps | tags | "error" (the default), or "longest" to keep the longest of entities that overlap |
| annotator | all | of Label Studio: whose annotations count, by id or e-mail address, or "first" |
| metric | all | the figure by which the best checkpoint is chosen |
| format | all | by default from the ending of the files' names, and from what is in them |
| header | all | whether the first line of a table names the columns (by default true if a column has a name here) |
| separator | all | the character between the columns of a table, if not a tab or a comma |

A column is its name, or its number from 1 in a table. With JSON it is a key.
"""

from __future__ import annotations

import os
from typing import Any, Dict, Optional, Sequence, Tuple

from albert.base.errors import UserError, check_keys
from albert.base.paths import expand_home
from albert.files.json_reading import parse_description, read_text
from albert.tasks import label_columns, label_studio, marked_entities, multilabel_metrics, several_labels
from albert.tasks.columns import Column, Columns
from albert.tasks.entities import bio_tags
from albert.tasks.file_form import CSV, DOCCANO, JSON, JSON_FORMATS, LABEL_STUDIO, SQUAD, TAGGED, TSV, FileForm
from albert.tasks.metrics import METRICS
from albert.tasks.ner_rows import SentenceReader
from albert.tasks.own_questions import QuestionForm, question_reader
from albert.tasks.own_rows import RowForm, row_reader
from albert.tasks.own_sentences import SpanForm, sentence_reader
from albert.tasks.similar_label import SETTING, checked_similar_label
from albert.tasks.splits import SPLITS
from albert.tasks.tagged_lines import LineForm, line_reader
from albert.tasks.task import CLASSIFICATION, SPANS, TAGS, Task

PAIR, MULTILABEL = "pair", "multilabel"
KINDS = (CLASSIFICATION, PAIR, MULTILABEL, TAGS, SPANS)
INFER = "infer"
_COMMON_KEYS = ("name", "files", "kind", "id", "metric", "format", "header", "separator", label_studio.ANNOTATOR)
_LABEL_KEYS = ("text_a", "label", "labels")
_KEYS = {
    CLASSIFICATION: _COMMON_KEYS + _LABEL_KEYS + ("text_b", SETTING),
    PAIR: _COMMON_KEYS + _LABEL_KEYS + ("text_b", SETTING),
    MULTILABEL: _COMMON_KEYS + _LABEL_KEYS + ("text_b", several_labels.SETTING, label_columns.SETTING),
    TAGS: _COMMON_KEYS + _LABEL_KEYS + (marked_entities.OVERLAPS,),
    SPANS: _COMMON_KEYS + ("question", "context", "answers", "answer_start"),
}
_REQUIRED = {CLASSIFICATION: ("text_a",), PAIR: ("text_a", "text_b"), MULTILABEL: ("text_a",), TAGS: (), SPANS: ()}
_ROW_FORMATS = (JSON, TSV, CSV, LABEL_STUDIO, DOCCANO)
_FORMATS = {TAGS: (TAGGED,) + _ROW_FORMATS, SPANS: (SQUAD,) + _ROW_FORMATS}
# The first is the default.
_METRICS = {
    MULTILABEL: tuple(multilabel_metrics.METRICS),
    TAGS: ("f1", "precision", "recall"),
    SPANS: ("f1", "exact_match", "average"),
}
_FORMAT_OF_SUFFIX = {".json": JSON, ".jsonl": JSON, ".tsv": TSV, ".txt": TSV, ".csv": CSV}


def read_task(path: str, has_data_dir: bool = False) -> Task:
    """Reads the task that a JSON file describes.

    Args:
      path: the file.
      has_data_dir: whether the task's files are in a data folder, rather than beside the description.

    Raises:
      UserError: it cannot be read, or a key is unknown, missing or has a wrong value.
    """
    try:
        values = dict(parse_description(read_text(path)).values)
        return _task(values, "" if has_data_dir else os.path.dirname(os.path.abspath(path)))
    except OSError as error:
        raise UserError("cannot read the task file {}: {}".format(path, error.strerror)) from error
    except UserError as error:
        raise UserError("{} does not describe a task: {}".format(path, error)) from error


def _task(values: Dict[str, Any], folder: str) -> Task:
    kind = _choice(values, "kind", CLASSIFICATION, KINDS)
    _check_keys(values, kind)
    name = _text(values, "name")
    if not name.replace("_", "").replace("-", "").isalnum():
        raise UserError("'name' must be of letters, digits, _ and -, not {!r}".format(name))
    files = _files(values["files"])
    form = _form(values, _format(values, kind, files))
    metrics = _METRICS.get(kind, tuple(METRICS))
    return Task(
        name=name,
        files={split: (os.path.join(folder, expand_home(file)),) for split, file in files.items()},
        metric=_choice(values, "metric", metrics[0], metrics),
        **{TAGS: _tagging, SPANS: _reading}.get(kind, _classification)(values, form),
    )


def _check_keys(values: Dict[str, Any], kind: str) -> None:
    for key in values:
        others = [other for other in KINDS if key in _KEYS[other]]
        if others and kind not in others:
            raise UserError("the key '{}' is for the kind {}, not {}".format(key, " or ".join(others), kind))
    check_keys(values, _KEYS[kind], required=("name", "files") + _REQUIRED[kind])


def _classification(values: Dict[str, Any], form: FileForm) -> Dict[str, Any]:
    """What a task of labels has beside name, files and metric."""
    texts = tuple(_column(values, key) for key in ("text_a", "text_b") if key in values)
    marked = _label_columns(values, form, texts)
    label = None if marked else _column(values, "label", "label")
    columns = Columns(texts, label, _column(values, "id"), marked)
    _check_columns(form, columns.all())
    labels = marked or _labels(values.get("labels", INFER))
    is_multilabel = values.get("kind") == MULTILABEL
    separator = _text(values, several_labels.SETTING) if several_labels.SETTING in values else None
    return {
        "labels": labels,
        "read_rows": row_reader(form, RowForm(columns, is_multilabel, separator)),
        "similar_label": _similar_label(values, labels),
        "id_name": None if columns.own_id is None else str(columns.own_id),
        "is_multilabel": is_multilabel,
    }


def _tagging(values: Dict[str, Any], form: FileForm) -> Dict[str, Any]:
    """What a task of entities has beside name, files and metric."""
    types = _labels(values.get("labels", INFER), least=1)
    read = _tagged_lines if form.format == TAGGED else _marked_texts
    return {"labels": bio_tags(types) if types else (), "read_rows": read(values, form), "kind": TAGS}


def _tagged_lines(values: Dict[str, Any], form: FileForm) -> SentenceReader:
    for key in ("id", marked_entities.OVERLAPS):
        if key in values:
            raise UserError("'{}' has no use with lines of a token and its tag".format(key))
    token, tag = _column(values, "text_a", 1), _column(values, "label")
    has_header = form.names_columns([token, tag])
    _check_header(has_header, [token, tag])
    return line_reader(LineForm(None, token, tag, has_header))


def _marked_texts(values: Dict[str, Any], form: FileForm) -> SentenceReader:
    text, label = _column(values, "text_a", "text"), _column(values, "label", "label" if form.is_table else None)
    columns = Columns((text,), label, _column(values, "id"))
    _check_columns(form, columns.all())
    choices = (marked_entities.ERROR, marked_entities.LONGEST)
    overlaps = _choice(values, marked_entities.OVERLAPS, choices[0], choices)
    return sentence_reader(form, SpanForm(columns, overlaps))


def _reading(values: Dict[str, Any], form: FileForm) -> Dict[str, Any]:
    """What a task of questions has beside name, files and metric."""
    question, context, answers = (_column(values, key, key) for key in ("question", "context", "answers"))
    questions = QuestionForm(question, context, answers, _column(values, "answer_start"), _column(values, "id"))
    _check_columns(form, questions.columns())
    return {"labels": (), "read_rows": question_reader(form, questions), "kind": SPANS}


def _text(values: Dict[str, Any], key: str) -> str:
    value = values[key]
    if not isinstance(value, str) or not value:
        raise UserError("'{}' must be a text, not {!r}".format(key, value))
    return value


def _choice(values: Dict[str, Any], key: str, default: str, choices: Sequence[str]) -> str:
    value = values.get(key, default)
    if value not in choices:
        raise UserError("'{}' must be one of {}, not {!r}".format(key, ", ".join(choices), value))
    return value


def _files(files: Any) -> Dict[str, str]:
    if not isinstance(files, dict) or not files:
        raise UserError('\'files\' must be an object like {"train": "train.tsv"}, not ' + repr(files))
    check_keys(files, SPLITS)
    return {split: _text(files, split) for split in files}


def _column(values: Dict[str, Any], key: str, default: Optional[Column] = None) -> Any:
    """The column that a key names, else the default; a `Column`, or None where the default is."""
    if key not in values:
        return default
    value = values[key]
    is_number = isinstance(value, int) and not isinstance(value, bool)
    if not (is_number and value >= 1) and not (isinstance(value, str) and value):
        raise UserError("'{}' must be a column's name or its number from 1, not {!r}".format(key, value))
    return value


def _labels(labels: Any, least: int = 2) -> Tuple[str, ...]:
    if labels == INFER:
        return ()
    if not isinstance(labels, list) or not all(isinstance(label, str) and label.strip() for label in labels):
        raise UserError("'labels' must be a list of texts or \"infer\", not {!r}".format(labels))
    stripped = tuple(label.strip() for label in labels)
    if len(set(stripped)) != len(stripped) or len(stripped) < least:
        hint = ": blanks around a label do not count" if stripped != tuple(labels) else ""
        count = {1: "one", 2: "two"}[least]
        raise UserError("'labels' must be at least {} that differ, not {!r}{}".format(count, labels, hint))
    return stripped


def _label_columns(values: Dict[str, Any], form: FileForm, texts: Sequence[Column]) -> Tuple[str, ...]:
    """The labels that have columns of their own; none where the task file names no such columns."""
    key = label_columns.SETTING
    if key not in values:
        return ()
    for other in ("label", "labels", several_labels.SETTING):
        if other in values:
            raise UserError("'{}' has no use beside '{}', which names the labels".format(other, key))
    if form.format in (LABEL_STUDIO, DOCCANO):
        raise UserError("'{}' has no use with the format {}".format(key, form.format))
    named = values[key]
    if not isinstance(named, list) or not all(isinstance(name, str) and name.strip() == name != "" for name in named):
        raise UserError("'{}' must be a list of the columns' names, not {!r}".format(key, named))
    if len(set(named)) != len(named) or len(named) < 2:
        raise UserError("'{}' must be at least two that differ, not {!r}".format(key, named))
    roles = [column for column in (*texts, values.get("id")) if column in named]
    if roles:
        raise UserError("'{}' names the column '{}', which has another use".format(key, roles[0]))
    return tuple(named)


def _similar_label(values: Dict[str, Any], labels: Sequence[str]) -> Optional[str]:
    """The label that means "similar"; inferred labels are compared with it where they are known."""
    if SETTING not in values:
        return None
    chosen = _text(values, SETTING).strip()
    if "text_b" not in values:
        raise UserError("'{}' is for pairs: name the second text with 'text_b'".format(SETTING))
    return checked_similar_label(labels, chosen) if labels else chosen


def _format(values: Dict[str, Any], kind: str, files: Dict[str, str]) -> str:
    formats = _FORMATS.get(kind, _ROW_FORMATS)
    if "format" in values:
        return _choice(values, "format", "", formats)
    found = {_format_of(file, kind) for file in files.values()}
    if len(found) > 1 or None in found:
        raise UserError("the key 'format' ({}) is missing: the files' names do not show it".format(", ".join(formats)))
    return str(found.pop())


def _format_of(file: str, kind: str) -> Optional[str]:
    """The format that the ending of a file's name shows; of tags, all but JSON and CSV are tagged lines."""
    found = _FORMAT_OF_SUFFIX.get(os.path.splitext(file)[1].lower())
    return found if kind != TAGS or found in (JSON, CSV) else TAGGED


def _form(values: Dict[str, Any], format_name: str) -> FileForm:
    if format_name in JSON_FORMATS:
        for key in ("header", "separator"):
            if key in values:
                raise UserError("'{}' has no use with JSON".format(key))
    has_header = values.get("header")
    if has_header not in (None, True, False) or isinstance(has_header, int) and not isinstance(has_header, bool):
        raise UserError("'header' must be true or false, not {!r}".format(has_header))
    annotator = values.get(label_studio.ANNOTATOR)
    if annotator is not None and (isinstance(annotator, bool) or not isinstance(annotator, (str, int))):
        raise UserError("'{}' must be an id or a text, not {!r}".format(label_studio.ANNOTATOR, annotator))
    return FileForm(
        format_name,
        has_header,
        _text(values, "separator") if "separator" in values else None,
        None if annotator is None else str(annotator),
        str(values["label"]) if "label" in values else None,
    )


def _check_columns(form: FileForm, columns: Sequence[Column]) -> None:
    """Checks that columns are named as the form has them: keys of JSON have names, and a table a header for them."""
    named = [column for column in columns if isinstance(column, str)]
    numbered = [column for column in columns if isinstance(column, int)]
    if form.format in JSON_FORMATS:
        if numbered:
            raise UserError("the columns of JSON have names, not numbers ({})".format(numbered[0]))
    else:
        _check_header(form.names_columns(columns), named)


def _check_header(has_header: bool, columns: Sequence[Optional[Column]]) -> None:
    named = next((column for column in columns if isinstance(column, str)), None)
    if named is not None and not has_header:
        raise UserError("the column '{}' needs a header that names it: give its number, from 1".format(named))
