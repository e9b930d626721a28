"""Descriptions of indexes: written and read back, and every fault is one sentence."""

import json

import pytest

from albert.base.errors import UserError
from albert.search import description
from albert.search.description import FileMark, IndexDescription, Source
from tests.support.tiny_search import MODEL

MARK = FileMark(5, "ab")
WRITTEN = IndexDescription(
    num_lines=3,
    width=4,
    source=Source("the lines.tsv", "/data/the lines.tsv", "问", 2, MARK),
    model=MODEL,
    library="usearch 2.26.6",
    files={"lines.txt": MARK, "vectors.npy": MARK, "graph.usearch": MARK},
)


def test_what_was_written_is_read(tmp_path):
    description.write(str(tmp_path), WRITTEN)
    assert description.read(str(tmp_path)) == WRITTEN and WRITTEN.has_graph
    exact = WRITTEN._replace(files=dict.fromkeys(("lines.txt", "vectors.npy"), MARK))
    description.write(str(tmp_path), exact)
    assert description.read(str(tmp_path)) == exact and not exact.has_graph


def test_the_remedy_is_the_command_that_built_it():
    assert description.remedy(WRITTEN, "my index") == (
        "build the index again with `python search.py index 'the lines.tsv' '--index=my index' "
        "'--checkpoint=the model' --column=问`"
    )


def test_no_index_and_another_format_say_what_to_do(tmp_path):
    with pytest.raises(UserError, match="^there is no search index in .*: build one with `python search.py index "):
        description.read(str(tmp_path))
    (tmp_path / description.DESCRIPTION_FILE).write_text('{"format": 2, "new": []}')
    with pytest.raises(UserError, match="has the format 2, and this version reads 1: build it again with `python "):
        description.read(str(tmp_path))


@pytest.mark.parametrize(
    "path,value,reason",
    [
        (("num_lines",), 0, "'num_lines' must be a whole number from 1 on, not 0"),
        (("num_lines",), "3", "'num_lines' must be"),
        (("width",), None, "the key 'width' is missing"),
        (("format",), None, "the key 'format' is missing"),
        (("other",), 1, "other"),
        (("source", "mark", "sha256"), 5, "'source.mark.sha256' must be a text"),
        (("source", "column"), 5, "'source.column' must be a text"),
        (("model", "arguments", "path"), [], "'model.arguments.path' must be a text"),
        (("model", "arguments", "code"), "x", "code"),
        (("files", "lines.txt"), None, "lines.txt"),
        (("files", "../x"), {"num_bytes": 1, "sha256": "a"}, "x"),
    ],
)
def test_a_damaged_description_is_one_sentence(tmp_path, path, value, reason):
    description.write(str(tmp_path), WRITTEN)
    file = tmp_path / description.DESCRIPTION_FILE
    values = json.loads(file.read_text(encoding="utf-8"))
    place = values
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    if value is None:
        del place[path[-1]]
    file.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(UserError) as caught:
        description.read(str(tmp_path))
    said = str(caught.value)
    assert reason in said and said.endswith("; build the index again") and "\n" not in said


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b"{" * 9999, b'{"format": NaN}'])
def test_what_is_no_description_is_one_sentence(tmp_path, content):
    (tmp_path / description.DESCRIPTION_FILE).write_bytes(content)
    with pytest.raises(UserError, match="is not a description of a search index: "):
        description.read(str(tmp_path))
