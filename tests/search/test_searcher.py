"""Searchers: the model that the index names, another one, and one that has moved."""

import os
import shutil

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.inference.encoder_model import open_encoder
from albert.search import searcher
from albert.search.build import Request, build_index
from albert.search.description import IndexModel
from albert.search.model_mark import mark_of
from albert.search.searcher import embedder_of, open_searcher
from tests.support import exports, published_checkpoints
from tests.support.tiny_search import LetterEmbedder, weights_of

LINES = ["一丁七万", "万七", "丈三上下不与", "一", "丁丁丁丁丁丁丁"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A model and an index of it."""
    folder = tmp_path_factory.mktemp("searcher")
    (folder / "model").mkdir()
    model = exports.write_fixture(folder / "model", "zh_postln")
    (folder / "lines.txt").write_text("".join(line + "\n" for line in LINES), encoding="utf-8")
    source = open_encoder(model)
    request = Request(str(folder / "lines.txt"), None, str(folder / "index"))
    arguments = {"path": model, "do_lower_case": True}
    build_index(request, embedder_of(source, 2), IndexModel("model", arguments, mark_of(source)))
    return folder


@pytest.fixture
def quick(monkeypatch):
    """Models are opened, but not loaded."""
    monkeypatch.setattr(searcher, "embedder_of", lambda source, batch_size: LetterEmbedder())


def test_the_model_that_the_index_names_answers(folder):
    opened = open_searcher(str(folder / "index"))
    found = opened.search(["万七", "丁丁丁丁丁丁丁"], 5)
    assert [matches[0][:2] for matches in found] == [(2, "万七"), (5, "丁丁丁丁丁丁丁")]
    vectors = opened._embedder.embed(LINES).astype(float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    expected = sorted(vectors.dot(vectors[1]), reverse=True)
    assert [match.score for match in found[0]] == pytest.approx(expected, abs=1e-3)
    assert opened.search([], 3) == []
    with pytest.raises(UserError, match="the first text of row 2 is empty"):
        opened.search(["一", " "], 1)
    opened.close()


def test_a_model_that_has_moved_is_named_or_found_by_its_path_as_given(folder, quick, monkeypatch):
    moved = str(folder / "elsewhere" / "model")
    shutil.move(str(folder / "model"), moved)
    with pytest.raises(UserError, match="cannot be searched with the model that built it: .*--checkpoint"):
        open_searcher(str(folder / "index"))
    open_searcher(str(folder / "index"), {"path": moved})
    monkeypatch.chdir(folder / "elsewhere")
    open_searcher(str(folder / "index"))
    shutil.move(moved, str(folder / "model"))


def test_another_model_is_noticed_though_its_files_have_the_same_size(folder, quick, tmp_path):
    model = str(tmp_path / "model")
    shutil.copytree(str(folder / "model"), model)
    values = weights_of(model)
    name = next(name for name in values if name.endswith("word_embeddings"))
    published_checkpoints.save(os.path.join(model, "albert_model.ckpt"), dict(values, **{name: values[name] + 0.01}))
    with pytest.raises(UserError) as caught:
        open_searcher(str(folder / "index"), {"path": model})
    said = str(caught.value)
    assert "is another model, whose vectors do not compare; build the index again with `python search.py " in said
