"""Pre-training examples of a document: sentence order and masked language modelling.

Pure: an encoded document, a random generator and settings give examples. A document is kept as one flat list of token
ids with the places where its units and sentences start, so that chunks and segments are ranges of it and even a single
line of a megabyte is cut in linear time.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

import segmentation
from features import NO_SENTENCE_ORDER
from masking import MaskingSettings, Span, mask_units
from pretraining_vocabulary import PretrainingVocabulary

IN_ORDER = 0
SWAPPED = 1
_SPECIAL_TOKENS_PER_PAIR = 3  # [CLS] A [SEP] B [SEP]
_SHORTEST_TARGET = 2
SHORTEST_SEQUENCE = _SHORTEST_TARGET + _SPECIAL_TOKENS_PER_PAIR


class ExampleSettings(NamedTuple):
    """How a document becomes examples.

    Attributes:
      max_seq_length: the length of a sequence, at least SHORTEST_SEQUENCE.
      short_seq_prob: the share of the sequences that are filled to a random shorter length.
      masking: how they are masked.
    """

    max_seq_length: int
    short_seq_prob: float
    masking: MaskingSettings


class EncodedDocument(NamedTuple):
    """A tokenized and segmented document.

    Attributes:
      token_ids: the ids of all its tokens.
      unit_starts: where in `token_ids` a masking unit starts, ascending; every sentence starts with one.
      sentence_starts: where a sentence starts, ascending.
    """

    token_ids: List[int]
    unit_starts: List[int]
    sentence_starts: List[int]


class PretrainingExample(NamedTuple):
    """One example.

    Attributes:
      input_ids: [CLS] A [SEP] B [SEP] or [CLS] A [SEP], masked, not padded.
      segment_ids: 0 through the first [SEP], then 1.
      positions: the positions to predict, ascending.
      labels: the original ids at these positions.
      sentence_order: IN_ORDER, SWAPPED, or `features.NO_SENTENCE_ORDER` without a second segment.
    """

    input_ids: List[int]
    segment_ids: List[int]
    positions: List[int]
    labels: List[int]
    sentence_order: int


class DocumentExamples(NamedTuple):
    """The examples of one pass over a document, and how many chunks of it gave none: nothing to mask."""

    examples: List[PretrainingExample]
    num_unmaskable: int


def encode_document(
    lines: Iterable[str], *, tokenizer, find_words: Optional[Callable[[str], Sequence[Tuple[int, int]]]] = None
) -> EncodedDocument:
    """Tokenizes and segments each line of a document once; lines without a token leave no sentence.

    Args:
      lines: the sentences.
      tokenizer: a `tokenization.FullTokenizer`.
      find_words: a line → the character spans of its words, which become the masking units; without it every token is
        a unit.
    """
    token_ids: List[int] = []
    unit_starts: List[int] = []
    sentence_starts: List[int] = []
    for line in lines:
        tokens = tokenizer.tokenize_with_offsets(line)
        if not tokens:
            continue
        base = len(token_ids)
        starts = segmentation.unit_starts(tokens, find_words(line)) if find_words else range(len(tokens))
        sentence_starts.append(base)
        unit_starts.extend([base + start for start in starts])
        token_ids.extend(tokenizer.convert_tokens_to_ids([token.text for token in tokens]))
    return EncodedDocument(token_ids, unit_starts, sentence_starts)


def document_examples(
    document: EncodedDocument, *, rng, settings: ExampleSettings, vocabulary: PretrainingVocabulary
) -> DocumentExamples:
    """One pass over a document: every token of it goes into one example (spec: pretraining_data).

    Args:
      document: the encoded document.
      rng: a `random.Random`: another seed gives other cuts, orders and masks.
      settings: lengths and masking.
      vocabulary: the special tokens and what may replace a token.
    """
    examples = []
    num_unmaskable = 0
    for start, end in chunk_ranges(document, rng=rng, settings=settings):
        segments, sentence_order = order_segments(document, start, end, rng=rng, vocabulary=vocabulary)
        example = _make_example(document, segments, sentence_order, rng, settings, vocabulary)
        if example.positions:
            examples.append(example)
        else:
            num_unmaskable += 1
    return DocumentExamples(examples, num_unmaskable)


def chunk_ranges(document: EncodedDocument, *, rng, settings: ExampleSettings) -> Iterator[Span]:
    """Divides a document into chunks that fill a sequence each; what overflows begins the next one.

    A chunk ends between two units; only a unit that is longer than a whole chunk is cut.
    """
    longest = settings.max_seq_length - _SPECIAL_TOKENS_PER_PAIR
    total = len(document.token_ids)
    start = 0
    while start < total:
        target = longest
        if longest > _SHORTEST_TARGET and rng.random() < settings.short_seq_prob:
            target = rng.randrange(_SHORTEST_TARGET, longest)
        end = total
        if start + target < total:
            unit_start = document.unit_starts[bisect_right(document.unit_starts, start + target) - 1]
            end = unit_start if unit_start > start else start + target
        yield start, end
        start = end


def order_segments(
    document: EncodedDocument, start: int, end: int, *, rng, vocabulary: PretrainingVocabulary
) -> Tuple[List[Span], int]:
    """Cuts a chunk in two at a random sentence boundary and swaps the halves half of the time.

    A chunk within one sentence is cut at clause punctuation instead.

    Returns:
      The segments in the order of the sequence, as ranges of the document, and the sentence-order label; one segment
      and `NO_SENTENCE_ORDER` where there is nowhere to cut.
    """
    cuts = _between(document.sentence_starts, start, end) or clause_starts(document, start, end, vocabulary)
    if not cuts:
        return [(start, end)], NO_SENTENCE_ORDER
    cut = cuts[rng.randrange(len(cuts))]
    if rng.random() < 0.5:
        return [(cut, end), (start, cut)], SWAPPED
    return [(start, cut), (cut, end)], IN_ORDER


def clause_starts(document: EncodedDocument, start: int, end: int, vocabulary: PretrainingVocabulary) -> List[int]:
    """Where within [start, end) a clause starts: at a unit after clause punctuation that follows some text."""
    unit_starts = set(_between(document.unit_starts, start, end))
    starts = []
    has_text = False
    after_punctuation = False
    for position in range(start, end):
        is_punctuation = document.token_ids[position] in vocabulary.clause_end_ids
        if after_punctuation and has_text and not is_punctuation and position in unit_starts:
            starts.append(position)
            has_text = False
        has_text = has_text or not is_punctuation
        after_punctuation = is_punctuation
    return starts


def _between(starts: Sequence[int], start: int, end: int) -> Sequence[int]:
    """Those of the ascending `starts` that lie within (start, end)."""
    return starts[bisect_right(starts, start) : bisect_left(starts, end)]


def _make_example(
    document: EncodedDocument,
    segments: Sequence[Span],
    sentence_order: int,
    rng,
    settings: ExampleSettings,
    vocabulary: PretrainingVocabulary,
) -> PretrainingExample:
    token_ids = [vocabulary.cls_id]
    segment_ids = [0]
    units: List[Span] = []
    for segment, (start, end) in enumerate(segments):
        shift = len(token_ids) - start
        edges = [start, *_between(document.unit_starts, start, end), end]
        units.extend([(edge + shift, next_edge + shift) for edge, next_edge in zip(edges, edges[1:])])
        token_ids.extend(document.token_ids[start:end])
        token_ids.append(vocabulary.sep_id)
        segment_ids.extend([segment] * (end - start + 1))
    masked = mask_units(token_ids, units, rng=rng, settings=settings.masking, vocabulary=vocabulary)
    return PretrainingExample(masked.input_ids, segment_ids, masked.positions, masked.labels, sentence_order)


def record_values(example: PretrainingExample, settings: ExampleSettings) -> Dict[str, List[float]]:
    """The zero-padded fields of `features.pretraining_features`."""
    length = settings.max_seq_length
    predictions = settings.masking.max_predictions_per_seq
    return {
        "input_ids": _padded(example.input_ids, length),
        "input_mask": _padded([1] * len(example.input_ids), length),
        "segment_ids": _padded(example.segment_ids, length),
        "masked_lm_positions": _padded(example.positions, predictions),
        "masked_lm_ids": _padded(example.labels, predictions),
        "masked_lm_weights": _padded([1.0] * len(example.positions), predictions),
        "next_sentence_labels": [example.sentence_order],
    }


def _padded(values: List[float], length: int) -> List[float]:
    return values + [0] * (length - len(values))
