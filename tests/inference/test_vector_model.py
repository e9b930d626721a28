"""Sentence vectors of checkpoints and exports against NumPy on the published implementations' last layer."""

import json

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.checkpoints.description import read_description, write_description
from albert.checkpoints.model import open_checkpoint
from albert.inference.embeddings import Embedder
from albert.inference.encoder_model import open_encoder
from albert.inference.model_files import find_model
from albert.inference.predictor import open_predictor
from albert.inference.vector_model import load_vectors, open_vectors
from tests.support import exports
from tests.support.marks import slow

TEXTS = ["一丁七万", "万七", "丈三上下不与"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return exports.write_vectors(tmp_path_factory.mktemp("vectors") / "m", "zh_postln", "mean")


@pytest.mark.parametrize(
    "name, pooling",
    [("google_g1", "mean"), ("zh_postln", "cls"), slow("zh_postln", "max"), slow("google_g2", "cls"),
     slow("zh_preln", "mean")],
)  # fmt: skip
def test_a_vector_is_pooling_map_and_norm_of_the_published_last_layer(tmp_path, name, pooling):
    folder = exports.write_vectors(tmp_path / "m", name, pooling)
    expected = exports.vectors_of(name, pooling)
    with load_vectors(find_model(folder)) as model:
        assert model.width == exports.VECTOR_SIZE
        np.testing.assert_allclose(model._engine.answer(exports.inputs_of(name)), expected, atol=1e-5)
        texts = model.embed(TEXTS)
    with Embedder(open_encoder(folder)) as embedder:
        assert embedder.width == exports.VECTOR_SIZE and embedder.max_seq_length == 24
        np.testing.assert_allclose(embedder._engine.answer(exports.inputs_of(name)), expected, atol=1e-5)
        np.testing.assert_allclose(embedder.embed(TEXTS), texts, atol=1e-6)
        assert "a linear map of 48 to 7 numbers, divided by its length" in embedder.definition


@pytest.mark.parametrize("options", [{"pooling": "mean"}, {"layer_indexes": [-2]}])
def test_layers_that_are_named_are_taken_as_before(folder, options):
    with Embedder(open_encoder(folder), **options) as embedder, Embedder(
        open_encoder(folder), layer_indexes=[-2], pooling="mean"
    ) as both:
        assert embedder.width == 48 and embedder.definition == "mean over the tokens of layer 1"
        np.testing.assert_allclose(embedder.embed(TEXTS), both.embed(TEXTS), atol=1e-6)


@pytest.mark.parametrize("export_format", ["frozen", "savedmodel"])
def test_an_export_gives_the_vectors_of_its_source(folder, tmp_path, export_format):
    exports.run(checkpoint=folder, format=export_format, output_dir=tmp_path / "out")
    with open_vectors(folder) as source, open_vectors(str(tmp_path / "out")) as exported:
        assert exported.width == 7 and exported.max_seq_length == source.max_seq_length == 24
        np.testing.assert_allclose(exported.embed(TEXTS), source.embed(TEXTS), atol=1e-6)
    description = json.loads((tmp_path / "out" / "export.json").read_text(encoding="utf-8"))
    assert description["sentence_vector"] == {"pooling": "mean", "map": {"inputs": 48, "outputs": 7}, "norm": "l2"}
    description["sentence_vector"]["map"]["outputs"] = 8
    (tmp_path / "out" / "export.json").write_text(json.dumps(description))
    with pytest.raises(UserError, match="answers with 7 numbers, but its export.json names 8: export the model again"):
        open_vectors(str(tmp_path / "out"))
    del description["sentence_vector"]["map"]
    (tmp_path / "out" / "export.json").write_text(json.dumps(description))
    with pytest.raises(UserError, match="not a description of an export: .*sentence_vector.map"):
        open_vectors(str(tmp_path / "out"))


def test_cosines_are_those_of_the_vectors_and_each_text_is_computed_once(folder, monkeypatch):
    with open_vectors(folder) as model:
        vectors = dict(zip(TEXTS, model.embed(TEXTS).astype(float)))
        pairs = [(a, b) for a in TEXTS for b in TEXTS]
        rows, answer = [], model._engine.answer
        monkeypatch.setattr(
            model._engine, "answer", lambda inputs: rows.append(len(inputs["input_ids"])) or answer(inputs)
        )
        found = model.cosines(pairs)
        np.testing.assert_allclose(found, [vectors[a] @ vectors[b] for a, b in pairs], atol=1e-5)
        assert sum(rows) == len(TEXTS) and found.std() > 1e-3
        assert model.cosines([]).shape == (0,) and model.embed([]).shape == (0, 7)


@pytest.mark.parametrize(
    "pair, message",
    [
        (("一", " "), "the second text of row 2 is empty"),
        (("\u200b", "一"), "the first text of row 2 holds nothing that can be read"),
        (("一", None), "row 2 has one text: give pairs"),
        ("一丁", "the second text|row 2 is '一丁': give pairs"),
    ],
)
def test_a_bad_pair_is_one_sentence(folder, pair, message):
    with open_vectors(folder) as model, pytest.raises(UserError, match=message):
        model.cosines([("一", "丁"), pair])


def test_models_without_the_head_are_refused(folder, published, tmp_path):
    with pytest.raises(
        UserError, match="has no description of a model with sentence vectors: name a folder that run_emb"
    ):
        open_vectors(published["google_g1"])
    with pytest.raises(
        UserError, match="it has no sentence-vector head: run_distillation.py and run_embedding.py train"
    ):
        open_vectors(exports.write_classifier(tmp_path / "c"))
    with pytest.raises(UserError, match="it has a fine-tuned head for sentence vectors, no classifier"):
        open_predictor(folder)


def test_a_pooling_that_is_none_is_refused(tmp_path):
    folder = exports.write_vectors(tmp_path / "m")
    write_description(folder, read_description(folder)._replace(pooling="median"))
    with pytest.raises(UserError, match="task.json has the pooling median: it must be one of cls, mean, max"):
        open_checkpoint(folder)
