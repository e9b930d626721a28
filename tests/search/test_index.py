"""Opened indexes: the lines they find, and everything that makes them stale or damaged, each as one sentence."""

import json
import logging
import os
import shutil
import sys

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.search import build
from albert.search.index import SearchIndex
from albert.search.unit_vectors import unit_vectors
from tests.support.tiny_search import MODEL, LetterEmbedder, needs_usearch, write_index

LINES = ["一丁七", "丁七", "😂七 万", "万", "一丁七"]


def vector_of(text):
    return unit_vectors(LetterEmbedder(), [text], "row {}".format)


def sealed(index):
    """Writes the marks of changed files into the description, as an attacker would."""
    path = os.path.join(index, "search_index.json")
    with open(path, encoding="utf-8") as file:
        values = json.load(file)
    for name in values["files"]:
        values["files"][name] = build.mark_of_file(os.path.join(index, name))._asdict()
    with open(path, "w", encoding="utf-8") as file:
        json.dump(values, file)


@pytest.mark.parametrize("graph_from", [1, 100])
def test_the_nearest_lines_come_with_number_and_cosine(tmp_path, graph_from):
    if graph_from == 1:
        pytest.importorskip("usearch", reason=needs_usearch)
    index = SearchIndex(write_index(tmp_path, LINES, graph_from=graph_from))
    assert index.is_approximate == (graph_from == 1)
    (matches,) = index.nearest(vector_of("一丁七"), 3)
    assert [(match.line, match.text) for match in matches[:2]] == [(1, "一丁七"), (5, "一丁七")]
    plain = LetterEmbedder().embed(["一丁七", matches[2].text]).astype(float)
    cosine = plain[0].dot(plain[1]) / np.prod(np.linalg.norm(plain, axis=1))
    assert matches[0].score == pytest.approx(1.0, abs=1e-3) and matches[2].score == pytest.approx(cosine, abs=1e-3)
    both = index.nearest(np.concatenate([vector_of("万"), vector_of("😂七 万")]), 9)
    assert [len(found) for found in both] == [5, 5] and [found[0].line for found in both] == [4, 3]


def test_lines_of_a_table_are_counted_with_its_header(tmp_path):
    (tmp_path / "lines.tsv").write_text("id\ttext\n1\t一\n2\t七\n", encoding="utf-8")
    request = build.Request(str(tmp_path / "lines.tsv"), None, str(tmp_path / "index"))
    build.build_index(request, LetterEmbedder(), MODEL)
    assert SearchIndex(request.folder).nearest(vector_of("七"), 1)[0][0].line == 3


def test_changed_lines_are_noticed(tmp_path, monkeypatch, caplog):
    index = write_index(tmp_path, LINES)
    lines = tmp_path / "lines.txt"
    content = lines.read_bytes()
    status = os.stat(str(lines))
    for changed in (content[:-1] + b"x", content + b"x\n"):
        lines.write_bytes(changed)
        os.utime(str(lines), ns=(status.st_atime_ns, status.st_mtime_ns))
        with pytest.raises(UserError) as caught:
            SearchIndex(index)
        assert str(caught.value) == (
            "{0} was changed after the index {1} was built: build the index again with `python search.py index {0} "
            "--index={1} '--checkpoint=the model'`".format(lines, index)
        )
    lines.write_bytes(content)
    SearchIndex(index)
    lines.unlink()
    with caplog.at_level(logging.INFO):
        assert SearchIndex(index).nearest(vector_of("万"), 1)[0][0].text == "万"
    assert "is not there: the index" in caplog.text


def test_a_moved_index_still_compares_its_lines(tmp_path):
    index = write_index(tmp_path, LINES)
    shutil.move(index, str(tmp_path / "elsewhere"))
    SearchIndex(str(tmp_path / "elsewhere"))
    (tmp_path / "lines.txt").write_text("x\n")
    with pytest.raises(UserError, match="was changed after the index"):
        SearchIndex(str(tmp_path / "elsewhere"))


@pytest.mark.parametrize("name", ["lines.txt", "vectors.npy", "graph.usearch"])
@pytest.mark.parametrize("fault", ["cut", "flipped", "missing"])
def test_damaged_files_are_noticed(tmp_path, name, fault):
    if name == "graph.usearch":
        pytest.importorskip("usearch", reason=needs_usearch)
    index = write_index(tmp_path, LINES, graph_from=1 if name == "graph.usearch" else 100)
    path = os.path.join(index, name)
    with open(path, "rb") as file:
        content = bytearray(file.read())
    os.remove(path)
    if fault == "cut":
        del content[-3:]
    if fault == "flipped":
        content[-3] ^= 1
    if fault != "missing":
        with open(path, "wb") as file:
            file.write(content)
    with pytest.raises(UserError) as caught:
        SearchIndex(index)
    said = str(caught.value)
    assert name in said and "; build the index again with `python search.py index " in said and "\n" not in said
    assert "cannot read" in said if fault == "missing" else "is not the file that was built" in said


def replaced_vectors(array):
    return lambda index: np.save(os.path.join(index, "vectors.npy"), array)


def replaced_graph(content):
    def replace(index):
        with open(os.path.join(index, "graph.usearch"), "wb") as file:
            file.write(content)

    return replace


def replaced_lines(index):
    with open(os.path.join(index, "lines.txt"), "w", encoding="utf-8") as file:
        file.write("一\n")


@pytest.mark.parametrize(
    "replace,reason",
    [
        (replaced_lines, "holds 1 lines, not 5"),
        (replaced_vectors(np.zeros([4, 6], np.float16)), "not float16"),
        (replaced_vectors(np.zeros([5, 6], np.float64)), "not float16"),
        (replaced_vectors(np.zeros([5, 6], np.int8)), "holds no array of numbers"),
        (replaced_vectors(np.full([5, 6], np.nan, np.float16)), "hold values that are no finite numbers"),
        (replaced_vectors(np.full([5, 6], np.inf, np.float32)), "hold values that are no finite numbers"),
        (replaced_graph(b"\x05\x00\x00\x00\x06\x00\x00\x00" * 30), "cannot read the graph"),
    ],
)
def test_a_folder_that_fits_its_description_but_not_itself_is_one_sentence(tmp_path, replace, reason):
    pytest.importorskip("usearch", reason=needs_usearch)
    index = write_index(tmp_path, LINES, graph_from=1)
    replace(index)
    sealed(index)
    with pytest.raises(UserError, match=reason) as caught:
        SearchIndex(index).nearest(vector_of("万"), 2)
    assert "; build the index again with `" in str(caught.value) and "\n" not in str(caught.value)


def test_bytes_that_are_no_text_are_shown_all_the_same(tmp_path):
    index = write_index(tmp_path, LINES)
    path = os.path.join(index, "lines.txt")
    with open(path, "rb") as file:
        content = file.read()
    with open(path, "wb") as file:
        file.write(content.replace("万".encode("utf-8"), b"\xff\xfe\xfd"))
    sealed(index)
    assert SearchIndex(index).nearest(vector_of("万"), 1)[0][0].text == "\ufffd" * 3


def test_without_the_library_a_graph_is_left_alone(tmp_path, monkeypatch, caplog):
    pytest.importorskip("usearch", reason=needs_usearch)
    index = write_index(tmp_path, LINES, graph_from=1)
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with caplog.at_level(logging.WARNING):
        opened = SearchIndex(index)
    assert "`pip install -r requirements/search.txt` brings it." in caplog.text
    assert not opened.is_approximate and opened.nearest(vector_of("万"), 1)[0][0].line == 4
