"""Interleaved sequences: several sequences of a row as one record, so that rows of any length make one batch."""

from __future__ import annotations

from typing import List, Sequence

import tensorflow.compat.v1 as tf

from albert.model import layers
from albert.model.types import Tensor
from albert.text.sequences import EncodedPair
from albert.training.step import Features

NO_TOKEN = -1  # the segment of a place that only makes the sequences of a row equally long


def interleave(sequences: Sequence[EncodedPair], pad_id: int) -> EncodedPair:
    """Joins sequences to one: the first token of each, then the second of each, and so on.

    Padded at its end as every row is, it can still be divided into sequences of equal length; shorter ones are filled
    up with places of the segment `NO_TOKEN` (`separate` divides them).
    """
    length = max(len(sequence.input_ids) for sequence in sequences)
    input_ids: List[int] = []
    segment_ids: List[int] = []
    for place in range(length):
        for sequence in sequences:
            is_token = place < len(sequence.input_ids)
            input_ids.append(sequence.input_ids[place] if is_token else pad_id)
            segment_ids.append(sequence.segment_ids[place] if is_token else NO_TOKEN)
    return EncodedPair(input_ids, segment_ids, any(sequence.was_truncated for sequence in sequences))


def separate(features: Features, count: int) -> Features:
    """Separates a batch [B, S*C] of interleaved sequences, C of each row, into the model's inputs, each [B*C, S]."""

    def separated(name: str) -> Tensor:
        length = layers.shape_list(features[name])[1] // count
        column = tf.reshape(features[name], [-1, length, count])
        return tf.reshape(tf.transpose(column, [0, 2, 1]), [-1, length])

    segment_ids = separated("segment_ids")
    is_token = tf.cast(tf.not_equal(segment_ids, NO_TOKEN), tf.int32)
    return {
        "input_ids": separated("input_ids"),
        "input_mask": separated("input_mask") * is_token,
        "segment_ids": segment_ids * is_token,
    }
