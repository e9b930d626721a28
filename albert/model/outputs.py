"""Heads, inputs and outputs of a model: their names in checkpoints, in exports and in transformers."""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

import numpy as np

INPUT_NAMES = ("input_ids", "input_mask", "segment_ids")  # each int32 [B, S]

Arrays = Dict[str, np.ndarray]  # inputs or outputs by name

ENCODER, MASKED_LM, PRETRAINING, CLASSIFIER = "encoder", "masked_lm", "pretraining", "classifier"
SENTENCE_VECTOR, SPANS, TAGS = "sentence_vector", "spans", "tags"


class Head(NamedTuple):
    """Head of a model: its names in checkpoints, exports and transformers.

    Attributes:
      name: its name in flags and in the descriptions of models and exports.
      weight_prefixes: beginnings of the names of its weights in a checkpoint, without the encoder's. A checkpoint has
        the head if it holds weights of every prefix.
      outputs: names of the outputs; those that end in "probabilities" sum to 1 along the last axis.
      architecture: the class of transformers that a config.json names.
      auto_class: the class of transformers that opens a folder with the head.
    """

    name: str
    weight_prefixes: Tuple[str, ...]
    outputs: Tuple[str, ...]
    architecture: str
    auto_class: str


# Heads that all commands use, from the plainest on. `layers` explains the dimension letters.
HEADS = {
    head.name: head
    for head in (
        Head(
            ENCODER,
            weight_prefixes=(),
            outputs=("sequence_output", "pooled_output"),  # [B, S, H] and [B, H]
            architecture="AlbertModel",
            auto_class="AutoModel",
        ),
        Head(
            MASKED_LM,
            weight_prefixes=("cls/predictions/",),
            outputs=("probabilities",),  # [B, S, V], at every position
            architecture="AlbertForMaskedLM",
            auto_class="AutoModelForMaskedLM",
        ),
        Head(
            PRETRAINING,
            weight_prefixes=("cls/predictions/", "cls/seq_relationship/"),
            outputs=("probabilities", "sentence_order_probabilities"),  # [B, S, V] and [B, 2]
            architecture="AlbertForPreTraining",
            auto_class="AutoModelForPreTraining",
        ),
        Head(
            SENTENCE_VECTOR,
            weight_prefixes=("cls/sentence_vector/",),
            outputs=("sentence_vector",),  # [B, D], of length 1
            architecture="AlbertModel",
            auto_class="AutoModel",  # without pooling, map and norm, which sentence-transformers adds
        ),
        Head(
            CLASSIFIER,
            weight_prefixes=("output_weights", "output_bias"),
            outputs=("probabilities",),  # [B, labels]
            architecture="AlbertForSequenceClassification",
            auto_class="AutoModelForSequenceClassification",
        ),
        Head(
            TAGS,
            weight_prefixes=("cls/tagging/",),
            outputs=("probabilities",),  # [B, S, tags]
            architecture="AlbertForTokenClassification",
            auto_class="AutoModelForTokenClassification",
        ),
        Head(
            SPANS,
            weight_prefixes=("cls/squad/",),
            # [B, 2, S], scores of the first and of the last token, which are compared between the windows of a context
            outputs=("span_logits",),
            architecture="AlbertForQuestionAnswering",
            auto_class="AutoModelForQuestionAnswering",
        ),
    )
}
FINE_TUNED_HEADS = (SENTENCE_VECTOR, CLASSIFIER, TAGS, SPANS)
LABELLED_HEADS = (CLASSIFIER, TAGS)  # which answer with a probability of each label
