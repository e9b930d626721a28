"""The folder for transformers, read with NumPy; and the way back."""

import json
import os
import shutil
import struct
import sys

import numpy as np
import pytest
import safetensors.numpy

import convert_albert_tf_checkpoint_to_pytorch as converter
from albert.base.errors import UserError
from albert.base.flags import UsageError
from albert.checkpoints import families
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.values import read_weights
from albert.export import transformers_folder
from albert.export.numpy_albert import NumpyAlbert
from albert.inference.model_files import find_model
from albert.inference.predictor import Predictor
from tests.support import exports, model_fixtures
from tests.support.marks import slow

POSTLN = ("google_g1", "google_g2", "zh_postln")


@pytest.fixture(scope="module")
def converted(published, tmp_path_factory):
    """The folder for transformers that each fixture becomes."""
    folder = tmp_path_factory.mktemp("converted")
    for name in POSTLN:
        exports.run(checkpoint=published[name], format="pytorch", output_dir=folder / name)
    return folder


def read_json(*parts):
    with open(os.path.join(*map(str, parts)), encoding="utf-8") as file:
        return json.load(file)


def read_safetensors(path):
    """The file's arrays by the format's own words: a length, a JSON header, raw little-endian data."""
    content = path.read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length].decode("utf-8"))
    assert header.pop("__metadata__") == {"format": "pt"}
    arrays = {}
    for name, entry in header.items():
        assert entry["dtype"] == "F32"
        start, end = entry["data_offsets"]
        data = content[8 + length + start : 8 + length + end]
        arrays[name] = np.frombuffer(data, "<f4").reshape(entry["shape"])
    return arrays


def test_google_weights_go_by_name(converted):
    ours = model_fixtures.variables_of(model_fixtures.load("google_g2"))
    theirs = read_safetensors(converted / "google_g2" / "model.safetensors")
    mapping = "embedding_hidden_mapping_in"
    layer = "albert.encoder.albert_layer_groups.1.albert_layers.0."
    scope = "bert/encoder/transformer/group_1/inner_group_0/"
    for name, expected in (
        ("albert.embeddings.word_embeddings.weight", ours["bert/embeddings/word_embeddings"]),
        ("albert.encoder." + mapping + ".weight", ours["bert/encoder/" + mapping + "/kernel"].T),
        (layer + "attention.query.weight", ours[scope + "attention_1/self/query/kernel"].T),
        (layer + "attention.dense.bias", ours[scope + "attention_1/output/dense/bias"]),
        (layer + "attention.LayerNorm.weight", ours[scope + "LayerNorm/gamma"]),
        (layer + "ffn.weight", ours[scope + "ffn_1/intermediate/dense/kernel"].T),
        (layer + "ffn_output.weight", ours[scope + "ffn_1/intermediate/output/dense/kernel"].T),
        (layer + "full_layer_layer_norm.bias", ours[scope + "LayerNorm_1/beta"]),
        ("albert.pooler.weight", ours["bert/pooler/dense/kernel"].T),
        ("predictions.dense.weight", ours["cls/predictions/transform/dense/kernel"].T),
        ("predictions.bias", ours["cls/predictions/output_bias"]),
        ("sop_classifier.classifier.weight", ours["cls/seq_relationship/output_weights"]),
    ):
        np.testing.assert_array_equal(theirs[name], expected)
    assert len(theirs) == len(ours)


def test_zh_embeddings_become_one_table(converted):
    ours = model_fixtures.variables_of(model_fixtures.load("zh_postln"))
    theirs = read_safetensors(converted / "zh_postln" / "model.safetensors")
    table = ours["bert/embeddings/word_embeddings"] @ ours["bert/embeddings/word_embeddings_2"]
    np.testing.assert_allclose(theirs["albert.embeddings.word_embeddings.weight"], table, atol=1e-7)
    np.testing.assert_array_equal(theirs["albert.encoder.embedding_hidden_mapping_in.weight"], np.eye(48))
    assert read_json(converted, "zh_postln", "config.json")["embedding_size"] == 48


@pytest.mark.parametrize("name", POSTLN)
def test_the_folder_answers_as_published(converted, name):
    folder = transformers_folder.read(str(converted / name))
    model, inputs = NumpyAlbert(folder.config, folder.values), exports.inputs_of(name)
    exports.check_pretraining(name, atol=2e-5, **model.answer(inputs, "pretraining"))
    arrays = model_fixtures.load(name)
    for key, value in model.answer(inputs, "encoder").items():
        np.testing.assert_allclose(value, arrays["out/" + key], atol=1e-5)


def test_config_and_tokenizer_are_those_of_a_bert_vocabulary(converted, published):
    config = read_json(converted, "google_g2", "config.json")
    assert config["architectures"] == ["AlbertForPreTraining"] and config["model_type"] == "albert"
    assert config["hidden_act"] == "gelu_new" and config["tokenizer_class"] == "BertTokenizer"
    assert (config["num_hidden_groups"], config["inner_group_num"], config["embedding_size"]) == (2, 2, 16)
    tokenizer = read_json(converted, "google_g2", "tokenizer_config.json")
    assert tokenizer["tokenizer_class"] == "BertTokenizer" and tokenizer["do_lower_case"] is True
    with open(os.path.join(published["google_g2"], "vocab.txt"), "rb") as file:
        assert (converted / "google_g2" / "vocab.txt").read_bytes() == file.read()


def test_a_classifier_keeps_its_labels(tmp_path):
    folder = exports.write_classifier(tmp_path / "model")
    exports.run(checkpoint=folder, format="pytorch", output_dir=tmp_path / "out")
    config = read_json(tmp_path, "out", "config.json")
    assert config["architectures"] == ["AlbertForSequenceClassification"]
    assert config["id2label"] == {"0": "否", "1": "是", "2": "不知道"} and config["label2id"]["不知道"] == 2
    assert read_json(tmp_path, "out", "tokenizer_config.json")["do_lower_case"] is False
    names = set(read_safetensors(tmp_path / "out" / "model.safetensors"))
    assert {"classifier.weight", "classifier.bias"} < names


@pytest.mark.parametrize("head, left_out", [("encoder", ("predictions", "sop")), ("masked_lm", ("sop",))])
def test_a_lesser_head_leaves_weights_out(published, tmp_path, head, left_out):
    exports.run(checkpoint=published["google_g1"], format="pytorch", output_dir=tmp_path / "out", head=head)
    names = read_safetensors(tmp_path / "out" / "model.safetensors")
    assert not [name for name in names if name.startswith(left_out)]
    assert ("predictions.bias" in names) == (head == "masked_lm")


def test_a_preln_model_is_refused(published, tmp_path):
    with pytest.raises(UserError, match="a preln model has its LayerNorm before each block"):
        exports.run(checkpoint=published["zh_preln"], format="pytorch", output_dir=tmp_path / "out")
    assert os.listdir(str(tmp_path)) == []


def test_a_classifier_on_the_mean_of_the_tokens_is_refused(tmp_path):
    folder = exports.write_classifier(tmp_path / "model")
    description = read_json(folder, "task.json")
    with open(os.path.join(folder, "task.json"), "w", encoding="utf-8") as file:
        json.dump(dict(description, use_pooled_output=False), file)
    with pytest.raises(UserError, match="stands on the mean of the tokens"):
        exports.run(checkpoint=folder, format="pytorch", output_dir=tmp_path / "out")
    exports.run(checkpoint=folder, format="frozen", output_dir=tmp_path / "out")


def test_a_wrong_weight_fails_the_export(published, tmp_path, monkeypatch):
    right = transformers_folder.write

    def write_wrong(folder, config, values):
        name = "albert.encoder.albert_layer_groups.0.albert_layers.0.ffn.weight"
        right(folder, config, dict(values, **{name: values[name][::-1].copy()}))

    monkeypatch.setattr(transformers_folder, "write", write_wrong)
    with pytest.raises(UserError, match="does not answer as its source"):
        exports.run(checkpoint=published["google_g1"], format="pytorch", output_dir=tmp_path / "out")
    assert os.listdir(str(tmp_path)) == []


def test_the_published_name_takes_the_published_flags(published, tmp_path):
    flags = converter.declare_flags()
    prefix = os.path.join(published["google_g1"], "albert_model.ckpt")
    config = os.path.join(published["google_g1"], "albert_config_x.json")
    out = str(tmp_path / "out")
    flags.parse(["--tf_checkpoint_path", prefix, "--albert_config_file", config, "--pytorch_dump_path", out])
    converter.main(flags)
    assert "model.safetensors" in os.listdir(out)


def convert(monkeypatch, folder, *arguments):
    monkeypatch.chdir(folder)
    flags = converter.declare_flags()
    flags.parse(arguments)
    converter.main(flags)


def test_without_flags_the_published_folder_is_converted(published, tmp_path, monkeypatch):
    with pytest.raises(UserError, match="albert_tiny_zh is not here: `python -m albert.downloads.download albert_tiny"):
        convert(monkeypatch, tmp_path)
    shutil.copytree(published["zh_postln"], str(tmp_path / "albert_tiny_zh"))
    convert(monkeypatch, tmp_path)
    assert "model.safetensors" in os.listdir(str(tmp_path / "albert_tiny_zh_pytorch"))


def test_the_folder_to_make_stands_beside_the_checkpoint(published, tmp_path, monkeypatch):
    shutil.copytree(published["google_g1"], str(tmp_path / "mine"))
    convert(monkeypatch, tmp_path, "--tf_checkpoint_path=mine/albert_model.ckpt")
    assert "model.safetensors" in os.listdir(str(tmp_path / "mine_pytorch"))


def test_a_dump_path_must_be_a_folder(published):
    flags = converter.declare_flags()
    flags.parse(["--tf_checkpoint_path=" + published["google_g1"], "--pytorch_dump_path=pytorch_model.bin"])
    with pytest.raises(UsageError, match="must name a folder"):
        converter.main(flags)


@pytest.mark.parametrize("name", ["google_g1", slow("google_g2")])
def test_there_and_back_gives_every_weight(converted, tmp_path, name):
    exports.run(checkpoint=converted / name, format="tensorflow", output_dir=tmp_path / "out")
    model = open_checkpoint(str(tmp_path / "out"))
    expected = model_fixtures.variables_of(model_fixtures.load(name))
    values = read_weights(model.prefix)
    assert set(values) == set(expected)
    for key, value in values.items():
        np.testing.assert_array_equal(value, expected[key])
    assert model.config == model_fixtures.config_of(name, model_fixtures.load(name))
    assert (tmp_path / "out" / "vocab.txt").exists()


def test_a_zh_model_comes_back_as_a_google_model(converted, tmp_path):
    exports.run(checkpoint=converted / "zh_postln", format="tensorflow", output_dir=tmp_path / "out")
    exports.run(checkpoint=tmp_path / "out", format="pytorch", output_dir=tmp_path / "again")
    assert open_checkpoint(str(tmp_path / "out")).family is families.GOOGLE
    folder = transformers_folder.read(str(tmp_path / "again"))
    answers = NumpyAlbert(folder.config, folder.values).answer(exports.inputs_of("zh_postln"), "pretraining")
    exports.check_pretraining("zh_postln", atol=2e-5, **answers)


def test_a_classifier_comes_back_as_a_model_folder(tmp_path):
    folder = exports.write_classifier(tmp_path / "model")
    exports.run(checkpoint=folder, format="pytorch", output_dir=tmp_path / "there")
    exports.run(checkpoint=tmp_path / "there", format="tensorflow", output_dir=tmp_path / "back")
    assert open_checkpoint(str(tmp_path / "back")).labels == exports.LABELS
    pairs = [("我喜欢吃苹果", "你喜欢吃香蕉吗"), ("好", "不好")]
    first, second = (Predictor(find_model(str(place))).predict(pairs) for place in (folder, tmp_path / "back"))
    np.testing.assert_allclose(first, second, atol=1e-6)


def test_a_classifier_of_several_labels_a_row_keeps_its_thresholds_in_every_export(tmp_path):
    folder = exports.write_classifier(tmp_path / "model")
    answering = {"head": "classifier", "thresholds": [0.25, 0.5, 0.75], "long_text": "windows_max"}
    description = dict(read_json(folder, "task.json"), **answering)
    with open(os.path.join(folder, "task.json"), "w", encoding="utf-8") as file:
        json.dump(description, file)
    for kind, source, target in (
        ("frozen", folder, "frozen"),
        ("pytorch", folder, "there"),
        ("tensorflow", tmp_path / "there", "back"),
    ):
        exports.run(checkpoint=source, format=kind, output_dir=tmp_path / target)
    config = read_json(tmp_path, "there", "config.json")
    assert config["problem_type"] == "multi_label_classification" and len(config["id2label"]) == 3
    parity = read_json(tmp_path, "frozen", "export.json")["parity"]
    assert (parity["agreeing"], parity["labels"], parity["unit"]) == (33, 33, "logits")
    texts = [("我喜欢吃苹果", "你喜欢吃香蕉吗"), ("好", "不好")]
    expected = Predictor(find_model(folder)).predict(texts)
    assert not np.allclose(expected.sum(axis=1), 1.0, atol=0.01)
    for place in ("frozen", "back"):
        files = find_model(str(tmp_path / place))
        assert files.thresholds == (0.25, 0.5, 0.75) and files.long_text == "windows_max"
        np.testing.assert_allclose(Predictor(files).predict(texts), expected, atol=1e-6)


def change_config(folder, target, **changes):
    """Writes a folder of transformers with another config."""
    target.mkdir()
    (target / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    config = dict(read_json(folder, "config.json"), **changes)
    (target / "config.json").write_text(json.dumps(config))
    return target


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"model_type": "bert"}, "is of the type bert, not albert"),
        ({"hidden_act": "gelu"}, "hidden_act gelu, the erf form"),
        ({"hidden_act": "silu"}, "hidden_act 'silu', which this family does not have"),
        ({"layer_norm_eps": 1e-5}, "layer_norm_eps 1e-05, which this family does not have"),
        ({"vocab_size": 99}, "do not belong to its config.json: the word embeddings are 211 by 16, not 99 by 16"),
    ],
)
def test_a_folder_of_another_model_is_refused(converted, tmp_path, changes, message):
    folder = change_config(converted / "google_g1", tmp_path / "in", **changes)
    with pytest.raises(UserError, match=message):
        exports.run(checkpoint=folder, format="tensorflow", output_dir=tmp_path / "out")
    assert os.listdir(str(tmp_path)) == ["in"]


def change_weights(folder, target, change):
    change_config(folder, target)
    values = safetensors.numpy.load_file(str(folder / "model.safetensors"))
    change(values)
    safetensors.numpy.save_file(values, str(target / "model.safetensors"))
    return target


def test_an_output_layer_of_its_own_is_refused(converted, tmp_path):
    def untie(values):
        values["predictions.decoder.weight"] = values["albert.embeddings.word_embeddings.weight"] + 1

    folder = change_weights(converted / "google_g1", tmp_path / "in", untie)
    with pytest.raises(UserError, match="predictions.decoder.weight is not tied"):
        exports.run(checkpoint=folder, format="tensorflow", output_dir=tmp_path / "out")


def test_copies_and_bare_names_are_understood(converted, published, tmp_path):
    def as_older_versions_write(values):
        values["predictions.decoder.weight"] = values["albert.embeddings.word_embeddings.weight"].copy()
        values["albert.embeddings.position_ids"] = np.arange(40)[None]

    folder = change_weights(converted / "google_g1", tmp_path / "in", as_older_versions_write)
    exports.run(checkpoint=folder, format="tensorflow", output_dir=tmp_path / "out")
    exports.run(checkpoint=published["google_g1"], format="pytorch", output_dir=tmp_path / "plain", head="encoder")

    def without_prefix(values):
        for name in list(values):
            values[name[len("albert.") :]] = values.pop(name)

    bare = change_weights(tmp_path / "plain", tmp_path / "bare", without_prefix)
    exports.run(checkpoint=bare, format="tensorflow", output_dir=tmp_path / "encoder")
    assert open_checkpoint(str(tmp_path / "encoder")).head == "encoder"


def test_a_damaged_weight_file_is_named(converted, tmp_path):
    folder = change_config(converted / "google_g1", tmp_path / "in")
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(UserError, match="cannot read the weights .*model.safetensors"):
        exports.run(checkpoint=folder, format="tensorflow", output_dir=tmp_path / "out")


def test_torch_weights_without_torch_are_refused_in_a_sentence(converted, tmp_path, monkeypatch):
    folder = change_config(converted / "google_g1", tmp_path / "in")
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(UserError, match="readable by torch only, which is not installed"):
        exports.run(checkpoint=folder, format="tensorflow", output_dir=tmp_path / "out")
