"""Spans of a text as JSON writes them, and where they are: ends are checked against the text that the span names.

[0, 2, "LOC"]                                                         doccano
{"start": 0, "end": 2, "type": "LOC", "text": "北京"}                 start_offset, end_offset and label mean the same
{"LOC": {"北京": [[0, 1]]}}                                           CLUENER: the last character is included

Programs count characters (code points), but what runs in a browser counts UTF-16 units, in which an emoji is two. Where
a span names its text, the text tells which of them is meant.
"""

from __future__ import annotations

import itertools
from typing import Any, Callable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from albert.tasks.json_rows import JsonObject, shown

_STARTS, _ENDS, _TYPES = ("start", "start_offset"), ("end", "end_offset"), ("type", "label", "labels", "entity_type")
_FORMS = '[start, end, type], {"start": …, "end": …, "type": …} or {type: {text: [[first, last]]}}'
_LAST_OF_ONE_UNIT = "\uffff"
_MOST_SHOWN = 40  # characters of a text in a message


class TextSpan(NamedTuple):
    """Span [start, end) of a text, as its file has it.

    Attributes:
      start, end: in characters, or in UTF-16 units until `placed` has read them.
      type: of an entity; empty where the span answers a question.
      text: what the file says that stands there; None where it does not say it.
    """

    start: int
    end: int
    type: str
    text: Optional[str] = None


def spans_of_value(entry: JsonObject, value: Any, needs_type: bool = True) -> List[TextSpan]:
    """Returns the spans that a JSON value holds, in its order.

    Raises:
      UserError: it has none of the forms.
    """
    if isinstance(value, dict):
        return list(_by_type(entry, value))
    if not isinstance(value, list):
        raise entry.error("has no spans but {}: each must be {}".format(shown(value), _FORMS))
    return [_span(entry, each, needs_type) for each in value]


def _by_type(entry: JsonObject, value: Any) -> Iterator[TextSpan]:
    for kind, names in value.items():
        if not isinstance(names, dict):
            raise entry.error("has no spans under '{}' but {}: each must be {}".format(kind, shown(names), _FORMS))
        for name, places in names.items():
            if not isinstance(places, list) or not all(_is_place(place) for place in places):
                raise entry.error("gives no list of [first, last] characters for '{}'".format(name))
            for first, last in places:
                yield TextSpan(first, last + 1, kind, name)


def _is_place(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(type(number) is int for number in value)


def _span(entry: JsonObject, value: Any, needs_type: bool) -> TextSpan:
    if isinstance(value, list) and len(value) in (2, 3):
        start, end, kind = (value + [""])[:3]
        text = None
    elif isinstance(value, dict):
        start, end, kind = (_first(value, keys) for keys in (_STARTS, _ENDS, _TYPES))
        text = value.get("text")
    else:
        raise entry.error("has no span but {}: it must be {}".format(shown(value), _FORMS))
    if isinstance(kind, list) and len(kind) == 1:
        kind = kind[0]
    if type(start) is not int or type(end) is not int:
        raise entry.error("has no whole numbers as start and end of the span {}".format(shown(value)))
    if isinstance(kind, list) and len(kind) > 1:
        raise entry.error("has several types in the span {}: a span has one".format(shown(value)))
    if needs_type and (not isinstance(kind, str) or not kind.strip()):
        raise entry.error("has no type in the span {}".format(shown(value)))
    return TextSpan(start, end, kind.strip() if isinstance(kind, str) else "", text if isinstance(text, str) else None)


def _first(values: Any, keys: Sequence[str]) -> Any:
    return next((values[key] for key in keys if key in values), None)


# A text and the spans that its file gives it -> the spans in characters.
Reading = Callable[[str, Sequence[TextSpan]], List[TextSpan]]


def in_characters(text: str, spans: Sequence[TextSpan]) -> List[TextSpan]:
    """Reads spans of a file that counts characters."""
    del text
    return list(spans)


def in_utf16_units(text: str, spans: Sequence[TextSpan]) -> List[TextSpan]:
    """Reads spans of a file that counts UTF-16 units; an end that is no place between characters is -1."""
    if not text or max(text) <= _LAST_OF_ONE_UNIT:
        return list(spans)
    places = {unit: place for place, unit in enumerate(_units(text))}
    return [span._replace(start=places.get(span.start, -1), end=places.get(span.end, -1)) for span in spans]


def _units(text: str) -> Iterator[int]:
    """The UTF-16 units before each character of a text, and in all of it."""
    return itertools.accumulate(itertools.chain([0], (1 + (char > _LAST_OF_ONE_UNIT) for char in text)))


def _agrees(text: str, span: TextSpan) -> bool:
    """Whether a span is in its text, and its text is there if the file says it."""
    if not 0 <= span.start <= span.end <= len(text):
        return False
    return span.text is None or _look(text[span.start : span.end]) == _look(span.text)


def _look(text: str) -> str:
    """A text without blanks, and without the line ends that Label Studio writes as a backslash and an n."""
    return "".join(text.replace("\\n", "\n").split())


def preferred_readings(
    texts: Sequence[Tuple[str, Sequence[TextSpan]]], readings: Sequence[Reading]
) -> Tuple[Reading, ...]:
    """Orders readings so that the one with which all spans of a file agree is the first, if there is one."""
    for reading in readings:
        if all(_agrees(text, span) for text, spans in texts for span in reading(text, spans)):
            return (reading,) + tuple(other for other in readings if other is not reading)
    return tuple(readings)


def placed(entry: JsonObject, text: str, spans: Sequence[TextSpan], readings: Sequence[Reading]) -> List[TextSpan]:
    """Returns the spans of a text in characters, by the first reading with which all of them agree.

    Raises:
      UserError: a span is empty, outside of the text, or the text has something else there.
    """
    for span in spans:
        if span.start >= span.end:
            raise entry.error("has an empty span from {} to {}{}".format(span.start, span.end, _type(span)))
    for reading in readings:
        found = reading(text, spans)
        if all(_agrees(text, span) for span in found):
            return found
    pairs = zip(spans, readings[0](text, spans))
    raise entry.error(next(_fault(text, span, found) for span, found in pairs if not _agrees(text, found)))


def _fault(text: str, span: TextSpan, found: TextSpan) -> str:
    what = "a span from {} to {}{}".format(span.start, span.end, _type(span))
    if span.text is None or not 0 <= found.start < found.end <= len(text):
        return "has {}, but its text has {:,} characters".format(what, len(text))
    return "has {}, which should be '{}', but the text has '{}' there".format(
        what, _cut(span.text), _cut(text[found.start : found.end])
    )


def _type(span: TextSpan) -> str:
    return " ({})".format(span.type) if span.type else ""


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"
