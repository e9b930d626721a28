"""Vectors against the layers' outputs of the published implementations, and neighbours against brute force."""

import io
import os

import numpy as np
import pytest

import embeddings
from albert.base.errors import UserError
from albert.inference import encoder_model
from tests.support import exports, model_fixtures
from tests.support.marks import slow

LINES = ["一丁七万", "万七", "丈三上下不与", "一", "丁丁丁丁丁丁丁", "万七"]


def embedder(folder, **options):
    return embeddings.Embedder(encoder_model.open_encoder(folder), **options)


@pytest.mark.parametrize("name", ["google_g1", slow("google_g2"), "zh_postln", slow("zh_preln")])
@pytest.mark.parametrize("pooling", embeddings.POOLINGS)
def test_layers_are_pooled_as_published_implementations_computed_them(published, name, pooling):
    arrays = model_fixtures.load(name)
    layers, mask = arrays["out/all_layers"], arrays["in/input_mask"].astype(bool)  # [L, B, S, H], [B, S]
    pool = {"cls": lambda x: x[0], "mean": lambda x: x.mean(axis=0), "max": lambda x: x.max(axis=0)}[pooling]
    expected = [[pool(layers[layer, row][mask[row]]) for layer in (-1, -2, 0)] for row in range(len(mask))]
    model = embedder(published[name], layer_indexes=[-1, -2, 0], pooling=pooling)
    answers = model._engine.answer(exports.inputs_of(name))
    model.close()
    assert not mask.all() and answers.shape[1] == model.width
    np.testing.assert_allclose(answers, np.reshape(expected, answers.shape), atol=2e-5)


@pytest.fixture(scope="module")
def model(published):
    return embedder(published["zh_postln"], batch_size=2)


def test_vectors_stand_in_order(model):
    together = model.embed(LINES)
    np.testing.assert_allclose(together, [model.embed([line])[0] for line in LINES], atol=1e-5)
    assert model.embed([]).shape == (0, model.width) and together.dtype == np.float32


@pytest.mark.parametrize("text", ["", " ", "\x00\ud800", None, 5])
def test_a_bad_text_is_one_sentence_and_the_next_is_answered(model, text):
    with pytest.raises(UserError, match="^the first text of row 2 "):
        model.embed(["一", text])
    assert np.isfinite(model.embed(["一", "😂", "一" * 100000, "\ud800丁"])).all()


@pytest.mark.parametrize("layers", [[3], [-4], []])
def test_a_layer_that_is_none_is_refused(published, layers):
    with pytest.raises(UserError, match="has 3 layers: layer indexes are 0 to 2 or -1 to -3"):
        embedder(published["zh_postln"], layer_indexes=layers)


def test_neighbours_are_those_of_all_angles():
    random = np.random.RandomState(4)
    vectors = random.randn(50, 7).astype(np.float32)
    vectors[9] = vectors[30] * 3
    vectors[8] = 0.0
    found = embeddings.nearest_vectors(vectors[30], vectors, 60)
    angles = [
        sum(a * b for a, b in zip(row, vectors[30])) / max(1e-12, (sum(a * a for a in row) ** 0.5))
        for row in vectors.astype(float)
    ]
    norm = float(np.linalg.norm(vectors[30].astype(float)))
    assert sorted(index for index, _ in found) == list(range(50)) and {found[0].index, found[1].index} == {9, 30}
    np.testing.assert_allclose(
        [cosine for _, cosine in found], sorted(np.array(angles) / norm, reverse=True), atol=1e-6
    )
    assert embeddings.nearest_vectors(vectors[30], vectors, 3) == found[:3]


def run(**values):
    flags = embeddings.declare_flags()
    flags.parse(["--{}={}".format(name, value) for name, value in values.items()])
    embeddings.main(flags)


def test_the_command_writes_vectors_and_finds_neighbours(published, tmp_path, capsys):
    (tmp_path / "lines.txt").write_text("".join(line + "\n" for line in LINES), encoding="utf-8")
    out = str(tmp_path / "v.npy")
    flags = {"checkpoint": published["google_g1"], "layer_indexes": "-1,-2", "pooling": "max"}
    run(input_file=tmp_path / "lines.txt", output_file=out, **flags)
    assert np.load(out).shape == (6, 96)
    assert (tmp_path / "v.txt").read_bytes() == (tmp_path / "lines.txt").read_bytes()
    run(vectors=out, sentence="万七", top_k=2, **flags)
    assert capsys.readouterr().out.splitlines() == ["1.0000 | line 2 | 万七", "1.0000 | line 6 | 万七"]
    with pytest.raises(UserError, match="has vectors of 96 numbers, the model with these layers makes 48"):
        run(checkpoint=published["google_g1"], vectors=out, sentence="万七")
    (tmp_path / "v.txt").write_text("一\n", encoding="utf-8")
    with pytest.raises(UserError, match="does not go with the 1 lines"):
        run(vectors=out, sentence="万七", **flags)


@pytest.mark.parametrize(
    "content, flags",
    [("id\ttext\n1\t一\n2\t万七\n", {}), ("x\ty\n1\t一\n2\t万七\n", {"column": "y"})],
)
def test_a_column_of_a_table_is_embedded(published, tmp_path, capsys, content, flags):
    (tmp_path / "in.tsv").write_text(content, encoding="utf-8")
    run(checkpoint=published["zh_postln"], input_file=tmp_path / "in.tsv", sentence="万七", top_k=1, **flags)
    assert capsys.readouterr().out.splitlines() == ["1.0000 | line 3 | 万七"]


def test_a_bad_line_leaves_no_file(published, tmp_path):
    (tmp_path / "lines.txt").write_bytes("一\n\ufffd\n".encode("utf-8"))
    with pytest.raises(UserError, match="lines.txt line 2 holds nothing that can be read"):
        run(checkpoint=published["zh_postln"], input_file=tmp_path / "lines.txt", output_file=tmp_path / "v.npy")
    assert os.listdir(str(tmp_path)) == ["lines.txt"]


@pytest.mark.parametrize(
    "values,message",
    [
        ({"sentence": "一"}, "give --input_file or --vectors"),
        ({"vectors": "v.npy", "output_file": "w.npy", "sentence": "一"}, "goes with --input_file"),
        ({"vectors": "v.npy", "sentence": "一", "column": "x"}, "--column names a column of --input_file: give it"),
        ({"input_file": "a", "output_file": "w.txt"}, "must end in .npy"),
        ({"input_file": "a", "output_file": "w.npy", "layer_indexes": "-2;x"}, "not a list of whole numbers: write -2"),
    ],
)
def test_flags_that_do_not_go_together(published, values, message):
    with pytest.raises(UserError, match=message):
        run(checkpoint=published["zh_postln"], **values)


def test_what_is_no_array_is_said_to_be_none(tmp_path):
    (tmp_path / "v.npy").write_bytes(io.BytesIO(b"nothing").getvalue())
    with pytest.raises(UserError, match="cannot read the vectors"):
        embeddings.read_vectors(str(tmp_path / "v.npy"))


def test_a_missing_vocabulary_is_said(published, tmp_path):
    import shutil

    shutil.copytree(published["zh_postln"], str(tmp_path / "bare"))
    os.remove(str(tmp_path / "bare" / "vocab.txt"))
    with pytest.raises(UserError, match="no vocabulary is beside the checkpoint .*: name it with --vocab_file"):
        encoder_model.open_encoder(str(tmp_path / "bare"))
