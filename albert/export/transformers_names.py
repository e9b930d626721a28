"""Names of every weight in the checkpoints here and in the ALBERT of the library `transformers`.

A dense kernel [in, out] is a weight [out, in] there. The google family is that ALBERT. The zh family becomes it
exactly: word_embeddings · word_embeddings_2 is one table of width H, and the mapping E -> H the identity
(docs/en/models.md, "Other readers of these checkpoints").
"""

from __future__ import annotations

from typing import Any, Dict, Mapping

import numpy as np

from albert.base.errors import UserError
from albert.model.outputs import CLASSIFIER, HEADS, TAGS
from modeling_google import AlbertConfig

Values = Dict[str, np.ndarray]

ENCODER_PREFIX = "albert."
VECTOR_MAP = "sentence_vector"  # the map of sentence vectors, which a folder of transformers keeps in another file
_WORD_EMBEDDINGS = "albert.embeddings.word_embeddings.weight"
_MAPPING = "albert.encoder.embedding_hidden_mapping_in"
# Copies of other weights that some versions write: the reader ties them again.
_TIED = {
    "predictions.decoder.weight": _WORD_EMBEDDINGS,
    "predictions.decoder.bias": "predictions.bias",
}
_NO_WEIGHTS = ("embeddings.position_ids", "embeddings.token_type_ids")  # the numbers 0, 1, 2, …, and zeros
# Ends of names of a LayerNorm's weights in files of old versions.
_OLD_ENDS = {".gamma": ".weight", ".beta": ".bias"}

_EMBEDDINGS = {
    "bert/embeddings/token_type_embeddings": "albert.embeddings.token_type_embeddings.weight",
    "bert/embeddings/position_embeddings": "albert.embeddings.position_embeddings.weight",
}
_LAYER_NORMS = {
    "bert/embeddings/LayerNorm": "albert.embeddings.LayerNorm",
    "cls/predictions/transform/LayerNorm": "predictions.LayerNorm",
}
_DENSE = {
    "bert/pooler/dense": "albert.pooler",
    "cls/predictions/transform/dense": "predictions.dense",
    "cls/sentence_vector/dense": VECTOR_MAP,
}
# Weights of heads; the rest of the masked-LM head is a dense layer and a norm above. Of a name that two heads have
# there, a folder of transformers says which of them is meant.
_HEAD_NAMES = {
    "cls/predictions/output_bias": "predictions.bias",
    "cls/seq_relationship/output_weights": "sop_classifier.classifier.weight",
    "cls/seq_relationship/output_bias": "sop_classifier.classifier.bias",
    "output_weights": "classifier.weight",
    "output_bias": "classifier.bias",
    "cls/tagging/output_weights": "classifier.weight",
    "cls/tagging/output_bias": "classifier.bias",
    "cls/squad/output_weights": "qa_outputs.weight",
    "cls/squad/output_bias": "qa_outputs.bias",
}
# Within a layer: dense layers and norms of the google family, of the zh family, of transformers.
_LAYER_DENSE = (
    ("attention_1/self/query", "attention/self/query", "attention.query"),
    ("attention_1/self/key", "attention/self/key", "attention.key"),
    ("attention_1/self/value", "attention/self/value", "attention.value"),
    ("attention_1/output/dense", "attention/output/dense", "attention.dense"),
    ("ffn_1/intermediate/dense", "intermediate/dense", "ffn"),
    ("ffn_1/intermediate/output/dense", "output/dense", "ffn_output"),
)
_LAYER_NORM = (
    ("LayerNorm", "attention/output/LayerNorm", "attention.LayerNorm"),
    ("LayerNorm_1", "output/LayerNorm", "full_layer_layer_norm"),
)


def _layer_scope(group: int, inner: int) -> str:
    return "albert.encoder.albert_layer_groups.{}.albert_layers.{}.".format(group, inner)


def _named(dense: Mapping[str, str], norms: Mapping[str, str]) -> Dict[str, str]:
    names = {}
    for ours, theirs in dense.items():
        names.update({ours + "/kernel": theirs + ".weight", ours + "/bias": theirs + ".bias"})
    for ours, theirs in norms.items():
        names.update({ours + "/gamma": theirs + ".weight", ours + "/beta": theirs + ".bias"})
    return names


def head_names(head: str) -> Dict[str, str]:
    """Returns names in transformers by names in a checkpoint, for the pooler and all heads of a folder.

    Args:
      head: of the folder (`outputs.HEADS`): a classifier of texts and one of tokens have the same name there.
    """
    norms = {ours: theirs for ours, theirs in _LAYER_NORMS.items() if ours.startswith("cls/")}
    return _with_one_classifier(dict(_named(_DENSE, norms), **_HEAD_NAMES), head)


def _with_one_classifier(names: Mapping[str, str], head: str) -> Dict[str, str]:
    others = HEADS[CLASSIFIER if head == TAGS else TAGS].weight_prefixes
    return {ours: theirs for ours, theirs in names.items() if not ours.startswith(others)}


def google_names(config: AlbertConfig) -> Dict[str, str]:
    """Returns names in transformers by names in a checkpoint, for all weights of a google model with any head."""
    dense = dict(_DENSE, **{"bert/encoder/embedding_hidden_mapping_in": _MAPPING})
    norms = dict(_LAYER_NORMS)
    for group in range(config.num_hidden_groups):
        for inner in range(config.inner_group_num):
            ours = "bert/encoder/transformer/group_{}/inner_group_{}/".format(group, inner)
            theirs = _layer_scope(group, inner)
            dense.update({ours + google: theirs + name for google, _, name in _LAYER_DENSE})
            norms.update({ours + google: theirs + name for google, _, name in _LAYER_NORM})
    words = {"bert/embeddings/word_embeddings": _WORD_EMBEDDINGS}
    return dict(_named(dense, norms), **_EMBEDDINGS, **_HEAD_NAMES, **words)


def zh_names() -> Dict[str, str]:
    """Returns the same for a zh model, without its word embeddings, which have no counterpart."""
    ours, theirs = "bert/encoder/layer_shared/", _layer_scope(0, 0)
    dense = dict(_DENSE, **{ours + zh: theirs + name for _, zh, name in _LAYER_DENSE})
    norms = dict(_LAYER_NORMS, **{ours + zh: theirs + name for _, zh, name in _LAYER_NORM})
    return dict(_named(dense, norms), **_EMBEDDINGS, **_HEAD_NAMES)


def to_transformers(values: Values, family_name: str, config: Any) -> Values:
    """Turns the weights of a checkpoint into the names and shapes of transformers.

    Raises:
      UserError: a preln model, or a weight that has no name there.
    """
    values = dict(values)
    if family_name == "google":
        return _renamed(values, google_names(config))
    if config.ln_type == "preln":
        raise UserError(
            "a preln model has its LayerNorm before each block, which the ALBERT of transformers does not have: "
            "export it as savedmodel, frozen, tflite or onnx"
        )
    table = values.pop("bert/embeddings/word_embeddings")
    projection = values.pop("bert/embeddings/word_embeddings_2")
    renamed = _renamed(values, zh_names())
    renamed[_WORD_EMBEDDINGS] = np.matmul(table, projection)  # [V, H]
    renamed[_MAPPING + ".weight"] = np.eye(config.hidden_size, dtype=table.dtype)
    renamed[_MAPPING + ".bias"] = np.zeros(config.hidden_size, table.dtype)
    return renamed


def _renamed(values: Values, names: Mapping[str, str]) -> Values:
    unknown = sorted(set(values) - set(names))
    if unknown:
        raise UserError("the weight {} has no name in the ALBERT of transformers".format(unknown[0]))
    return {names[name]: _turned(name, value) for name, value in values.items()}


def _turned(our_name: str, value: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(value.T) if our_name.endswith("/kernel") else value


def with_prefix(values: Values) -> Values:
    """Returns the weights of a folder of transformers by their whole names, without copies of other weights.

    A plain AlbertModel leaves out the prefix "albert." of its encoder; old versions call the weights of a LayerNorm
    gamma and beta. Of two weights that are tied, a file may hold both or either.

    Raises:
      UserError: the masked-LM output is not tied to the word embeddings.
    """
    is_bare = not any(name.startswith(ENCODER_PREFIX) for name in values)
    whole = {_current(ENCODER_PREFIX + name if is_bare else name): value for name, value in values.items()}
    for name, origin in _TIED.items():
        copy = whole.pop(name, None)
        if copy is not None and not np.array_equal(copy, whole.setdefault(origin, copy)):
            raise UserError(
                "{} is not tied to {}: a checkpoint of the google family cannot hold it".format(name, origin)
            )
    return {name: value for name, value in whole.items() if not name.endswith(_NO_WEIGHTS)}


def _current(name: str) -> str:
    """Returns the present name of a weight."""
    stem, dot, end = name.rpartition(".")
    return stem + _OLD_ENDS.get(dot + end, dot + end)


def from_transformers(values: Values, config: AlbertConfig, head: str) -> Values:
    """Turns weights of transformers' ALBERT (whole names, see `with_prefix`) into a checkpoint's of the google family.

    Raises:
      UserError: no checkpoint has such a weight.
    """
    names = _with_one_classifier(google_names(config), head)
    ours = {theirs: name for name, theirs in names.items()}
    unknown = sorted(set(values) - set(ours))
    if unknown:
        raise UserError("the weight {} does not belong to an ALBERT with a known head".format(unknown[0]))
    return {ours[name]: _turned(ours[name], value) for name, value in values.items()}
