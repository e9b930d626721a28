"""Parts of a model that a checkpoint may lack: weights of the encoder, the pooler, heads; every command says it so.

Needs no TensorFlow.
"""

from __future__ import annotations

from typing import Dict, Iterator, List, Optional, Tuple

from albert.base.sentences import Sentence
from albert.checkpoints.variables import (
    ENCODER_PREFIX,
    NUM_GROUPS,
    Shapes,
    family_of,
    has_head,
    heads_of,
    listed,
    sizes_of,
)
from albert.model.outputs import (
    CLASSIFIER,
    ENCODER,
    FINE_TUNED_HEADS,
    HEADS,
    MASKED_LM,
    PRETRAINING,
    SENTENCE_VECTOR,
    SPANS,
    TAGS,
)

POOLER = "bert/pooler/"
_POOLER_WEIGHTS = tuple(POOLER + "dense/" + name for name in ("kernel", "bias"))


def is_frozen(name: str) -> bool:
    """Whether a weight belongs to what training leaves alone with a frozen encoder: the pooler moves with its head."""
    return name.startswith(ENCODER_PREFIX) and not name.startswith(POOLER)


# Names in a scope, and the ends of the names of their weights.
_Names = Tuple[Tuple[str, Tuple[str, ...]], ...]

_DENSE, _NORM, _TABLE = ("/kernel", "/bias"), ("/gamma", "/beta"), ("",)
_EMBEDDINGS: _Names = (
    ("word_embeddings", _TABLE),
    ("token_type_embeddings", _TABLE),
    ("position_embeddings", _TABLE),
    ("LayerNorm", _NORM),
)
_ZH_LAYER: _Names = (
    ("attention/self/query", _DENSE),
    ("attention/self/key", _DENSE),
    ("attention/self/value", _DENSE),
    ("attention/output/dense", _DENSE),
    ("attention/output/LayerNorm", _NORM),
    ("intermediate/dense", _DENSE),
    ("output/dense", _DENSE),
    ("output/LayerNorm", _NORM),
)
_GOOGLE_LAYER: _Names = (
    ("attention_1/self/query", _DENSE),
    ("attention_1/self/key", _DENSE),
    ("attention_1/self/value", _DENSE),
    ("attention_1/output/dense", _DENSE),
    ("LayerNorm", _NORM),
    ("ffn_1/intermediate/dense", _DENSE),
    ("ffn_1/intermediate/output/dense", _DENSE),
    ("LayerNorm_1", _NORM),
)
_MASKED_LM_WEIGHTS = tuple(
    "cls/predictions/" + name
    for name in (
        "transform/dense/kernel",
        "transform/dense/bias",
        "transform/LayerNorm/gamma",
        "transform/LayerNorm/beta",
        "output_bias",
    )
)
_HEAD_WEIGHTS = {
    ENCODER: (),
    MASKED_LM: _MASKED_LM_WEIGHTS,
    PRETRAINING: _MASKED_LM_WEIGHTS + ("cls/seq_relationship/output_weights", "cls/seq_relationship/output_bias"),
    SENTENCE_VECTOR: ("cls/sentence_vector/dense/kernel", "cls/sentence_vector/dense/bias"),
    CLASSIFIER: ("output_weights", "output_bias"),
    TAGS: ("cls/tagging/output_weights", "cls/tagging/output_bias"),
    SPANS: ("cls/squad/output_weights", "cls/squad/output_bias"),
}
_HEAD_WORDS = {
    MASKED_LM: "no masked-LM head, which fine-tuning leaves out",
    PRETRAINING: "no sentence-order head, which fine-tuning leaves out",
    SENTENCE_VECTOR: "no sentence-vector head: run_distillation.py and run_embedding.py train one",
    CLASSIFIER: "no fine-tuned head",
    TAGS: "no head that tags tokens: run_ner.py trains one",
    SPANS: "no head that answers questions with spans: run_mrc.py trains one",
}
_FINE_TUNED_WORDS = {
    SENTENCE_VECTOR: "sentence vectors",
    CLASSIFIER: "labels of texts",
    TAGS: "tags of tokens",
    SPANS: "spans that answer questions",
}
_OWNERS = {PRETRAINING: "sentence-order head", CLASSIFIER: "fine-tuned head"}


def encoder_weights(shapes: Shapes) -> Tuple[str, ...]:
    """Names the weights that the whole encoder has, without its pooler, by the family and the groups of weights."""
    return tuple(_encoder_weights(family_of(shapes) == "google", sizes_of(shapes)))


def _encoder_weights(is_google: bool, sizes: Dict[str, int]) -> Iterator[str]:
    scopes: List[Tuple[str, _Names]] = [("bert/embeddings/", _EMBEDDINGS)]
    if is_google:
        scopes.append(("bert/encoder/", (("embedding_hidden_mapping_in", _DENSE),)))
        for group in range(sizes.get(NUM_GROUPS, 1)):
            for inner in range(sizes.get("inner_group_num", 1)):
                scope = "bert/encoder/transformer/group_{}/inner_group_{}/".format(group, inner)
                scopes.append((scope, _GOOGLE_LAYER))
    else:
        scopes += [("bert/embeddings/", (("word_embeddings_2", _TABLE),)), ("bert/encoder/layer_shared/", _ZH_LAYER)]
    for scope, parts in scopes:
        for name, ends in parts:
            yield from (scope + name + end for end in ends)


def has_pooler(shapes: Shapes) -> bool:
    """Whether the weights of the pooler are there."""
    return all(name in shapes for name in _POOLER_WEIGHTS)


def encoder_lack(shapes: Shapes) -> Optional[str]:
    """Describes the weights that an encoder of a known family lacks, in words that follow the checkpoint's name.

    A missing pooler does not count: most uses do without (`lack_of`).
    """
    needed = encoder_weights(shapes)
    missing = tuple(name for name in needed if name not in shapes)
    if not missing:
        return None
    others = tuple(sorted(name for name in shapes if name.startswith("bert/") and name not in needed + _POOLER_WEIGHTS))
    text = "lacks {} of the {} weights of its encoder: {}".format(len(missing), len(needed), listed(missing))
    return text + ("; it has others in their place: {}".format(listed(others)) if others else "")


def usable_heads(shapes: Shapes, use_pooled_output: bool = True) -> Tuple[str, ...]:
    """Lists the heads (`outputs.HEADS`) that can answer, from the plainest on.

    Args:
      shapes: of the weights.
      use_pooled_output: whether a classifier stands on the pooler, or on the mean of the tokens.
    """
    return tuple(name for name in heads_of(shapes) if lack_of(shapes, name, use_pooled_output) is None)


def lack_of(shapes: Shapes, head: str, use_pooled_output: bool = True) -> Optional[str]:
    """Says why weights cannot answer with a head, in words that follow "has"; None where they can.

    Args:
      shapes: of the weights.
      head: one of `outputs.HEADS`.
      use_pooled_output: see `usable_heads`.
    """
    if head == ENCODER:
        return None
    if not has_head(HEADS[head], shapes):
        return Sentence(_HEAD_WORDS[head]) if head != CLASSIFIER else _classifier_lack(shapes)
    missing = tuple(name for name in _HEAD_WEIGHTS[head] if name not in shapes)
    if missing:
        return "only a part of its {} head: {} is missing".format(head, listed(missing))
    needs_pooler = head == PRETRAINING or (head == CLASSIFIER and use_pooled_output)
    if needs_pooler and not has_pooler(shapes):
        return "no pooler, on which its {} stands".format(_OWNERS[head])
    return None


def _classifier_lack(shapes: Shapes) -> str:
    other = next((head for head in FINE_TUNED_HEADS if has_head(HEADS[head], shapes)), None)
    return (
        Sentence("a fine-tuned head for {}, no classifier", Sentence(fine_tuned_words(other)))
        if other
        else Sentence(_HEAD_WORDS[CLASSIFIER])
    )


def fine_tuned_words(head: str) -> str:
    """Says what a fine-tuned head answers with, such as "tags of tokens"."""
    return _FINE_TUNED_WORDS[head]


def outputs_of(head: str, shapes: Shapes) -> Tuple[str, ...]:
    """Names the outputs of a head: an encoder without a pooler has no pooled output."""
    names = HEADS[head].outputs
    return names[:1] if head == ENCODER and not has_pooler(shapes) else names
