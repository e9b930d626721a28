"""Names and shapes of a checkpoint's variables, and the family, sizes and heads that they imply.

It and `outputs` hold the variable names of checkpoints (docs/en/models.md). `values` reads and writes the arrays,
`model` adds the model's config, `warm_start` starts a model from a checkpoint.
"""

from __future__ import annotations

import re
from typing import Container, Dict, List, Optional, Tuple

from albert.model.outputs import HEADS, SPANS, TAGS, Head

ENCODER_PREFIX = "bert/"
_TAG_WEIGHTS = "cls/tagging/output_weights"  # [tags, H]
_VECTOR_MAP = "cls/sentence_vector/dense/kernel"  # [H, size]
_CLASSIFIER_WEIGHTS = "output_weights"
_PRELN_CLASSIFIER_NORM = "loss/LayerNorm/gamma"
_SLOT_SUFFIXES = ("/lamb_m", "/lamb_v", "/adam_m", "/adam_v", "/Adam", "/Adam_1")
_WORD_EMBEDDINGS = "bert/embeddings/word_embeddings"
# The first of these names that a checkpoint holds tells its family.
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


def slot_of(name: str, names: Container[str]) -> Optional[str]:
    """Returns the name of the slot if a variable is an optimizer's slot, <weight>/<slot>; else None."""
    parts = name.split("/")
    for end in range(len(parts) - 1, 0, -1):
        if "/".join(parts[:end]) in names:
            return "/".join(parts[end:])
    return parts[-1] if name.endswith(_SLOT_SUFFIXES) else None


def num_values(shape: List[int]) -> int:
    """Counts the values of an array by its shape."""
    count = 1
    for size in shape:
        count *= size
    return count


def count_parameters(shapes: Shapes, prefix: str = "") -> int:
    """Counts the parameters of the weights whose names begin with a prefix."""
    return sum(num_values(shape) for name, shape in shapes.items() if name.startswith(prefix))


def family_of(shapes: Shapes) -> Optional[str]:
    """Tells the family of weights: "zh", "google" or "BERT"; None for anything else."""
    return next((family for mark, family in _FAMILY_MARKS if mark in shapes), None)


def unlike_albert(shapes: Shapes) -> Optional[str]:
    """Describes weights that no family can load, in words that follow "is"; None if a family can load them."""
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
    """Reads the sizes of a model off its weights, by keys of the config."""
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
    """Lists the names of the heads of weights, in the order of HEADS; they were trained with the last one last."""
    return tuple(name for name, head in HEADS.items() if has_head(head, shapes))


def has_head(head: Head, shapes: Shapes) -> bool:
    """Whether weights of all parts of a head are there."""
    return all(any(name.startswith(prefix) for name in shapes) for prefix in head.weight_prefixes)


def num_labels_of(shapes: Shapes) -> Optional[int]:
    """Counts the labels of a classifier; None without one."""
    return shapes[_CLASSIFIER_WEIGHTS][0] if _CLASSIFIER_WEIGHTS in shapes else None


def num_tags_of(shapes: Shapes) -> Optional[int]:
    """Counts the tags of a tagger; None without one."""
    return shapes[_TAG_WEIGHTS][0] if _TAG_WEIGHTS in shapes else None


def vector_size_of(shapes: Shapes) -> Optional[int]:
    """Counts the numbers of a sentence vector; None without the head."""
    return shapes[_VECTOR_MAP][1] if _VECTOR_MAP in shapes else None


def token_head_of(shapes: Shapes) -> Optional[str]:
    """Finds the fine-tuned head that answers for each token, "spans" or "tags"; None without one."""
    return next((name for name in (SPANS, TAGS) if has_head(HEADS[name], shapes)), None)


def normalises_pooled_output(shapes: Shapes) -> bool:
    """Whether a classifier normalises the pooled output, as in preln models only."""
    return _PRELN_CLASSIFIER_NORM in shapes


def size_name(hidden_size: Optional[int]) -> Optional[str]:
    """Names the published size of a width; None if there is none."""
    return _SIZE_NAMES.get(hidden_size) if hidden_size else None


def describe_weights(shapes: Shapes) -> str:
    """Describes weights in a few words, such as "zh tiny"."""
    family = family_of(shapes)
    if family is None:
        return "not an ALBERT of either family"
    size = sizes_of(shapes).get("hidden_size")
    return "{} {}".format(family, size_name(size) or "with hidden_size {}".format(size))


def in_group_0(name: str) -> str:
    """Renames a weight to the same weight of the first group of layers (google family); other names stay."""
    return _GROUP.sub(r"group_0/inner_group_\2", name)


def listed(names: Tuple[str, ...]) -> str:
    """Lists the first few names, and the number of the others."""
    if not names:
        return "none"
    more = len(names) - _NAMES_SHOWN
    return ", ".join(names[:_NAMES_SHOWN]) + (" and {} more".format(more) if more > 0 else "")
