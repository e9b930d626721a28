"""Heads, inputs and outputs of a model that answers: their names, wherever a checkpoint or an export has them."""

from __future__ import annotations

from typing import Dict, NamedTuple, Optional, Tuple

import numpy as np

INPUT_NAMES = ("input_ids", "input_mask", "segment_ids")  # each int32 [B, S]

Arrays = Dict[str, np.ndarray]  # inputs or outputs by name

ENCODER, MASKED_LM, PRETRAINING, CLASSIFIER = "encoder", "masked_lm", "pretraining", "classifier"
SPANS, TAGS = "spans", "tags"


class Head(NamedTuple):
    """What a model is used as.

    Attributes:
      name: what flags, checkpoints and exports call it.
      weight_prefixes: what the names of its weights begin with in a checkpoint, the encoder's left out. A checkpoint
        has the head where it holds weights of each.
      outputs: names of the outputs; those that end in "probabilities" sum to 1 along the last axis. Empty where no
        export has the head.
      architecture: the class of transformers in a config.json; None where no export has the head.
      auto_class: the class of transformers that opens a folder with the head; None likewise.
    """

    name: str
    weight_prefixes: Tuple[str, ...]
    outputs: Tuple[str, ...] = ()
    architecture: Optional[str] = None
    auto_class: Optional[str] = None


# What any command takes a model as, from the plainest on. Dimension letters stand in `layers`.
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
            CLASSIFIER,
            weight_prefixes=("output_weights", "output_bias"),
            outputs=("probabilities",),  # [B, labels]
            architecture="AlbertForSequenceClassification",
            auto_class="AutoModelForSequenceClassification",
        ),
    )
}
# Fine-tuned heads that answer for each token, which only their own commands use.
TOKEN_HEADS = (Head(SPANS, weight_prefixes=("cls/squad/",)), Head(TAGS, weight_prefixes=("cls/tagging/",)))
