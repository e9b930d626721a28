"""Weights of a folder of the library `transformers`: one file or shards, safetensors or torch's, in any precision.

safetensors files are read without torch.
"""

from __future__ import annotations

import importlib
import os
import re
from typing import Any, Callable, Dict, Optional

import numpy as np

from albert.base.errors import UserError
from albert.export.transformers_names import Values
from albert.files.json_reading import is_file_name, read_description

WEIGHTS_FILE = "model.safetensors"
TORCH_WEIGHTS_FILE = "pytorch_model.bin"
_INDEX_SUFFIX = ".index.json"  # of the file that says which shard holds which weight
_FLOATS = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
_BFLOAT16 = "BF16"  # the upper half of a float32
_WHOLE_NUMBERS = ("BOOL", "U8", "I8", "U16", "I16", "U32", "I32", "U64", "I64")  # positions; no weights


def read_weights(folder: str) -> Values:
    """Reads the floating-point weights of a folder as float32, by the names that they have there.

    Raises:
      UserError: the folder holds none, a shard is missing, or a file cannot be read.
    """
    readers: Dict[str, Callable[[str], Values]] = {WEIGHTS_FILE: _read_safetensors, TORCH_WEIGHTS_FILE: _read_torch}
    for name, read in readers.items():
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return read(path)
        if os.path.exists(path + _INDEX_SUFFIX):
            return _read_shards(folder, path + _INDEX_SUFFIX, read)
    raise UserError("{} holds neither {} nor {}, whole or in shards".format(folder, WEIGHTS_FILE, TORCH_WEIGHTS_FILE))


def _read_shards(folder: str, index: str, read: Callable[[str], Values]) -> Values:
    shard_of = read_description(index, "an index of shards").section("weight_map").values
    values: Values = {}
    for shard in sorted(set(map(str, shard_of.values()))):
        path = os.path.join(folder, shard)
        if not is_file_name(shard) or not os.path.isfile(path):
            raise UserError("{} names the shard {}, which is not in the folder: copy all shards".format(index, shard))
        values.update(read(path))
    return values


def safetensors_numpy() -> Any:
    """Returns the module for NumPy of the package safetensors (raises `UserError` where it is missing)."""
    try:
        import safetensors.numpy
    except ImportError as error:
        raise UserError("safetensors is not installed: `pip install -r requirements.txt` brings it") from error
    return safetensors.numpy


def _read_safetensors(path: str) -> Values:
    safetensors_numpy()  # says what to do where the package is missing
    deserialize: Any = importlib.import_module("safetensors").deserialize
    try:
        with open(path, "rb") as file:
            entries = deserialize(file.read())
        arrays = {name: _array(entry) for name, entry in entries}
    except Exception as error:  # safetensors' own error, which is no part of its interface, or NumPy's
        raise UserError("cannot read the weights {}: {}".format(path, error)) from error
    return {name: value for name, value in arrays.items() if value is not None}


def _array(entry: Dict[str, Any]) -> Optional[np.ndarray]:
    """Returns the float32 array of an entry; None for whole numbers."""
    kind, data, shape = entry["dtype"], entry["data"], entry["shape"]
    if kind in _WHOLE_NUMBERS:
        return None
    if kind == _BFLOAT16:
        return (np.frombuffer(data, "<u2").astype("<u4") << 16).view("<f4").reshape(shape)
    if kind not in _FLOATS:
        raise UserError("weights of type {} are not supported".format(kind))
    return np.frombuffer(data, _FLOATS[kind]).astype(np.float32).reshape(shape)


def _read_torch(path: str) -> Values:
    try:
        import torch
    except ImportError as error:
        raise UserError(
            "{} is readable by torch only, which is not installed: install it, or save the model as {} "
            "(save_pretrained does)".format(path, WEIGHTS_FILE)
        ) from error
    # Before 2.6 a file could run a program in spite of weights_only (CVE-2025-32434).
    if [int(part) for part in re.findall(r"\d+", torch.__version__)[:2]] < [2, 6]:
        raise UserError(
            "{} is a pickle, which torch {} does not read safely: install torch 2.6 or later, or save the model as {} "
            "(save_pretrained does)".format(path, torch.__version__, WEIGHTS_FILE)
        )
    try:
        tensors = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # pickle's, zipfile's and torch's own errors
        raise UserError("cannot read the weights {}: {}".format(path, str(error).splitlines()[0])) from error
    return {name: tensor.float().numpy() for name, tensor in tensors.items() if tensor.is_floating_point()}
