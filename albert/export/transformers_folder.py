"""Folder of the library `transformers` with an ALBERT: config.json, model.safetensors, the tokenizer's files.

It is written and read without that library and without torch.
"""

from __future__ import annotations

import json
import os
from typing import Any, Dict, NamedTuple, Optional, Sequence

import numpy as np

from albert.base.errors import UserError
from albert.checkpoints.variables import heads_of
from albert.export.transformers_names import HEAD_NAMES, Values, with_prefix
from albert.files.complete import write_json
from albert.model.config import ModelConfig
from albert.model.outputs import CLASSIFIER, HEADS

CONFIG_FILE = "config.json"
WEIGHTS_FILE = "model.safetensors"
TORCH_WEIGHTS_FILE = "pytorch_model.bin"
TOKENIZER_CONFIG_FILE = "tokenizer_config.json"
VOCAB_FILE = "vocab.txt"

# Names of activations in transformers. Its gelu is the erf form, which is missing here (docs/en/models.md, "Common").
ACTIVATION_NAMES = {"gelu": "gelu_new", "relu": "relu", "tanh": "tanh", "linear": "linear"}
_ACTIVATION_SYNONYMS = {"gelu_pytorch_tanh": "gelu_new"}
# Keys that a config.json may leave out: the defaults of transformers' AlbertConfig.
_DEFAULTS = {
    "vocab_size": 30000,
    "embedding_size": 128,
    "hidden_size": 4096,
    "num_hidden_layers": 12,
    "num_hidden_groups": 1,
    "num_attention_heads": 64,
    "intermediate_size": 16384,
    "inner_group_num": 1,
    "hidden_act": "gelu_new",
    "hidden_dropout_prob": 0,
    "attention_probs_dropout_prob": 0,
    "max_position_embeddings": 512,
    "type_vocab_size": 2,
    "initializer_range": 0.02,
    "layer_norm_eps": 1e-12,
}
_LAYER_NORM_EPSILON = 1e-12
_FLOATS = ("float16", "float32", "float64")


class TransformersFolder(NamedTuple):
    """ALBERT that was read from a folder.

    Attributes:
      path: the folder.
      config: the JSON object of its config.json, with the library's defaults for missing keys.
      values: float32 weights by their whole names.
      head: what its weights and its architecture can answer, named as in `outputs.HEADS`.
    """

    path: str
    config: Dict[str, Any]
    values: Values
    head: str


def config_for(config: ModelConfig, head: str, labels: Optional[Sequence[str]]) -> Dict[str, Any]:
    """Makes the config.json of a model; there a zh model's embeddings are as wide as its encoder."""
    theirs = {name: getattr(config, name) for name in _DEFAULTS if hasattr(config, name)}
    theirs.update(
        model_type="albert",
        architectures=[HEADS[head].architecture],
        hidden_act=ACTIVATION_NAMES[config.hidden_act],
        layer_norm_eps=_LAYER_NORM_EPSILON,
        pad_token_id=0,
    )
    if not hasattr(config, "num_hidden_groups"):
        theirs.update(num_hidden_groups=1, inner_group_num=1, embedding_size=config.hidden_size)
    if labels:
        theirs["id2label"] = {str(index): label for index, label in enumerate(labels)}
        theirs["label2id"] = {label: index for index, label in enumerate(labels)}
        theirs["problem_type"] = "single_label_classification"
        theirs["classifier_dropout_prob"] = 0.1
    return theirs


def tokenizer_config(do_lower_case: bool, max_length: int) -> Dict[str, Any]:
    """Makes the tokenizer_config.json of a WordPiece vocabulary: BERT's tokenizer, not ALBERT's of sentencepiece."""
    return {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": do_lower_case,
        "model_max_length": max_length,
        "tokenize_chinese_chars": True,
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    }


def read_tokenizer_config(path: str) -> Dict[str, Any]:
    """Reads the tokenizer_config.json of a folder; empty where it has none.

    Raises:
      UserError: the file does not hold a JSON object.
    """
    file_name = os.path.join(path, TOKENIZER_CONFIG_FILE)
    if not os.path.exists(file_name):
        return {}
    try:
        with open(file_name, encoding="utf-8") as file:
            return dict(json.load(file))
    except (OSError, ValueError, TypeError) as error:
        raise UserError("{} does not hold a JSON object: {}".format(file_name, error)) from error


def write(folder: str, config: Dict[str, Any], values: Values) -> None:
    """Writes config.json and model.safetensors.

    Raises:
      UserError: the package safetensors is missing.
    """
    safetensors_numpy().save_file(values, os.path.join(folder, WEIGHTS_FILE), metadata={"format": "pt"})
    write_json(os.path.join(folder, CONFIG_FILE), config)


def safetensors_numpy() -> Any:
    """Returns the module for NumPy of the package safetensors (raises `UserError` where it is missing)."""
    try:
        import safetensors.numpy
    except ImportError as error:
        raise UserError("safetensors is not installed: `pip install -r requirements.txt` brings it") from error
    return safetensors.numpy


def read(path: str) -> TransformersFolder:
    """Reads a folder.

    Raises:
      UserError: the folder holds no ALBERT, the model differs from the google family, or only torch can read it.
    """
    config = _read_config(path)
    values = with_prefix(_read_weights(path))
    _check_weights(path, config, values)
    return TransformersFolder(path, config, values, _head_of(config, values))


def _read_config(path: str) -> Dict[str, Any]:
    file_name = os.path.join(path, CONFIG_FILE)
    try:
        with open(file_name, encoding="utf-8") as file:
            config = dict(_DEFAULTS, **json.load(file))
    except OSError as error:
        raise UserError("{} is not a folder of transformers: cannot read {}".format(path, file_name)) from error
    except (ValueError, TypeError) as error:
        raise UserError("{} does not hold a JSON object: {}".format(file_name, error)) from error
    if config.get("model_type") != "albert":
        raise UserError("{} is of the type {}, not albert".format(file_name, config.get("model_type")))
    config["hidden_act"] = _ACTIVATION_SYNONYMS.get(config["hidden_act"], config["hidden_act"])
    if config["hidden_act"] == "gelu":
        raise UserError(
            "{} has hidden_act gelu, the erf form, which this family does not have; if the folder was made from a "
            "TensorFlow checkpoint, gelu_new is right: change it there".format(file_name)
        )
    fixed = {
        "hidden_act": tuple(ACTIVATION_NAMES.values()),
        "layer_norm_eps": (_LAYER_NORM_EPSILON,),
        "position_embedding_type": ("absolute", None),
    }
    for key, allowed in fixed.items():
        if config.get(key) not in allowed:
            raise UserError("{} has {} {!r}, which this family does not have".format(file_name, key, config[key]))
    return config


def _read_weights(path: str) -> Values:
    safe, torch_file = (os.path.join(path, name) for name in (WEIGHTS_FILE, TORCH_WEIGHTS_FILE))
    if os.path.exists(safe):
        try:
            values = safetensors_numpy().load_file(safe)
        except UserError:
            raise
        except Exception as error:  # safetensors' own error, or NumPy's for a type that it lacks (bfloat16)
            raise UserError("cannot read the weights {}: {}".format(safe, error)) from error
    elif os.path.exists(torch_file):
        values = _read_torch(torch_file)
    else:
        raise UserError("{} holds neither {} nor {}".format(path, WEIGHTS_FILE, TORCH_WEIGHTS_FILE))
    return {name: value.astype(np.float32) for name, value in values.items() if value.dtype.name in _FLOATS}


def _check_weights(path: str, config: Dict[str, Any], values: Values) -> None:
    table = values.get("albert.embeddings.word_embeddings.weight")
    sizes = (config["vocab_size"], config["embedding_size"])
    if table is None or table.shape != sizes:
        raise UserError(
            "the weights in {} do not belong to its {}: the word embeddings are {}, not {} by {}".format(
                path, CONFIG_FILE, "missing" if table is None else "{} by {}".format(*table.shape), *sizes
            )
        )


def _read_torch(file_name: str) -> Values:
    try:
        import torch
    except ImportError as error:
        raise UserError(
            "{} is readable by torch only, which is not installed: install it, or save the model as {} "
            "(save_pretrained does)".format(file_name, WEIGHTS_FILE)
        ) from error
    try:
        tensors = torch.load(file_name, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle's, zipfile's and torch's own errors
        raise UserError("cannot read the weights {}: {}".format(file_name, str(error).splitlines()[0])) from error
    return {name: tensor.float().numpy() for name, tensor in tensors.items() if tensor.is_floating_point()}


def _head_of(config: Dict[str, Any], values: Values) -> str:
    head = heads_of({ours: list(values[theirs].shape) for ours, theirs in HEAD_NAMES.items() if theirs in values})[-1]
    architecture = (config.get("architectures") or [None])[0]
    # A tagger's classifier has the same name and another meaning.
    if head == CLASSIFIER and architecture not in (None, HEADS[CLASSIFIER].architecture):
        raise UserError("a model of the architecture {} has a head that no checkpoint here has".format(architecture))
    return head
