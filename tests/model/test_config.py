"""Strict configurations: nothing unknown passes, nothing needed is missing, everything round-trips."""

import glob
import json

import pytest

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
