"""Built index folders: what is in them, what stays where a build fails, and which folders are never touched."""

import json
import logging
import os
import sys

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.search import build, description
from albert.search.build import Request, build_index
from albert.search.index import SearchIndex
from tests.support.tiny_search import MODEL, LetterEmbedder, needs_usearch, write_index

LINES = ["一丁", "丁七", "七", "万", "丈三"]


def built(folder, **values):
    request = Request(str(folder / "lines.txt"), None, str(folder / "index"), 100000)._replace(**values)
    return build_index(request, LetterEmbedder(), MODEL)


def test_the_folder_holds_lines_vectors_and_their_marks(tmp_path):
    index = write_index(tmp_path, LINES)
    assert sorted(os.listdir(index)) == ["lines.txt", "search_index.json", "vectors.npy"]
    assert (tmp_path / "index" / "lines.txt").read_bytes() == (tmp_path / "lines.txt").read_bytes()
    vectors, plain = np.load(os.path.join(index, "vectors.npy")), LetterEmbedder().embed(LINES)
    assert vectors.dtype == np.float16
    np.testing.assert_allclose(vectors, plain / np.linalg.norm(plain, axis=1)[:, None], atol=1e-3)
    found = description.read(index)
    assert (found.num_lines, found.width, found.model) == (5, 6, MODEL)
    assert found.library == "numpy " + np.__version__
    assert found.source.mark == build.mark_of_file(str(tmp_path / "lines.txt"))


@pytest.mark.parametrize(
    "name,content,column,first_line",
    [
        ("lines.txt", "一丁\n七\n", None, 1),
        ("lines.tsv", "id\ttext\n1\t一丁\n2\t七\n", None, 2),
        ("lines.csv", "x,y\n1,一丁\n2,七\n", "y", 2),
    ],
)
def test_files_are_read_as_embeddings_reads_them(tmp_path, name, content, column, first_line):
    (tmp_path / name).write_text(content, encoding="utf-8")
    found = built(tmp_path, lines_file=str(tmp_path / name), column=column)
    assert (found.source.first_line, found.source.column) == (first_line, column)
    assert (tmp_path / "index" / "lines.txt").read_text(encoding="utf-8") == "一丁\n七\n"


def test_a_graph_is_built_from_a_number_of_lines_on(tmp_path):
    pytest.importorskip("usearch", reason=needs_usearch)
    index = write_index(tmp_path, LINES, graph_from=5)
    found = description.read(index)
    assert found.has_graph and found.library.startswith("usearch ")
    assert set(found.files) == set(os.listdir(index)) - {"search_index.json"}
    assert not description.read(write_index(tmp_path, LINES, graph_from=6)).has_graph


def test_without_the_library_one_sentence_and_exact_search(tmp_path, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "usearch.index", None)
    with caplog.at_level(logging.WARNING):
        index = write_index(tmp_path, LINES, graph_from=1)
    assert [record.getMessage() for record in caplog.records] == [
        "usearch is not installed, so every query is compared with all lines: `pip install -r "
        "requirements/search.txt` brings it; then build the index again."
    ]
    assert not SearchIndex(index).is_approximate


@pytest.mark.parametrize("fault", [KeyboardInterrupt(), UserError("line 3 is bad")])
def test_an_interrupted_build_leaves_the_older_index(tmp_path, monkeypatch, fault):
    monkeypatch.setattr(build, "blocks_of_vectors", lambda *arguments: (_ for _ in ()).throw(fault))
    (tmp_path / "lines.txt").write_text("一\n", encoding="utf-8")
    with pytest.raises(type(fault)):
        built(tmp_path)
    assert os.listdir(str(tmp_path)) == ["lines.txt"]
    monkeypatch.undo()
    built(tmp_path)
    before = (tmp_path / "index" / "search_index.json").read_bytes()
    monkeypatch.setattr(build, "blocks_of_vectors", lambda *arguments: (_ for _ in ()).throw(fault))
    with pytest.raises(type(fault)):
        built(tmp_path)
    assert (tmp_path / "index" / "search_index.json").read_bytes() == before
    assert sorted(os.listdir(str(tmp_path))) == ["index", "lines.txt"]
    SearchIndex(str(tmp_path / "index"))


def test_a_full_disk_leaves_nothing(small_disk):
    folder = small_disk(64)
    (folder / "lines.txt").write_text("一\n" * 4000, encoding="utf-8")
    with pytest.raises(UserError, match="its disk is full"):
        built(folder)
    assert os.listdir(str(folder)) == ["lines.txt"]


def test_a_folder_of_others_is_not_touched(tmp_path):
    (tmp_path / "lines.txt").write_text("一\n", encoding="utf-8")
    (tmp_path / "index").mkdir()
    (tmp_path / "index" / "thesis.txt").write_text("all of it")
    with pytest.raises(UserError, match="holds something else than a search index: name another --index"):
        built(tmp_path)
    assert os.listdir(str(tmp_path / "index")) == ["thesis.txt"]


def test_a_file_that_changes_while_it_is_read_is_not_indexed(tmp_path, monkeypatch):
    (tmp_path / "lines.txt").write_text("一\n", encoding="utf-8")
    read = build.read_text_column

    def read_and_change(path, column):
        found = read(path, column)
        (tmp_path / "lines.txt").write_text("二\n", encoding="utf-8")
        return found

    monkeypatch.setattr(build, "read_text_column", read_and_change)
    with pytest.raises(UserError, match="lines.txt was changed while it was read: start again"):
        built(tmp_path)
    assert os.listdir(str(tmp_path)) == ["lines.txt"]


def test_the_description_is_json_that_people_can_read(tmp_path):
    write_index(tmp_path, LINES)
    values = json.loads((tmp_path / "index" / "search_index.json").read_text(encoding="utf-8"))
    assert values["format"] == 1 and values["source"]["path"].endswith("lines.txt")
    assert sorted(values["files"]) == ["lines.txt", "vectors.npy"]
