"""Pre-training examples of chunks: sentence order and masked language modelling, for many chunks at once.

Pure functions: chunks, a random generator and settings give a batch of examples. Static records are made with them
once, dynamic records each time they are read.

E examples, S sequence length, P predictions per sequence.
"""

from __future__ import annotations

from typing import Dict, NamedTuple, Tuple

import numpy as np

from albert.files.features import NO_SENTENCE_ORDER
from albert.pretraining_data.chunks import Chunks
from albert.pretraining_data.masking import MaskingSettings, mask_batch
from albert.pretraining_data.vocabulary import PretrainingVocabulary

IN_ORDER = 0
SWAPPED = 1


class ExampleBatch(NamedTuple):
    """Batch of examples.

    Attributes:
      input_ids: int32 [E, S], [CLS] A [SEP] B [SEP] or [CLS] A [SEP], masked, zero-padded.
      segment_ids: int32 [E, S], 0 through the first [SEP], then 1; padding 0.
      num_tokens: int [E], without padding.
      positions, labels: int32 [E, P], the places to predict and the original ids there, zero-padded.
      num_predictions: int [E].
      sentence_order: int32 [E], IN_ORDER, SWAPPED, or `features.NO_SENTENCE_ORDER` without a second segment.
    """

    input_ids: np.ndarray
    segment_ids: np.ndarray
    num_tokens: np.ndarray
    positions: np.ndarray
    labels: np.ndarray
    num_predictions: np.ndarray
    sentence_order: np.ndarray

    def take(self, rows: np.ndarray) -> "ExampleBatch":
        """Returns the examples at these rows, or those where a bool vector is True."""
        return ExampleBatch(*(column[rows] for column in self))


class _Segments(NamedTuple):
    """Two segments of each chunk in the order of the sequence; all int [E]."""

    first_starts: np.ndarray
    first_lengths: np.ndarray
    second_starts: np.ndarray
    second_lengths: np.ndarray  # 0 where a chunk cannot be cut
    sentence_order: np.ndarray


def make_examples(
    chunks: Chunks,
    *,
    rng: np.random.RandomState,
    max_seq_length: int,
    masking: MaskingSettings,
    vocabulary: PretrainingVocabulary,
) -> ExampleBatch:
    """Makes one example of each chunk; where nothing can be masked it has no predictions.

    Args:
      chunks: at most `max_seq_length` - 3 tokens each.
      rng: draws cuts, orders and masks.
      max_seq_length: S.
      masking: how much is masked, and how.
      vocabulary: the special tokens, what may be masked and what may replace a token.
    """
    segments = order_segments(chunks, rng)
    input_ids, starts_unit, segment_ids, num_tokens = _assemble(chunks, segments, max_seq_length, vocabulary)
    masked = mask_batch(input_ids, starts_unit, num_tokens, rng=rng, settings=masking, vocabulary=vocabulary)
    return ExampleBatch(
        masked.input_ids,
        segment_ids,
        num_tokens,
        masked.positions,
        masked.labels,
        masked.num_predictions,
        segments.sentence_order,
    )


def order_segments(chunks: Chunks, rng: np.random.RandomState) -> _Segments:
    """Cuts each chunk in two at a random one of its cuts, and swaps the parts half of the time."""
    starts, ends = chunks.starts, chunks.ends
    draws = rng.random_sample((2, len(starts)))
    has_cut = chunks.num_cuts > 0
    drawn = chunks.first_cuts + (draws[0] * chunks.num_cuts).astype(np.int64)
    cuts = ends.copy()
    cuts[has_cut] = chunks.cuts[drawn[has_cut]]
    is_swapped = has_cut & (draws[1] < 0.5)
    return _Segments(
        np.where(is_swapped, cuts, starts),
        np.where(is_swapped, ends - cuts, cuts - starts),
        np.where(is_swapped, starts, cuts),
        np.where(is_swapped, cuts - starts, ends - cuts),
        np.where(has_cut, np.where(is_swapped, SWAPPED, IN_ORDER), NO_SENTENCE_ORDER).astype(np.int32),
    )


def _assemble(
    chunks: Chunks, segments: _Segments, max_seq_length: int, vocabulary: PretrainingVocabulary
) -> Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Returns input_ids, starts_unit and segment_ids [E, S], and num_tokens [E], not masked."""
    first_lengths = segments.first_lengths[:, np.newaxis]
    columns = np.arange(max_seq_length)
    rows = np.arange(len(first_lengths))
    has_second = segments.second_lengths > 0
    num_tokens = 2 + segments.first_lengths + segments.second_lengths + has_second
    is_second = columns > first_lengths + 1
    is_padding = columns >= num_tokens[:, np.newaxis]
    # The place in the text that each cell comes from; the special tokens follow the text.
    text_length = len(chunks.token_ids)
    first_shift = (segments.first_starts - 1)[:, np.newaxis]
    second_shift = (segments.second_starts - 2)[:, np.newaxis] - first_lengths
    places = columns + np.where(is_second, second_shift, first_shift)
    places[:, 0] = text_length
    places[rows, segments.first_lengths + 1] = text_length + 1
    places[rows, num_tokens - 1] = text_length + 1
    places[is_padding] = text_length + 2
    special_ids = np.array([vocabulary.cls_id, vocabulary.sep_id, vocabulary.pad_id], np.int32)
    input_ids = np.concatenate([chunks.token_ids, special_ids])[places]
    starts_unit = np.append(chunks.starts_unit, [True, True, True])[places]
    starts_unit[:, 1] = True  # a chunk may begin within a unit that is too long for one
    starts_unit[rows[has_second], segments.first_lengths[has_second] + 2] = True
    return input_ids, starts_unit, (is_second & ~is_padding).astype(np.int32), num_tokens


def example_columns(examples: ExampleBatch) -> Dict[str, np.ndarray]:
    """Returns the fields of `features.pretraining_features`, each [E, length]."""
    shape = examples.input_ids.shape
    input_mask = (np.arange(shape[1]) < examples.num_tokens[:, np.newaxis]).astype(np.int32)
    is_prediction = np.arange(examples.positions.shape[1]) < examples.num_predictions[:, np.newaxis]
    return {
        "input_ids": examples.input_ids,
        "input_mask": input_mask,
        "segment_ids": examples.segment_ids,
        "masked_lm_positions": examples.positions,
        "masked_lm_ids": examples.labels,
        "masked_lm_weights": is_prediction.astype(np.float32),
        "next_sentence_labels": examples.sentence_order[:, np.newaxis],
    }
