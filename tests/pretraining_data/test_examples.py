import random
from collections import Counter

import numpy as np
import pytest

from albert.files.features import NO_SENTENCE_ORDER, pretraining_features
from albert.pretraining_data.chunks import ChunkSettings, make_chunks
from albert.pretraining_data.examples import (
    IN_ORDER,
    SWAPPED,
    ExampleBatch,
    example_columns,
    make_examples,
    order_segments,
)
from albert.pretraining_data.masking import MaskingSettings
from tests.support.tiny_text import (
    CLS,
    IS_CLAUSE_END,
    MASK,
    PAD,
    SEP,
    UNK,
    VOCABULARY,
    plain_document,
    random_documents,
    text_of,
)


def chunks_of(text, max_seq_length, dupe_factor=1):
    return make_chunks(
        text,
        dupe_factor=dupe_factor,
        rng=np.random.RandomState(0),
        settings=ChunkSettings(max_seq_length, 0.1 if dupe_factor == 3 else 0.0),
        is_clause_end=IS_CLAUSE_END,
    )


def examples_of(chunks, max_seq_length, seed=0, **masking):
    return make_examples(
        chunks,
        rng=np.random.RandomState(seed),
        max_seq_length=max_seq_length,
        masking=MaskingSettings(**masking),
        vocabulary=VOCABULARY,
    )


def original_ids(examples, row):
    """The sequence without padding, with its labels put back."""
    ids = examples.input_ids[row].tolist()
    count = examples.num_predictions[row]
    for position, label in zip(examples.positions[row, :count].tolist(), examples.labels[row, :count].tolist()):
        ids[position] = label
    assert not any(ids[examples.num_tokens[row] :])
    return ids[: examples.num_tokens[row]]


def possible_sequences(chunks, row):
    """Every (ids, segment_ids, sentence_order) that a chunk may become, in plain Python."""
    start, end = int(chunks.starts[row]), int(chunks.ends[row])
    first = int(chunks.first_cuts[row])
    ids = chunks.token_ids.tolist()
    cuts = chunks.cuts[first : first + int(chunks.num_cuts[row])].tolist()
    if not cuts:
        return {(tuple([CLS] + ids[start:end] + [SEP]), (0,) * (end - start + 2), NO_SENTENCE_ORDER)}
    found = set()
    for cut in cuts:
        for order, a, b in ((IN_ORDER, ids[start:cut], ids[cut:end]), (SWAPPED, ids[cut:end], ids[start:cut])):
            segment_ids = (0,) * (len(a) + 2) + (1,) * (len(b) + 1)
            found.add((tuple([CLS] + a + [SEP] + b + [SEP]), segment_ids, order))
    return found


def sequence(examples, row):
    num_tokens = examples.num_tokens[row]
    assert not examples.segment_ids[row, num_tokens:].any()
    segment_ids = tuple(examples.segment_ids[row, :num_tokens].tolist())
    return tuple(original_ids(examples, row)), segment_ids, int(examples.sentence_order[row])


# --- sentence order ---


def test_every_cut_and_both_orders_are_drawn_equally_often():
    chunks = chunks_of(text_of(plain_document(2, 3, 1, 4)), 20, dupe_factor=6000)
    segments = order_segments(chunks, np.random.RandomState(1))
    starts, firsts, seconds = chunks.starts, segments.first_starts, segments.second_starts
    seen = Counter(zip(segments.sentence_order.tolist(), np.maximum(firsts, seconds).tolist()))
    assert set(seen) == {(order, cut) for order in (IN_ORDER, SWAPPED) for cut in (2, 5, 6)}
    assert max(abs(times - 1000) for times in seen.values()) < 5 * np.sqrt(1000)
    is_swapped = segments.sentence_order == SWAPPED
    assert (np.where(is_swapped, seconds, firsts) == starts).all()
    assert (np.where(is_swapped, seconds + segments.second_lengths, firsts + segments.first_lengths) > starts).all()
    assert (segments.first_lengths + segments.second_lengths == 10).all()


def test_no_place_to_cut():
    segments = order_segments(chunks_of(text_of(plain_document(4)), 20), np.random.RandomState(0))
    assert [column.tolist() for column in segments] == [[0], [4], [4], [0], [NO_SENTENCE_ORDER]]


# --- examples ---


def test_an_example_without_a_pair():
    examples = examples_of(chunks_of(text_of(plain_document(3)), 9), 9)
    assert sequence(examples, 0) == ((CLS, 100, 101, 102, SEP), (0,) * 5, NO_SENTENCE_ORDER)
    assert examples.num_predictions.tolist() == [1]
    assert examples.input_ids.shape == (1, 9)


def test_an_example_with_a_pair():
    chunks = chunks_of(text_of(plain_document(2, 3)), 8, dupe_factor=20)
    examples = examples_of(chunks, 8)
    assert {sequence(examples, row) for row in range(20)} == {
        ((CLS, 100, 101, SEP, 102, 103, 104, SEP), (0, 0, 0, 0, 1, 1, 1, 1), IN_ORDER),
        ((CLS, 102, 103, 104, SEP, 100, 101, SEP), (0, 0, 0, 0, 0, 1, 1, 1), SWAPPED),
    }


def test_one_token_and_the_shortest_sequence():
    for document in (plain_document(1), plain_document(2), plain_document(1, 1), plain_document(5)):
        chunks = chunks_of(text_of(document), 5, dupe_factor=3)
        examples = examples_of(chunks, 5, max_predictions_per_seq=1)
        for row in range(len(chunks.starts)):
            assert sequence(examples, row) in possible_sequences(chunks, row)
        assert examples.num_predictions.tolist() == [1] * len(chunks.starts)


def test_no_chunk_at_all():
    examples = examples_of(chunks_of(text_of(), 9), 9)
    assert [column.shape for column in examples] == [(0, 9), (0, 9), (0,), (0, 20), (0, 20), (0,), (0,)]


@pytest.mark.parametrize("max_seq_length", [5, 8, 20, 41])
@pytest.mark.parametrize("ngram", [1, 3, 5])
def test_random_chunks_equal_plain_python(max_seq_length, ngram):
    rng = random.Random(max_seq_length)
    for seed in range(15):
        text = text_of(*random_documents(rng, rng.randint(1, 6)))
        chunks = chunks_of(text, max_seq_length, dupe_factor=rng.choice((1, 3)))
        examples = examples_of(chunks, max_seq_length, seed, ngram=ngram, max_predictions_per_seq=rng.choice((1, 6)))
        for row in range(len(chunks.starts)):
            assert sequence(examples, row) in possible_sequences(chunks, row)
        assert (examples.num_predictions <= examples.positions.shape[1]).all()


def test_a_chunk_that_begins_within_a_unit():
    """The rest of a unit that is too long for one chunk is a unit by itself, wherever it stands."""
    text = text_of([[list(range(110, 117)), [120]], [[130], [131]]])
    chunks = chunks_of(text, 8, dupe_factor=200).take(np.arange(400) % 2 == 1)
    assert set(zip(chunks.starts.tolist(), chunks.ends.tolist())) == {(5, 10)}
    examples = examples_of(chunks, 8, masked_lm_prob=0.25, ngram=1)
    seen = set()
    for row in range(200):
        labels = examples.labels[row, : examples.num_predictions[row]].tolist()
        assert (115 in labels) == (116 in labels)
        seen.add((int(examples.sentence_order[row]), 115 in labels))
    assert seen == {(order, masked) for order in (IN_ORDER, SWAPPED) for masked in (True, False)}


def test_units_stay_whole_in_both_orders():
    text = text_of([[[101, 102], [103]], [[104, 105, 106], [107]], [[108, 109]]])
    examples = examples_of(chunks_of(text, 20, dupe_factor=300), 20, masked_lm_prob=0.3)
    masked = [set(labels.tolist()) - {0} for labels in examples.labels]
    for unit in ({101, 102}, {103}, {104, 105, 106}, {107}, {108, 109}):
        assert all(unit <= labels or not unit & labels for labels in masked)
        assert any(unit <= labels for labels in masked)


def test_what_cannot_be_masked_has_no_predictions():
    text = text_of([[[UNK], [UNK]], [[UNK]]], [[[101]]], [[[102, 103, 104]]])
    examples = examples_of(chunks_of(text, 8), 8)
    assert examples.num_predictions.tolist() == [0, 1, 0]
    usable = examples.take(examples.num_predictions > 0)
    assert usable.input_ids.shape == (1, 8)
    assert sequence(usable, 0) == sequence(examples, 1) == ((CLS, 101, SEP), (0, 0, 0), NO_SENTENCE_ORDER)


def test_the_same_seed_gives_the_same_examples():
    chunks = chunks_of(text_of(plain_document(5, 9, 1, 30, 2)), 16)
    first, again, other = (examples_of(chunks, 16, seed) for seed in (3, 3, 4))
    assert all((a == b).all() for a, b in zip(first, again))
    assert (first.input_ids != other.input_ids).any()


# --- columns ---


def test_columns_are_padded():
    examples = ExampleBatch(
        input_ids=np.array([[CLS, MASK, SEP, 12, SEP, PAD, PAD], [CLS, 13, 14, 15, SEP, MASK, SEP]], np.int32),
        segment_ids=np.array([[0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1, 1]], np.int32),
        num_tokens=np.array([5, 7]),
        positions=np.array([[1, 0], [3, 5]], np.int32),
        labels=np.array([[11, 0], [15, 16]], np.int32),
        num_predictions=np.array([1, 2]),
        sentence_order=np.array([SWAPPED, NO_SENTENCE_ORDER], np.int32),
    )
    columns = example_columns(examples)
    assert {name: column.tolist() for name, column in columns.items()} == {
        "input_ids": [[CLS, MASK, SEP, 12, SEP, 0, 0], [CLS, 13, 14, 15, SEP, MASK, SEP]],
        "input_mask": [[1, 1, 1, 1, 1, 0, 0], [1] * 7],
        "segment_ids": [[0, 0, 0, 1, 1, 0, 0], [0, 0, 0, 0, 0, 1, 1]],
        "masked_lm_positions": [[1, 0], [3, 5]],
        "masked_lm_ids": [[11, 0], [15, 16]],
        "masked_lm_weights": [[1.0, 0.0], [1.0, 1.0]],
        "next_sentence_labels": [[1], [-1]],
    }


@pytest.mark.parametrize("max_seq_length, max_predictions", [(5, 1), (32, 5)])
def test_columns_are_those_of_the_declaration(max_seq_length, max_predictions):
    text = text_of(*random_documents(random.Random(1), 4))
    examples = examples_of(chunks_of(text, max_seq_length), max_seq_length, max_predictions_per_seq=max_predictions)
    columns = example_columns(examples)
    declared = {feature.name: feature for feature in pretraining_features(max_seq_length, max_predictions)}
    assert set(columns) == set(declared)
    for name, column in columns.items():
        assert column.shape == (len(examples.num_tokens), declared[name].length)
        assert column.dtype == (np.float32 if declared[name].dtype == "float32" else np.int32)
