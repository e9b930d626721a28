"""Inputs and outputs of an inference graph by name: what exports and engines take and give.

Dimension letters stand in `layers`.
"""

from __future__ import annotations

from typing import Dict

import numpy as np

INPUT_NAMES = ("input_ids", "input_mask", "segment_ids")  # each int32 [B, S]

# For each head its outputs; what is named probabilities sums to 1 along the last axis.
HEAD_OUTPUTS = {
    "encoder": ("sequence_output", "pooled_output"),  # [B, S, H] and [B, H]
    "classifier": ("probabilities",),  # [B, labels]
    "masked_lm": ("probabilities",),  # [B, S, V], at every position
    "pretraining": ("probabilities", "sentence_order_probabilities"),  # [B, S, V] and [B, 2]
}
HEADS = tuple(HEAD_OUTPUTS)

Arrays = Dict[str, np.ndarray]  # inputs or outputs by name
