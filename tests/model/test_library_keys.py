"""Configuration files with keys of a library, or with keys that only Google's files have."""

import json

import pytest

from albert.base.errors import UserError
from modeling import BertConfig
from modeling_google import AlbertConfig

SIZES = {
    "vocab_size": 21128,
    "hidden_size": 312,
    "num_hidden_layers": 6,
    "num_attention_heads": 12,
    "intermediate_size": 1248,
    "hidden_dropout_prob": 0.0,
    "attention_probs_dropout_prob": 0.0,
    "type_vocab_size": 2,
}
LIBRARY_KEYS = {
    "architectures": ["AlbertForMaskedLM"],
    "model_type": "albert",
    "layer_norm_eps": 1e-12,
    "pad_token_id": 0,
    "id2label": {"0": "差", "1": "好"},
    "torch_dtype": "float16",
    "position_embedding_type": "absolute",
    "transformers_version": "4.9.0",
}


@pytest.mark.parametrize("config_class", [BertConfig, AlbertConfig])
def test_keys_of_a_library_change_nothing(config_class, tmp_path):
    path = tmp_path / "config.json"
    path.write_text(json.dumps(dict(SIZES, **LIBRARY_KEYS)))
    config = config_class.from_json_file(str(path))
    assert config == config_class.from_dict(SIZES) and config.num_hidden_layers == 6
    assert not set(LIBRARY_KEYS) & set(config.to_dict())


@pytest.mark.parametrize("kept", [[], [0, 3]])
def test_the_keys_that_google_published_are_accepted(kept):
    published = dict(SIZES, net_structure_type=0, layers_to_keep=kept, gap_size=0, num_memory_blocks=0)
    assert AlbertConfig.from_dict(published) == AlbertConfig.from_dict(SIZES)


def test_a_zh_model_keeps_the_published_keys_that_are_its_own():
    assert BertConfig.from_dict(dict(SIZES, pooler_type="first_token_transform")).pooler_type == "first_token_transform"


@pytest.mark.parametrize("name", ["gelu_new", "gelu_pytorch_tanh"])
def test_the_tanh_form_of_gelu_has_its_name_here(name):
    assert AlbertConfig.from_dict(dict(SIZES, hidden_act=name)).hidden_act == "gelu"


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"layer_norm_eps": 1e-5}, "layer_norm_eps 1e-05 is not supported: it must be 1e-12"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type 'relative_key' is not supported"),
        ({"model_type": "electra"}, "model_type 'electra' is not supported: it must be 'albert'"),
        ({"tie_word_embeddings": False}, "tie_word_embeddings False is not supported"),
        ({"layer_norm_epsilon": 1e-12}, "unknown key 'layer_norm_epsilon'"),
    ],
)
def test_a_key_that_would_change_the_model_is_refused(changes, message):
    with pytest.raises(UserError, match=message):
        AlbertConfig.from_dict(dict(SIZES, **changes))
