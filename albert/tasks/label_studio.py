"""Label Studio's exports: JSON (a task with its annotations) and JSON-MIN (an object for each annotation).

[{"id": 7, "data": {"text": "我在北京"}, "annotations": [{"completed_by": 1, "was_cancelled": false, "result": [
    {"from_name": "label", "type": "labels", "value": {"start": 2, "end": 4, "text": "北京", "labels": ["LOC"]}}]}]}]
[{"id": 7, "text": "我在北京", "label": [{"start": 2, "end": 4, "text": "北京", "labels": ["LOC"]}], "annotator": 1,
  "annotation_id": 3}]

What counts of a task is its one annotation that is not cancelled; of several that differ, the one that is marked as
ground truth or that the task file chooses. One without any result says that there is nothing to mark. A task without an
annotation that counts is left out, but where no task has one, all of them are texts without labels.
"""

from __future__ import annotations

import json
import logging
from typing import Any, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from albert.base.errors import UserError
from albert.tasks.json_rows import JsonObject, shown
from albert.tasks.span_values import TextSpan, spans_of_value

_log = logging.getLogger(__name__)

ANNOTATOR = "annotator"  # the key in task files
FIRST = "first"
_DATA, _ANNOTATIONS = "data", ("annotations", "completions")
_MIN_KEYS = ("annotation_id", "lead_time")
_LABELS, _CHOICES = "labels", "choices"


class LabelledTask(NamedTuple):
    """Task of Label Studio with what was marked in it.

    Attributes:
      record: the object of the file, for messages and its id.
      data: what was shown to the annotator, by its keys.
      results: what the annotation that counts says; None where there is none.
    """

    record: JsonObject
    data: JsonObject
    results: Optional[List[JsonObject]]


class _Annotation(NamedTuple):
    annotator: Tuple[str, ...]  # the id, the e-mail address, or both
    results: List[JsonObject]
    is_ground_truth: bool


def is_export(values: Dict[str, Any]) -> bool:
    """Whether an object is one of an export of Label Studio."""
    return _is_task(values) or any(key in values for key in _MIN_KEYS)


def _is_task(values: Dict[str, Any]) -> bool:
    return isinstance(values.get(_DATA), dict) and any(key in values for key in _ANNOTATIONS)


def labelled_tasks(
    records: Iterable[JsonObject], annotator: Optional[str], control: Optional[str] = None
) -> List[LabelledTask]:
    """Returns the tasks of an export that count, in their order.

    Args:
      records: of the file.
      control: the name of a tag (<Choices name=…>) whose results JSON-MIN may hold as plain texts.
      annotator: whose annotations count, by id or e-mail address; "first" for the first of each task; None where no two
        of a task may differ.

    Raises:
      UserError: annotations of a task differ, and nothing says which of them counts.
    """
    found = [_chosen(*each, annotator) for each in _tasks(list(records), control)]
    missing = sum(task.results is None for task in found)
    if 0 < missing < len(found):
        _log.info(
            "%s: %s record%s without an annotation that counts left out.",
            found[0].record.path,
            format(missing, ","),
            "" if missing == 1 else "s",
        )
        return [task for task in found if task.results is not None]
    return found


def _tasks(
    records: Sequence[JsonObject], control: Optional[str]
) -> Iterator[Tuple[JsonObject, JsonObject, List[_Annotation]]]:
    """Yields each task, its data, and its annotations that are finished."""
    if all(_is_task(record.values) for record in records):
        for record in records:
            key = next(key for key in _ANNOTATIONS if key in record.values)
            annotations = [each for each in record.objects(key) if not each.values.get("was_cancelled")]
            yield record, record.object(_DATA), [_annotation(each, each.objects("result")) for each in annotations]
        return
    for group in _groups(records):
        yield group[0], group[0], [_annotation(each, _min_results(each, control)) for each in group]


def _groups(records: Sequence[JsonObject]) -> Iterator[List[JsonObject]]:
    """Yields the records of each task of JSON-MIN, which has one for each annotation."""
    groups: Dict[Any, List[JsonObject]] = {}
    for number, record in enumerate(records):
        own_id = record.own_id(("id",))
        groups.setdefault(("no id", number) if own_id is None else own_id, []).append(record)
    return iter(groups.values())


def _annotation(entry: JsonObject, results: List[JsonObject]) -> _Annotation:
    who = entry.values.get("completed_by", entry.values.get(ANNOTATOR))
    names = (who.get("id"), who.get("email")) if isinstance(who, dict) else (who,)
    annotator = tuple(str(name) for name in names if name is not None)
    return _Annotation(annotator, results, bool(entry.values.get("ground_truth")))


def _min_results(record: JsonObject, control: Optional[str]) -> List[JsonObject]:
    """The results of a record of JSON-MIN, as those of the whole export: spans of a control, or its choices."""
    results: List[JsonObject] = []
    for key, value in record.values.items():
        if key == control and isinstance(value, str):
            value = {_CHOICES: [value]}
        for each in value if isinstance(value, list) else [value]:
            if isinstance(each, dict) and (_is_span(each) or _CHOICES in each):
                results.append(record.part({"from_name": key, "value": each}))
    return results


def _is_span(value: Dict[str, Any]) -> bool:
    return any(key.endswith(_LABELS) for key in value)


def _chosen(
    record: JsonObject, data: JsonObject, annotations: List[_Annotation], annotator: Optional[str]
) -> LabelledTask:
    if annotator not in (None, FIRST):
        annotations = [each for each in annotations if annotator in each.annotator]
    ground_truth = [each for each in annotations if each.is_ground_truth]
    if len(ground_truth) == 1:
        annotations = ground_truth
    if len({_content(each) for each in annotations}) > 1 and annotator != FIRST:
        raise record.error(
            "has {} annotations that differ (annotators: {}): choose whose count with the key '{}' in the task file, "
            'by id or e-mail address, or "{}" for the first of each task'.format(
                len(annotations),
                ", ".join("/".join(each.annotator) or "unknown" for each in annotations),
                ANNOTATOR,
                FIRST,
            )
        )
    return LabelledTask(record, data, annotations[0].results if annotations else None)


def _content(annotation: _Annotation) -> Tuple[str, ...]:
    """What an annotation says, without ids and in an order of its own."""
    found = ([result.values.get("from_name"), result.values.get("value")] for result in annotation.results)
    return tuple(sorted(json.dumps(each, sort_keys=True, ensure_ascii=False) for each in found))


def marked_spans(
    tasks: Sequence[LabelledTask], control: Optional[str], needs_type: bool = True
) -> List[Optional[List[TextSpan]]]:
    """Returns the spans that were marked in each task; None where it is without annotation.

    Args:
      tasks: of a file.
      control: the name of the tag that marks them (<Labels name=…>); None where there is only one.
      needs_type: whether each must have one label.

    Raises:
      UserError: several controls, or texts, have spans, or a span is none of plain text.
    """
    found = [[each for each in _results(task) if _marks_span(each)] for task in tasks]
    control = _only(tasks, found, "from_name", control, "spans of the controls {}: name one with the key 'label'")
    kept = [[each for each in results if each.values.get("from_name") == control] for results in found]
    _only(tasks, kept, "to_name", None, "spans of the texts {}, of which only one is read")
    return [
        None if task.results is None else _spans(task.record, results, needs_type) for task, results in zip(tasks, kept)
    ]


def _results(task: LabelledTask) -> List[JsonObject]:
    return [each for each in task.results or () if isinstance(each.values.get("value"), dict)]


def _marks_span(result: JsonObject) -> bool:
    """Whether a result is of <Labels>; one without any label is."""
    return _is_span(result.values["value"]) or str(result.values.get("type")).endswith(_LABELS)


def _only(
    tasks: Sequence[LabelledTask], found: Sequence[Sequence[JsonObject]], key: str, given: Optional[str], fault: str
) -> Optional[str]:
    """The one name under a key of all results; raises `UserError` where they have several and none is given."""
    names = {str(each.values[key]): each for results in found for each in results if each.values.get(key) is not None}
    if given is None and len(names) > 1:
        raise UserError("{} has {}".format(tasks[0].record.path, fault.format(", ".join(names))))
    if given is not None and names and given not in names:
        raise UserError(
            "{} has nothing of the control '{}': its controls are {}".format(
                tasks[0].record.path, given, ", ".join(names)
            )
        )
    return given if given is not None else next(iter(names), None)


def _spans(record: JsonObject, results: Sequence[JsonObject], needs_type: bool) -> List[TextSpan]:
    values = [result.values["value"] for result in results]
    for value in values:
        if _LABELS not in value and _is_span(value):
            raise record.error("has a span of HTML ({}): only spans of plain text are read".format(shown(value)))
    return spans_of_value(record, values, needs_type)


def chosen_labels(tasks: Sequence[LabelledTask], control: Optional[str]) -> List[Optional[List[str]]]:
    """Returns the choices of each task; None where it is without annotation. Arguments and errors as `marked_spans`."""
    found = [_choices(task) for task in tasks]
    control = _only(tasks, found, "from_name", control, "choices of the controls {}: name one with the key 'label'")
    return [
        None
        if task.results is None
        else [label for each in results if each.values.get("from_name") == control for label in _texts(each)]
        for task, results in zip(tasks, found)
    ]


def _choices(task: LabelledTask) -> List[JsonObject]:
    """The choices about a whole task."""
    values = [(each, each.values["value"]) for each in _results(task)]
    return [each for each, value in values if _CHOICES in value and "start" not in value]


def _texts(result: JsonObject) -> List[str]:
    return result.object("value").texts(_CHOICES)
