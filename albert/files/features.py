"""The declaration of every record: writers and readers take names, types and lengths from here.

A record is a serialized tf.train.Example. This module knows the fields, `tfrecords` the files and
`batches.pipeline` tf.data.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple


class Feature(NamedTuple):
    """One field of a record."""

    name: str
    dtype: str  # "int64" or "float32", as in tf.train.Feature
    length: Optional[int]  # None: varies from record to record


# The label of an example that has no second segment: there is no order to predict, so it weighs nothing in the
# sentence-order loss (its one-hot form is all zeros, hence other implementations leave it out as well).
NO_SENTENCE_ORDER = -1

# What the sidecar of pre-training records says of their content.
TRAINING = "training"
HELD_OUT = "held-out"


def pretraining_features(max_seq_length: int, max_predictions_per_seq: int) -> Tuple[Feature, ...]:
    """The fields of a pre-training record (docs/en/records.md, "Output")."""
    return (
        Feature("input_ids", "int64", max_seq_length),
        Feature("input_mask", "int64", max_seq_length),
        Feature("segment_ids", "int64", max_seq_length),
        Feature("masked_lm_positions", "int64", max_predictions_per_seq),
        Feature("masked_lm_ids", "int64", max_predictions_per_seq),
        Feature("masked_lm_weights", "float32", max_predictions_per_seq),
        Feature("next_sentence_labels", "int64", 1),
    )


# A dynamic pre-training record: a chunk of text, ordered and masked anew each time it is read.
CHUNK_FEATURES = (
    Feature("token_ids", "int64", None),  # without special tokens
    Feature("unit_starts", "int64", None),  # places in the chunk where a masking unit starts, ascending
    Feature("cuts", "int64", None),  # places at which it may be cut in two segments, ascending
)

# A classification record is kept unpadded: the input pipeline pads a batch to what the batch needs.
CLASSIFICATION_FEATURES = (
    Feature("row_index", "int64", 1),  # position in the source file: predictions come back in file order
    Feature("input_ids", "int64", None),
    Feature("segment_ids", "int64", None),
    Feature("label_ids", "int64", 1),
)

# A window of a text in which the answer of a question is looked for.
SPAN_FEATURES = (
    Feature("row_index", "int64", 1),  # number of the window
    Feature("input_ids", "int64", None),
    Feature("segment_ids", "int64", None),
    Feature("start_positions", "int64", 1),  # of the answer's first token; that of [CLS] where it is not in the window
    Feature("end_positions", "int64", 1),  # of its last token
)

# A sentence, or a part of a long one, whose tokens are tagged.
TAG_FEATURES = (
    Feature("row_index", "int64", 1),  # number of the part
    Feature("input_ids", "int64", None),
    Feature("segment_ids", "int64", None),
    Feature("label_ids", "int64", None),  # 1 + the tag's id; `NO_TAG` where no tag is asked for, padding included
)
NO_TAG = 0
