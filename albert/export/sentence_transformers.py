"""Files by which the library `sentence-transformers` opens a folder of transformers: pooling, linear map and norm.

They are written and read without that library and without torch.
"""

from __future__ import annotations

import logging
import os
from typing import Any, Dict, List, NamedTuple, Optional

import numpy as np

from albert.base.errors import UserError
from albert.export.transformers_names import VECTOR_MAP, Values
from albert.export.transformers_weights import WEIGHTS_FILE, read_weights, safetensors_numpy
from albert.files.complete import write_json
from albert.files.json_reading import Description, is_file_name, parse, read_description, read_text
from albert.model.pooling import CLS, MAX, MEAN

MODULES_FILE = "modules.json"
_CONFIG_FILE = "config.json"
_KINDS = ("Transformer", "Pooling", "Dense", "Normalize")  # the modules of a sentence vector, in their order
_FOLDERS = ("", "1_Pooling", "2_Dense", "3_Normalize")
_POOLING_KEYS = {
    CLS: "pooling_mode_cls_token",
    MEAN: "pooling_mode_mean_tokens",
    MAX: "pooling_mode_max_tokens",
}
_NO_ACTIVATION = "torch.nn.modules.linear.Identity"
_LINEAR = "linear"  # the name of the map's weights in its own file

_log = logging.getLogger(__name__)


class VectorModules(NamedTuple):
    """Pooling of a folder, and the linear map after it: weights by their names in `transformers_names`."""

    pooling: str
    values: Values


def encoder_values(values: Values) -> Values:
    """Returns the weights that stand in the folder itself, without those of the linear map."""
    return {name: value for name, value in values.items() if not name.startswith(VECTOR_MAP + ".")}


def write_modules(folder: str, modules: VectorModules, max_seq_length: int) -> None:
    """Writes modules.json, the length of a text, and a folder for each of pooling, map and norm.

    Args:
      folder: of transformers, with the encoder.
      modules: what is written.
      max_seq_length: tokens of a text; longer ones are cut.
    """
    weight, bias = (modules.values["{}.{}".format(VECTOR_MAP, name)] for name in ("weight", "bias"))
    outputs, inputs = weight.shape
    configs: List[Dict[str, Any]] = [
        dict({key: mode == modules.pooling for mode, key in _POOLING_KEYS.items()}, word_embedding_dimension=inputs),
        {"in_features": inputs, "out_features": outputs, "bias": True, "activation_function": _NO_ACTIVATION},
        {},
    ]
    for name, config in zip(_FOLDERS[1:], configs):
        os.mkdir(os.path.join(folder, name))
        write_json(os.path.join(folder, name, _CONFIG_FILE), config)
    safetensors_numpy().save_file(
        {_LINEAR + ".weight": weight, _LINEAR + ".bias": bias}, os.path.join(folder, _FOLDERS[2], WEIGHTS_FILE)
    )
    steps = [
        {"idx": number, "name": str(number), "path": path, "type": "sentence_transformers.models." + kind}
        for number, (kind, path) in enumerate(zip(_KINDS, _FOLDERS))
    ]
    write_json(os.path.join(folder, MODULES_FILE), steps)
    write_json(
        os.path.join(folder, "sentence_bert_config.json"), {"max_seq_length": max_seq_length, "do_lower_case": False}
    )
    write_json(os.path.join(folder, "config_sentence_transformers.json"), {"similarity_fn_name": "cosine"})


def read_modules(folder: str) -> Optional[VectorModules]:
    """Reads pooling and linear map of a folder.

    Returns:
      None where the folder has no modules, or others than the sentence vectors here consist of; then the log says so.

    Raises:
      UserError: a file cannot be read, or the weights of the map are missing.
    """
    path = os.path.join(folder, MODULES_FILE)
    if not os.path.isfile(path):
        return None
    steps = _read_steps(path)
    kinds = [step.text("type").rpartition(".")[2] for step in steps]
    if kinds == list(_KINDS):
        pooling_folder, map_folder = (_subfolder(folder, step) for step in steps[1:3])
        pooling, is_plain = _read_pooling(pooling_folder), _is_linear(map_folder)
        if pooling and is_plain:
            return VectorModules(pooling, _read_map(map_folder))
    _log.info(
        "%s names %s; a sentence vector here is one pooling (%s), a linear map and a norm: the encoder alone is taken.",
        path,
        ", ".join(kinds) or "no module",
        ", ".join(_POOLING_KEYS),
    )
    return None


def _read_steps(path: str) -> List[Description]:
    try:
        return Description({"modules": parse(read_text(path), is_description=True)}).sections("modules")
    except OSError as error:
        raise UserError("cannot read {}: {}".format(path, error.strerror or error)) from error
    except UserError as error:
        raise UserError("{} is not a list of modules: {}".format(path, error)) from error


def _subfolder(folder: str, step: Description) -> str:
    name = step.text("path")
    if not is_file_name(name):
        raise UserError("{} names a folder outside, {!r}".format(os.path.join(folder, MODULES_FILE), name))
    return os.path.join(folder, name)


def _read_pooling(folder: str) -> Optional[str]:
    config = read_description(os.path.join(folder, _CONFIG_FILE), "a config of a pooling").values
    modes = [key for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
    found = [mode for mode, key in _POOLING_KEYS.items() if modes == [key] or config.get("pooling_mode") == mode]
    return found[0] if found else None


def _is_linear(folder: str) -> bool:
    config = read_description(os.path.join(folder, _CONFIG_FILE), "a config of a linear map").values
    activation = str(config.get("activation_function", ""))
    return activation.rpartition(".")[2] == "Identity" and not config.get("use_residual")


def _read_map(folder: str) -> Values:
    values = read_weights(folder)
    weight = values.get(_LINEAR + ".weight")
    if weight is None or weight.ndim != 2:
        raise UserError("{} has no weights of a linear map".format(folder))
    bias = values.get(_LINEAR + ".bias", np.zeros(len(weight), np.float32))
    return {VECTOR_MAP + ".weight": weight, VECTOR_MAP + ".bias": bias}
