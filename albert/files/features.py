"""Fields of every kind of record: writers and readers take names, types and lengths from these declarations.

A record is a serialized tf.train.Example. This module declares the fields; `tfrecords` knows the files, and
`batches.pipeline` reads them with tf.data.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Tuple


class Feature(NamedTuple):
    """One field of a record."""

    name: str
    dtype: str  # "int64" or "float32", as in tf.train.Feature
    length: Optional[int]  # None: varies from record to record


# The label of an example without a second segment. There is no order to predict, so its weight in the sentence-order
# loss is 0 (its one-hot form is all zeros, so other implementations leave it out as well).
NO_SENTENCE_ORDER = -1

# The content of pre-training records, as their sidecar names it.
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


# A dynamic pre-training record: a chunk of text, ordered and masked again each time it is read.
CHUNK_FEATURES = (
    Feature("token_ids", "int64", None),  # without special tokens
    Feature("unit_starts", "int64", None),  # positions in the chunk at which a masking unit starts, ascending
    Feature("cuts", "int64", None),  # positions at which it may be cut into two segments, ascending
)

# A classification record is not padded: the input pipeline pads a batch to the length of its longest record.
CLASSIFICATION_FEATURES = (
    Feature("row_index", "int64", 1),  # position in the source file: predictions come back in file order
    Feature("input_ids", "int64", None),
    Feature("segment_ids", "int64", None),
    Feature("label_ids", "int64", 1),
)

# A sentence whose vector is to be a teacher's, which is looked up by row_index.
SENTENCE_FEATURES = CLASSIFICATION_FEATURES[:3]

# Two sentences whose vectors are compared, interleaved (`finetuning.interleaved`).
PAIR_FEATURES = (*SENTENCE_FEATURES, Feature("score", "float32", 1))  # the higher, the more they mean the same

# A window of a text in which the answer to a question is searched.
SPAN_FEATURES = (
    Feature("row_index", "int64", 1),  # number of the window
    Feature("input_ids", "int64", None),
    Feature("segment_ids", "int64", None),
    Feature("start_positions", "int64", 1),  # of the answer's first token; that of [CLS] if it is not in the window
    Feature("end_positions", "int64", 1),  # of its last token
)

# A sentence, or a part of a long one, whose tokens are tagged.
TAG_FEATURES = (
    Feature("row_index", "int64", 1),  # number of the part
    Feature("input_ids", "int64", None),
    Feature("segment_ids", "int64", None),
    Feature("label_ids", "int64", None),  # 1 + the tag's id; `NO_TAG` for tokens that have no tag, and for padding
)
NO_TAG = 0
