"""Folders of transformers as others save them, turned into checkpoints; and what is refused, in a sentence."""

import json
import logging
import os
import shutil

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.values import read_weights
from albert.inference.embeddings import Embedder
from albert.inference.encoder_model import open_encoder
from albert.inference.fill_mask import FillMask
from albert.inference.graph import InferenceGraph, head_recipe
from albert.inference.model_files import find_model
from albert.inference.predictor import Predictor
from albert.inference.tagger import open_tagger
from tests.support import exports, model_fixtures
from tests.support.transformers_folders import (
    NAME,
    SIZE,
    TOKENS,
    encoder,
    weights,
    with_classifier,
    without_pooler,
    write_folder,
    write_json,
    write_safetensors,
)

MASKED_LM = "AlbertForMaskedLM"
SEQUENCES, TOKEN_TAGS, ANSWERS = (
    "AlbertForSequenceClassification",
    "AlbertForTokenClassification",
    "AlbertForQuestionAnswering",
)


def imported(source, target, **flags):
    exports.run(checkpoint=source, format="tensorflow", output_dir=target, **flags)
    return open_checkpoint(str(target))


def masked_lm(values):
    return {name: value for name, value in without_pooler(values).items() if not name.startswith("sop_")}


def test_a_masked_lm_without_a_pooler_answers_masks_and_gives_vectors(tmp_path):
    source = write_folder(tmp_path / "in", masked_lm(weights()), MASKED_LM)
    model = imported(source, tmp_path / "out")
    assert model.heads == ("encoder", "masked_lm") and not model.has_pooler
    opened = open_encoder(str(tmp_path / "out"))
    assert len(FillMask(opened).fill(["一[MASK]"], top_k=3)[0][0]) == 3
    assert Embedder(opened).embed(["一丁"]).shape == (1, 48)
    exports.run(checkpoint=tmp_path / "out", format="pytorch", output_dir=tmp_path / "back")
    assert open_checkpoint(str(tmp_path / "out")).shapes == model.shapes


def test_a_plain_encoder_without_a_pooler_is_imported_and_exported(tmp_path):
    bare = {name[len("albert.") :]: value for name, value in without_pooler(encoder(weights())).items()}
    model = imported(write_folder(tmp_path / "in", bare, "AlbertModel"), tmp_path / "out")
    assert model.heads == ("encoder",)
    exports.run(checkpoint=tmp_path / "out", format="savedmodel", output_dir=tmp_path / "saved")
    description = json.loads((tmp_path / "saved" / "export.json").read_text(encoding="utf-8"))
    assert description["outputs"] == ["sequence_output"]


@pytest.mark.parametrize("dtype, atol", [("F16", 1e-3), ("BF16", 1e-2), ("F64", 0)])
def test_weights_of_any_precision_become_float32(tmp_path, dtype, atol):
    model = imported(write_folder(tmp_path / "in", weights(), dtype=dtype), tmp_path / "out")
    expected = model_fixtures.variables_of(model_fixtures.load(NAME))
    for name, value in read_weights(model.prefix).items():
        assert value.dtype == np.float32
        np.testing.assert_allclose(value, expected[name], atol=atol, rtol=1e-2 if atol else 0)


def old_norms(values):
    renamed = {}
    for name, value in values.items():
        is_norm = "LayerNorm" in name or "layer_norm" in name
        ends = {".weight": ".gamma", ".bias": ".beta"} if is_norm else {}
        stem, dot, end = name.rpartition(".")
        renamed[stem + ends.get(dot + end, dot + end)] = value
    return renamed


def untied_names(values):
    """As some versions save weights that are tied: under the name of the copy alone."""
    values = dict(values, **{"predictions.decoder.bias": values["predictions.bias"]})
    del values["predictions.bias"]
    return values


def with_numbers(values):
    return dict(values, **{"albert.embeddings.position_ids": np.arange(40)[None]})


@pytest.mark.parametrize("change", [old_norms, untied_names, with_numbers])
def test_names_of_other_versions_are_understood(tmp_path, change):
    model = imported(write_folder(tmp_path / "in", change(weights())), tmp_path / "out")
    expected = model_fixtures.variables_of(model_fixtures.load(NAME))
    for name, value in read_weights(model.prefix).items():
        np.testing.assert_array_equal(value, expected[name])


def in_shards(folder, values):
    """The weights of a folder in two files and an index."""
    names = sorted(values)
    shards = {"model-00001-of-00002.safetensors": names[::2], "model-00002-of-00002.safetensors": names[1::2]}
    for shard, part in shards.items():
        write_safetensors(folder / shard, {name: values[name] for name in part})
    weight_map = {name: shard for shard, part in shards.items() for name in part}
    write_json(folder / "model.safetensors.index.json", {"metadata": {"total_size": 1}, "weight_map": weight_map})
    os.remove(str(folder / "model.safetensors"))


def test_weights_in_shards_are_read(tmp_path):
    write_folder(tmp_path / "in", weights())
    in_shards(tmp_path / "in", weights())
    model = imported(tmp_path / "in", tmp_path / "out")
    assert len(model.shapes) == len(model_fixtures.variables_of(model_fixtures.load(NAME)))


@pytest.mark.parametrize("name", ["model-00002-of-00002.safetensors", "../model-00002-of-00002.safetensors"])
def test_a_shard_that_is_not_in_the_folder_is_named(tmp_path, name):
    write_folder(tmp_path / "in", weights())
    in_shards(tmp_path / "in", weights())
    index = tmp_path / "in" / "model.safetensors.index.json"
    index.write_text(index.read_text().replace("model-00002-of-00002.safetensors", name))
    (tmp_path / "in" / "model-00002-of-00002.safetensors").rename(tmp_path / "model-00002-of-00002.safetensors")
    with pytest.raises(UserError, match="index.json names the shard {}, which is not in the folder".format(name)):
        imported(tmp_path / "in", tmp_path / "out")


def test_a_missing_weight_of_the_encoder_or_of_a_head_is_named(tmp_path):
    values = weights()
    del values["albert.embeddings.LayerNorm.bias"]
    with pytest.raises(UserError, match="lacks 1 of the 23 weights of its encoder: bert/embeddings/LayerNorm/beta"):
        imported(write_folder(tmp_path / "encoder", values), tmp_path / "out")
    values = weights()
    del values["predictions.dense.bias"]
    model_heads = imported(write_folder(tmp_path / "head", values, "AlbertModel"), tmp_path / "out").heads
    assert model_heads == ("encoder",)


# --- vocabularies and labels ---


@pytest.fixture(scope="module")
def spm_model_file(tmp_path_factory):
    """A sentencepiece model with fewer pieces than the fixture has rows."""
    from tests.support.odd_texts import train_sentencepiece

    return train_sentencepiece(tmp_path_factory.mktemp("spm") / "spiece.model", ["[CLS]", "[SEP]", "[MASK]"])


def test_a_sentencepiece_model_and_the_labels_go_along(tmp_path, spm_model_file, monkeypatch):
    from albert.export import from_transformers

    monkeypatch.setattr(from_transformers, "check_vocab_size", lambda *_: None)  # the tiny model is of another size
    labels = {"0": "差", "1": "中", "2": "好"}
    values = with_classifier(weights(), 3)
    source = write_folder(tmp_path / "in", values, SEQUENCES, tokens=None, id2label=labels)
    shutil.copy(str(spm_model_file), str(tmp_path / "in" / "spiece.model"))
    model = imported(source, tmp_path / "out")
    assert model.labels == ("差", "中", "好") and model.spm_model_file == str(tmp_path / "out" / "spiece.model")
    files = find_model(str(tmp_path / "out"))
    assert files.is_sentencepiece and files.labels == ("差", "中", "好") and files.do_lower_case is True


def test_a_folder_that_answers_needs_vocabulary_and_labels_alone(tmp_path):
    labels = {"0": "差", "1": "中", "2": "好"}
    source = write_folder(tmp_path / "in", with_classifier(weights(), 3), SEQUENCES, id2label=labels)
    imported(source, tmp_path / "out")
    with Predictor(find_model(str(tmp_path / "out"))) as model:
        assert model.classify([("一丁", None)]).labels[0] in labels.values()


@pytest.mark.parametrize("tokenizer_class, name", [("AlbertTokenizer", "spiece.model"), ("BertTokenizer", "vocab.txt")])
def test_of_two_vocabularies_the_one_of_the_tokenizers_class_is_taken(tmp_path, spm_model_file, tokenizer_class, name):
    from albert.export.transformers_tokenizer import read_tokenizer

    source = write_folder(tmp_path / "in", encoder(weights()))
    shutil.copy(str(spm_model_file), str(tmp_path / "in" / "spiece.model"))
    write_json(tmp_path / "in" / "tokenizer_config.json", {"tokenizer_class": tokenizer_class})
    assert os.path.basename(read_tokenizer(source, None, True).path) == name


@pytest.mark.parametrize("case", [True, False])
@pytest.mark.parametrize("file_name", ["tokenizer_config.json", "tokenizer.json"])
def test_the_case_of_the_source_is_kept_for_an_encoder(tmp_path, file_name, case):
    source = write_folder(tmp_path / "in", encoder(weights()))
    values = {"do_lower_case": case, "model_max_length": 10**30}
    if file_name == "tokenizer.json":
        values = {"normalizer": {"type": "BertNormalizer", "lowercase": case}}
    write_json(tmp_path / "in" / file_name, values)
    model = imported(source, tmp_path / "out")
    assert model.do_lower_case is case
    opened = open_encoder(str(tmp_path / "out"), do_lower_case=not case)
    assert opened.tokenizer.basic_tokenizer.do_lower_case is case
    exports.run(checkpoint=tmp_path / "out", format="pytorch", output_dir=tmp_path / "back")
    back = json.loads((tmp_path / "back" / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert back["do_lower_case"] is case


def write_tokenizer_json(folder, tokens, kind="WordPiece"):
    vocab = {token: index for index, token in enumerate(tokens)}
    write_json(folder / "tokenizer.json", {"model": {"type": kind, "vocab": vocab}})


def test_the_vocabulary_in_a_tokenizer_json_becomes_a_vocab_txt(tmp_path):
    source = write_folder(tmp_path / "in", encoder(weights()), tokens=None)
    write_tokenizer_json(tmp_path / "in", TOKENS)
    model = imported(source, tmp_path / "out")
    assert open_encoder(str(tmp_path / "out")).tokenizer.vocab["[MASK]"] == 4 and model.vocab_file.endswith("vocab.txt")
    write_tokenizer_json(tmp_path / "in", TOKENS, "Unigram")
    with pytest.raises(UserError, match="holds a model of the type Unigram: name the vocabulary"):
        imported(source, tmp_path / "more")


@pytest.mark.parametrize(
    "tokens, message",
    [
        (TOKENS[:-1], None),  # a table may have a row to spare
        (TOKENS + ["新"], "vocab.txt has 212 tokens, .*config.json says vocab_size 211"),
        (TOKENS[:100], "vocab.txt has 100 tokens, .*config.json says vocab_size 211"),
        (TOKENS[:-1] + ["一"], "vocab.txt line 211 repeats the token '一' of line 6"),
        (TOKENS[:4] + TOKENS[5:] + ["新"], r"has no \[MASK\]"),
    ],
)
def test_a_vocabulary_is_checked_at_import_as_by_every_command(tmp_path, tokens, message):
    source = write_folder(tmp_path / "in", masked_lm(weights()), MASKED_LM, tokens=tokens)
    if message:
        with pytest.raises(UserError, match=message):
            imported(source, tmp_path / "out")
        assert os.listdir(str(tmp_path)) == ["in"]
        return
    imported(source, tmp_path / "out")
    filler = FillMask(open_encoder(str(tmp_path / "out")))
    assert len(filler.fill(["一[MASK]"], top_k=SIZE)[0][0]) == SIZE - 1  # no token of a row to spare
    exports.run(checkpoint=tmp_path / "out", format="frozen", output_dir=tmp_path / "frozen")


def test_an_export_checks_its_vocabulary_too(tmp_path, published):
    vocabulary = tmp_path / "repeats.txt"
    vocabulary.write_text("\n".join(TOKENS[:-1] + ["一"]), encoding="utf-8")
    with pytest.raises(UserError, match="repeats.txt line 211 repeats the token"):
        exports.run(checkpoint=published[NAME], format="frozen", output_dir=tmp_path / "out", vocab_file=vocabulary)


# --- heads of tokens ---


def test_a_tagger_becomes_a_checkpoint_of_run_ner(tmp_path):
    labels = {"0": "O", "1": "B-PER", "2": "I-PER"}
    values = with_classifier(without_pooler(weights()), 3)
    model = imported(write_folder(tmp_path / "in", values, TOKEN_TAGS, id2label=labels), tmp_path / "out")
    np.testing.assert_array_equal(read_weights(model.prefix)["cls/tagging/output_weights"], values["classifier.weight"])
    assert model.heads == ("encoder", "tags") and model.description.labels == ("O", "B-PER", "I-PER")
    with InferenceGraph(head_recipe(model, "tags")) as graph:
        inputs = {name: np.ones([2, 5], np.int32) for name in exports.INPUT_NAMES}
        assert graph.answer(inputs)["probabilities"].shape == (2, 5, 3)


def test_labels_of_tokens_that_are_no_tags_are_kept_and_said_and_tag_nothing(tmp_path, caplog):
    caplog.set_level(logging.INFO)
    labels = {"2": "B-PER", "0": "noun", "1": "verb"}
    values = with_classifier(without_pooler(weights()), 3)
    model = imported(write_folder(tmp_path / "in", values, TOKEN_TAGS, id2label=labels), tmp_path / "out")
    assert model.description.labels == ("noun", "verb", "B-PER")
    assert "no tags of entities such as B-PER, I-PER and O: noun, verb. No entity can be read" in caplog.text
    with pytest.raises(UserError, match="the labels of .* are no tags of entities .*: noun, verb. No entity"):
        open_tagger(str(tmp_path / "out"))
    exports.run(checkpoint=tmp_path / "out", format="pytorch", output_dir=tmp_path / "back")
    config = json.loads((tmp_path / "back" / "config.json").read_text(encoding="utf-8"))
    assert config["id2label"] == labels


def test_a_model_that_answers_questions_becomes_a_checkpoint_of_run_mrc(tmp_path):
    values = with_classifier(without_pooler(weights()), 2, "qa_outputs")
    model = imported(write_folder(tmp_path / "in", values, ANSWERS), tmp_path / "out")
    np.testing.assert_array_equal(read_weights(model.prefix)["cls/squad/output_weights"], values["qa_outputs.weight"])


@pytest.mark.parametrize(
    "values, architecture, config, message",
    [
        (
            lambda: with_classifier(weights(), 1),
            "AlbertForMultipleChoice",
            {},
            "AlbertForMultipleChoice has a head that",
        ),
        (
            lambda: with_classifier(without_pooler(weights()), 2),
            SEQUENCES,
            {},
            "has no pooler, on which its fine-tuned head stands",
        ),
        (
            lambda: with_classifier(weights(), 1),
            SEQUENCES,
            {"problem_type": "regression"},
            "is for regression, the classifiers here choose labels",
        ),
        (
            lambda: with_classifier(weights(), 2),
            SEQUENCES,
            {"id2label": {"0": "a", "1": "b", "2": "c"}},
            "names 3 labels in id2label, its head has 2",
        ),
        (
            lambda: with_classifier(weights(), 2),
            SEQUENCES,
            {"id2label": {"0": "a", "1": "a"}},
            "names a label twice in id2label: a, a",
        ),
        (
            lambda: encoder(weights()),
            TOKEN_TAGS,
            {},
            "have no classifier.weight, which the architecture",
        ),
    ],
)
def test_a_head_that_no_checkpoint_has_is_refused(tmp_path, values, architecture, config, message):
    source = write_folder(tmp_path / "in", values(), architecture, **config)
    with pytest.raises(UserError, match=message):
        imported(source, tmp_path / "out")
    assert os.listdir(str(tmp_path)) == ["in"]
