"""Strict configurations: nothing unknown passes, nothing needed is missing, everything round-trips."""

import copy
import glob
import json

import pytest

import modeling
from albert.base.errors import UserError
from modeling import BertConfig
from modeling_google import AlbertConfig

SIZES = {"vocab_size": 11, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 6}


@pytest.mark.parametrize("path", sorted(glob.glob("albert_config/*.json")))
def test_shipped_files_round_trip(path):
    config_class = AlbertConfig if "google" in path else BertConfig
    config = config_class.from_json_file(path)
    with open(path) as file:
        values = {key: value for key, value in json.load(file).items() if value is not None}
    assert {key: config.to_dict()[key] for key in values} == values
    assert config_class.from_dict(json.loads(config.to_json_string())) == config


@pytest.mark.parametrize("config_class", [BertConfig, AlbertConfig])
@pytest.mark.parametrize(
    "changes,message",
    [
        ({"hiden_size": 8}, "unknown key 'hiden_size': the nearest known one is 'hidden_size'"),
        ({"hidden_size": "8"}, "hidden_size must be of type int, not '8'"),
        ({"hidden_size": True}, "hidden_size must be of type int, not True"),
        ({"hidden_size": 7}, "hidden_size 7 is not a multiple of num_attention_heads 2"),
        ({"vocab_size": 0}, "vocab_size must be at least 1, not 0"),
        ({"hidden_act": "swish"}, "hidden_act must be one of gelu, relu, tanh, linear, not 'swish'"),
        ({"hidden_dropout_prob": 1.0}, r"hidden_dropout_prob must lie in \[0, 1\), not 1.0"),
        ({"initializer_range": None}, "initializer_range must be of type float, not None"),
    ],
)
def test_mistakes_are_named(config_class, changes, message):
    with pytest.raises(UserError, match=message):
        config_class.from_dict(dict(SIZES, **changes))


def test_a_program_gets_the_published_defaults():
    google, zh = AlbertConfig(vocab_size=30000), BertConfig(vocab_size=30000)
    sizes = ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "type_vocab_size")
    assert [getattr(google, name) for name in sizes] == [4096, 12, 64, 16384, 2]
    assert [getattr(zh, name) for name in sizes] == [768, 12, 12, 3072, 16]
    assert (google.embedding_size, google.hidden_dropout_prob, google.attention_probs_dropout_prob) == (128, 0, 0)
    assert (zh.embedding_size, zh.hidden_dropout_prob, zh.attention_probs_dropout_prob) == (None, 0.1, 0.1)


def test_sizes_without_a_name_are_refused_where_their_order_is_not_agreed():
    assert BertConfig(11, 8, 2, 2, 6) == BertConfig(**SIZES)
    with pytest.raises(TypeError, match="AlbertConfig takes vocab_size first and all else by name"):
        AlbertConfig(11, 128, 8)
    config = AlbertConfig(11, **{name: SIZES[name] for name in SIZES if name != "vocab_size"})
    assert copy.deepcopy(config) == config == AlbertConfig(**SIZES)


def test_a_file_without_dropout_is_read_as_the_published_models_with_a_line(caplog):
    caplog.set_level("INFO")
    modeling._say_what_is_absent.cache_clear()
    config = BertConfig.from_dict(dict(SIZES, hidden_dropout_prob=0.2))
    assert (config.hidden_dropout_prob, config.attention_probs_dropout_prob, config.type_vocab_size) == (0.2, 0.0, 2)
    assert "does not say attention_probs_dropout_prob 0, type_vocab_size 2: taken as in" in caplog.text
    BertConfig.from_dict(dict(SIZES, hidden_dropout_prob=0.2))
    assert len(caplog.records) == 1
    BertConfig.from_json_file("albert_config/albert_config_tiny.json")
    assert len(caplog.records) == 1


def test_keys_of_the_other_family_are_unknown():
    with pytest.raises(UserError, match="unknown key 'num_hidden_groups'"):
        BertConfig.from_dict(dict(SIZES, num_hidden_groups=1))
    with pytest.raises(UserError, match="unknown key 'ln_type'"):
        AlbertConfig.from_dict(dict(SIZES, ln_type="postln"))


def test_values_of_one_family():
    with pytest.raises(UserError, match="ln_type must be one of postln, preln, not 'none'"):
        BertConfig.from_dict(dict(SIZES, ln_type="none"))
    with pytest.raises(UserError, match="num_hidden_groups 3 is over num_hidden_layers 2"):
        AlbertConfig.from_dict(dict(SIZES, num_hidden_groups=3))


@pytest.mark.parametrize("name", sorted(SIZES))
def test_a_missing_size_is_named(name):
    with pytest.raises(UserError, match="the key '{}' is missing".format(name)):
        BertConfig.from_dict({key: value for key, value in SIZES.items() if key != name})


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"vocab_size": 1, "x": 2}'])
def test_a_bad_file_is_named(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_text(text)
    with pytest.raises(UserError, match="config.json is no BertConfig"):
        BertConfig.from_json_file(str(path))


def test_an_absent_file_is_named(tmp_path):
    with pytest.raises(UserError, match="cannot read the model config .*none.json: No such file"):
        BertConfig.from_json_file(str(tmp_path / "none.json"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_file_with_a_byte_order_mark(tmp_path, encoding):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(SIZES, indent=1), encoding=encoding)
    assert BertConfig.from_json_file(str(path)) == BertConfig.from_dict(SIZES)
