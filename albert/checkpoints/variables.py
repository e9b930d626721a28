"""Names and shapes of a checkpoint's variables: the family, sizes and heads that they tell.

The only module that knows variable names as text (docs/en/models.md). `values` reads and writes the arrays, `model`
adds the model's config, `warm_start` starts a model from a checkpoint.
"""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional, Tuple

from albert.model.outputs import HEADS, TOKEN_HEADS, Head

ENCODER_PREFIX = "bert/"
_CLASSIFIER_WEIGHTS = "output_weights"
_PRELN_CLASSIFIER_NORM = "loss/LayerNorm/gamma"
_SLOT_SUFFIXES = ("/lamb_m", "/lamb_v", "/adam_m", "/adam_v", "/Adam", "/Adam_1")
_WORD_EMBEDDINGS = "bert/embeddings/word_embeddings"
# The first name that a checkpoint holds tells its family; the order matters, since zh models have no mapping.
_FAMILY_MARKS = (
    ("bert/embeddings/word_embeddings_2", "zh"),
    ("bert/encoder/embedding_hidden_mapping_in/kernel", "google"),
    ("bert/encoder/layer_0/attention/self/query/kernel", "BERT"),
)
_UNSHARED_LAYER = re.compile(r"^bert/encoder/layer_(\d+)/")
_GROUP = re.compile(r"(?<=^bert/encoder/transformer/)group_(\d+)/inner_group_(\d+)(?=/)")
NUM_GROUPS = "num_hidden_groups"
_QUERY_KERNEL_SUFFIX = "/self/query/kernel"
_INTERMEDIATE_KERNEL_SUFFIX = "/intermediate/dense/kernel"
_SIZE_NAMES = {312: "tiny", 384: "small", 768: "base", 1024: "large", 2048: "xlarge", 4096: "xxlarge"}
_NAMES_SHOWN = 3

Shapes = Dict[str, List[int]]


def slot_of(name: str, names: Any) -> Optional[str]:
    """The name of the optimizer's slot that a variable is, or None; slots are called <weight>/<slot>."""
    parts = name.split("/")
    for end in range(len(parts) - 1, 0, -1):
        if "/".join(parts[:end]) in names:
            return "/".join(parts[end:])
    return parts[-1] if name.endswith(_SLOT_SUFFIXES) else None


def num_values(shape: List[int]) -> int:
    """The number of values in an array of a shape."""
    count = 1
    for size in shape:
        count *= size
    return count


def count_parameters(shapes: Shapes, prefix: str = "") -> int:
    """The parameters of the weights whose names begin with a prefix."""
    return sum(num_values(shape) for name, shape in shapes.items() if name.startswith(prefix))


def family_of(shapes: Shapes) -> Optional[str]:
    """ "zh", "google" or "BERT"; None where the weights are of something else."""
    return next((family for mark, family in _FAMILY_MARKS if mark in shapes), None)


def unlike_albert(shapes: Shapes) -> Optional[str]:
    """What weights are that no model of either family can load, as words after "is"; None where one can."""
    layers = {match.group(1) for match in map(_UNSHARED_LAYER.match, shapes) if match}
    family = family_of(shapes)
    if layers:
        return "{}, its {} layers with weights of their own, where an ALBERT shares them".format(
            describe_weights(shapes), len(layers)
        )
    if family is None:
        return "not an ALBERT of either family: its variables are {}".format(listed(tuple(sorted(shapes))))
    return None


def sizes_of(shapes: Shapes) -> Dict[str, int]:
    """The sizes of the model that can be read off its weights, named as the config's keys."""
    sizes = {}
    if _WORD_EMBEDDINGS in shapes:
        sizes["vocab_size"], sizes["embedding_size"] = shapes[_WORD_EMBEDDINGS]
    for key, table in (("max_position_embeddings", "position"), ("type_vocab_size", "token_type")):
        name = "bert/embeddings/{}_embeddings".format(table)
        if name in shapes:
            sizes[key] = shapes[name][0]
    for name, shape in shapes.items():
        if name.endswith(_QUERY_KERNEL_SUFFIX):
            sizes["hidden_size"] = shape[0]
        elif name.endswith(_INTERMEDIATE_KERNEL_SUFFIX):
            sizes["intermediate_size"] = shape[1]
    groups = [match.groups() for match in map(_GROUP.search, shapes) if match]
    if groups:
        sizes[NUM_GROUPS] = 1 + max(int(group) for group, _ in groups)
        sizes["inner_group_num"] = 1 + max(int(inner) for _, inner in groups)
    return sizes


def heads_of(shapes: Shapes) -> Tuple[str, ...]:
    """The names of the heads that weights have, in the order of HEADS; the last is what they were trained as last."""
    return tuple(name for name, head in HEADS.items() if _has(head, shapes))


def _has(head: Head, shapes: Shapes) -> bool:
    return all(any(name.startswith(prefix) for name in shapes) for prefix in head.weight_prefixes)


def num_labels_of(shapes: Shapes) -> Optional[int]:
    """The labels that a fine-tuned head tells apart; None without one."""
    return shapes[_CLASSIFIER_WEIGHTS][0] if _CLASSIFIER_WEIGHTS in shapes else None


def token_head_of(shapes: Shapes) -> Optional[str]:
    """The fine-tuned head that answers for each token, "spans" or "tags", which only its own command uses; or None."""
    return next((head.name for head in TOKEN_HEADS if _has(head, shapes)), None)


def normalises_pooled_output(shapes: Shapes) -> bool:
    """Whether there is the LayerNorm under a fine-tuned head that only preln models have."""
    return _PRELN_CLASSIFIER_NORM in shapes


def size_name(hidden_size: Optional[int]) -> Optional[str]:
    """What published models of a width are called."""
    return _SIZE_NAMES.get(hidden_size)


def describe_weights(shapes: Shapes) -> str:
    """A few words on a set of weights, such as "zh tiny"."""
    family = family_of(shapes)
    if family is None:
        return "not an ALBERT of either family"
    size = sizes_of(shapes).get("hidden_size")
    return "{} {}".format(family, size_name(size) or "with hidden_size {}".format(size))


def in_group_0(name: str) -> str:
    """The name of the same weight in the first group of layers (google family); other names as they are."""
    return _GROUP.sub(r"group_0/inner_group_\2", name)


def listed(names: Tuple[str, ...]) -> str:
    """The first few of several names, and how many more there are."""
    if not names:
        return "none"
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (" and {} more".format(more) if more > 0 else "")
