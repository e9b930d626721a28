"""The reader of bodies by itself: what it reads, the first fault, and what hostile bodies cost."""

import json
import tracemalloc

import pytest

pytest.importorskip("fastapi", reason="needs requirements/serve.txt")

from starlette.exceptions import HTTPException

from albert.serving import schemas
from albert.serving.bodies import BodyReader, RowFields

PAIRS = BodyReader(schemas.row_fields(schemas.Pair), 20)
TEXTS_OR_PAIRS = BodyReader(schemas.row_fields(schemas.TextOrPair), 20)
MANY = BodyReader(schemas.row_fields(schemas.Pair), 1000)
PAIR = {"text_a": "喜欢苹果", "text_b": "香蕉"}
MEGABYTES = 4 << 20


def refused(reader, content):
    """Status and sentence of the refusal of a body."""
    with pytest.raises(HTTPException) as caught:
        reader.read(content if isinstance(content, bytes) else json.dumps(content).encode("utf-8"))
    return caught.value.status_code, caught.value.detail


@pytest.mark.parametrize(
    "body",
    [
        PAIR,
        [],
        [PAIR],
        [PAIR] * 20,
        {"text_a": "", "text_b": ', [ { " \\ } ] :'},
        {"text_b": "\n\t\u2028\x7f", "text_a": "😂" * 9},
    ],
)
@pytest.mark.parametrize("options", [{}, {"ensure_ascii": False}, {"indent": 3}, {"separators": (",", ":")}])
def test_rows_are_read_as_any_reader_of_json_reads_them(body, options):
    content = json.dumps(body, **options).encode("utf-8")
    assert PAIRS.read(content) == body
    assert PAIRS.read(b"\xef\xbb\xbf \r\n\t" + content + b" \n") == body
    assert TEXTS_OR_PAIRS.read(bytearray(content)) == body


def test_names_may_be_escaped_and_optional_values_null():
    assert PAIRS.read(b'{"te\\u0078t_a" : "\\u6211" ,"text_b":"b"}') == {"text_a": "我", "text_b": "b"}
    assert TEXTS_OR_PAIRS.read(b'[{"text_a": "a", "text_b": null}, {"text_a": "b"}]') == [
        {"text_a": "a", "text_b": None},
        {"text_a": "b"},
    ]


@pytest.mark.parametrize(
    "content,sentence",
    [
        (b"  ", "at character 3 a value is expected"),
        (b"{", "at character 2 a name in double quotes is expected"),
        (b"[", "at character 2 a value is expected"),
        (b"{1: 2}", "at character 2 a name in double quotes is expected"),
        (b'{"text_a"}', "at character 10 ':' is expected"),
        (b'{"text_a": "a" "text_b"', "at character 16 ',' or '}' is expected"),
        (b'{"text_a": "a",}', "at character 16 a name in double quotes is expected"),
        (b'[{"text_a": "a", "text_b": "b"}', "at character 32 ',' or ']' is expected"),
        (b'[{"text_a": "a", "text_b": "b"},]', "at character 33 a value is expected"),
        (b'{"text_a": "a', "at character 12 a string that ends"),
        (b'{"text_a": "\n", "text_b": ""}', "at character 13 a string that ends and has no control characters"),
        (b'{"text_a": "\\x", "text_b": ""}', "a string that ends and has no control characters and no unknown escapes"),
        (b'{"text_a": nothing}', "must be a text"),
        (b'{"text_a": \xe6}', "the body is not JSON in UTF-8: see its byte 11"),
        ('{"text_a": "a"}'.encode("utf-16"), "the body is not JSON in UTF-8: see its byte 0"),
        (b"{\"text_a\": 'a'}", "at character 12 a value is expected"),
        (b'{"text_a": "a", "text_b": "b"} {}', "at character 32 nothing more is expected"),
    ],
)
def test_what_is_no_json_is_named_with_its_place(content, sentence):
    status, said = refused(PAIRS, content)
    assert sentence in said
    assert status == (422 if sentence == "must be a text" else 400)


@pytest.mark.parametrize(
    "body,status,sentence",
    [
        (5, 422, "the body is not a JSON object as shown in /docs"),
        ([PAIR, 5], 422, "row 2 is not a JSON object as shown in /docs"),
        ([PAIR, {"text_a": 1.5, "text_b": {}}], 422, "text_a of row 2 must be a text"),
        ([PAIR, {}], 422, "text_a of row 2 is missing"),
        ({"text_a": [[1]]}, 422, "text_a must be a text"),
        ({"": "a"}, 422, " is unknown: /docs lists the known names"),
        (b'{"text_a": "a", "text_a": "b", "text_b": ""}', 422, "text_a appears twice"),
        ([PAIR] * 21, 413, "the list has 21 rows, at most 20 are answered at a time: send it in parts"),
        ([PAIR] * 40, 413, "the list has 40 rows, at most 20 are answered at a time: send it in parts"),
        ([PAIR] * 41, 413, "the list has over 40 rows, at most 20 are answered at a time: send it in parts"),
        ([PAIR] * 21 + [5], 413, "the list has over 20 rows, at most 20 are answered at a time: send it in parts"),
        ([PAIR] * 20 + [5], 413, "the list has over 20 rows, at most 20 are answered at a time: send it in parts"),
    ],
)
def test_the_first_fault_is_named(body, status, sentence):
    assert refused(PAIRS, body) == (status, sentence)


def test_one_row_is_asked_for_where_no_list_is_answered():
    reader = BodyReader(RowFields(("text",)), None)
    assert reader.read(b'{"text": "a"}') == {"text": "a"}
    assert refused(reader, [{"text": "a"}]) == (422, "the body is not a JSON object as shown in /docs")


def many(unit, opening=b"[", closing=b"]"):
    """A body of 4 MB that repeats a unit."""
    return opening + b",".join([unit] * ((MEGABYTES - 9) // (len(unit) + 1))) + closing


HOSTILE = {
    "numbers": many(b"1"),
    "objects": many(b"{}"),
    "nulls": many(b"null"),
    "lists": many(b"[]"),
    "nested": b"[" * MEGABYTES,
    "nested objects": b'{"text_a":' * 400000,
    "keys": b"{" + b",".join(b'"key%06d":1' % number for number in range(100000)) + b"}",
    "keys in a row": b"[{" + b",".join(b'"key%06d":1' % number for number in range(100000)) + b"}]",
    "the same key": many(b'"text_a":""', b"{", b"}"),
    "list in a row": b'{"text_b":"","text_a":' + many(b"[]") + b"}",
    "digits": b'{"text_a":' + b"9" * MEGABYTES + b"}",
    "rows": many(json.dumps(PAIR).encode("utf-8")),
}


@pytest.mark.parametrize("content", list(HOSTILE.values()), ids=list(HOSTILE))
def test_what_a_hostile_body_holds_is_not_made_into_objects(content):
    tracemalloc.start()
    try:
        status, _ = refused(MANY, content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert status in (400, 413, 422)
    assert peak < len(content) + (2 << 20)  # the text, and at most the rows that are allowed
