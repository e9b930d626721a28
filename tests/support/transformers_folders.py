"""Folders of the library transformers, made by hand of a fixture's weights."""

import json
import struct

import numpy as np

from albert.export import transformers_folder
from albert.export.transformers_names import to_transformers
from tests.support import model_fixtures

NAME = "google_g1"
SIZE = 211  # tokens of the fixture's vocabulary
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + [chr(0x4E00 + number) for number in range(SIZE - 5)]
_DTYPES = {"F32": "<f4", "F16": "<f2", "F64": "<f8", "I64": "<i8"}
_HEADS = ("predictions.", "sop_classifier.", "classifier.", "qa_outputs.")


def weights(name=NAME):
    """A fixture's weights by their names in transformers."""
    arrays = model_fixtures.load(name)
    return to_transformers(model_fixtures.variables_of(arrays), "google", model_fixtures.config_of(name, arrays))


def encoder(values):
    """The weights of the encoder and the pooler alone."""
    return {name: value for name, value in values.items() if not name.startswith(_HEADS)}


def without_pooler(values):
    """The weights as a model saves them that has no pooling layer."""
    return {name: value for name, value in values.items() if "pooler" not in name}


def with_classifier(values, labels, name="classifier"):
    """The encoder with random weights for labels."""
    random = np.random.RandomState(5)
    head = {name + ".weight": random.randn(labels, 48), name + ".bias": random.randn(labels)}
    return dict(encoder(values), **{key: value.astype(np.float32) for key, value in head.items()})


def write_folder(folder, values, architecture=None, tokens=TOKENS, dtype="F32", **config):
    """Writes config.json, model.safetensors and, unless `tokens` is None, vocab.txt; returns the path."""
    folder.mkdir(parents=True, exist_ok=True)
    theirs = transformers_folder.config_for(model_fixtures.config_of(NAME, model_fixtures.load(NAME)), "encoder", None)
    theirs.update(config, architectures=[architecture] if architecture else None)
    write_json(folder / "config.json", theirs)
    write_safetensors(folder / "model.safetensors", values, dtype)
    if tokens is not None:
        (folder / "vocab.txt").write_text("".join(token + "\n" for token in tokens), encoding="utf-8")
    return str(folder)


def write_json(path, values):
    path.write_text(json.dumps(values, ensure_ascii=False), encoding="utf-8")


def write_safetensors(path, values, dtype="F32"):
    """Writes a file by the format's own words: a length, a JSON header, raw little-endian data."""
    header, data = {}, b""
    for name, value in values.items():
        kind = "I64" if value.dtype.kind == "i" else dtype
        content = _content(value, kind)
        header[name] = {
            "dtype": kind,
            "shape": list(value.shape),
            "data_offsets": [len(data), len(data) + len(content)],
        }
        data += content
    text = json.dumps(header).encode("utf-8")
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def _content(value, kind):
    if kind == "BF16":
        return (np.ascontiguousarray(value, "<f4").view("<u4") >> 16).astype("<u2").tobytes()
    return np.ascontiguousarray(value, _DTYPES[kind]).tobytes()
