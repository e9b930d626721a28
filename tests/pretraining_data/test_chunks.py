import random

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.files.features import CHUNK_FEATURES
from albert.files.record_encoding import Ragged, encode_records
from albert.pretraining_data.chunks import (
    SHORTEST_SEQUENCE,
    ChunkSettings,
    chunk_columns,
    chunks_of_columns,
    make_chunks,
)
from albert.pretraining_data.examples import make_examples
from albert.pretraining_data.masking import MaskingSettings
from tests.support.tiny_text import COMMA, IS_CLAUSE_END, STOP, VOCABULARY, plain_document, random_documents, text_of


def chunks_of(text, max_seq_length, *, seed=0, short_seq_prob=0.0, dupe_factor=1):
    return make_chunks(
        text,
        dupe_factor=dupe_factor,
        rng=np.random.RandomState(seed),
        settings=ChunkSettings(max_seq_length, short_seq_prob),
        is_clause_end=IS_CLAUSE_END,
    )


def ranges_of(chunks):
    return list(zip(chunks.starts.tolist(), chunks.ends.tolist()))


def cuts_of(chunks):
    """The places at which each chunk may be cut."""
    firsts, nums = chunks.first_cuts.tolist(), chunks.num_cuts.tolist()
    return [chunks.cuts[first : first + num].tolist() for first, num in zip(firsts, nums)]


def plain_ranges(text, targets):
    """The chunks of one pass, given how long each should be: units are added while they fit."""
    targets = iter(targets)
    bounds = text.document_starts.tolist() + [len(text.token_ids)]
    found = []
    for first, end in zip(bounds, bounds[1:]):
        units = [place for place in range(first, end) if text.starts_unit[place]] + [end]
        while first < end:
            longest = first + next(targets)
            fitting = [place for place in units if first < place <= longest]
            last = fitting[-1] if fitting else longest
            found.append((first, last))
            first = last
    return found


def plain_cuts(text, start, end):
    """Where a chunk may be cut: between sentences, else behind clause punctuation that follows something else."""
    sentences = [place for place in text.sentence_starts.tolist() if start < place < end]
    if sentences:
        return sentences
    is_end = [bool(IS_CLAUSE_END[token]) for token in text.token_ids.tolist()]
    return [
        place
        for place in range(start + 1, end)
        if text.starts_unit[place] and is_end[place - 1] and not is_end[place] and not all(is_end[start:place])
    ]


def assert_is_divided(text, chunks, max_seq_length, dupe_factor):
    """Every token is in exactly one chunk of each pass; no chunk is too long, or in two documents, or cuts a unit."""
    ranges = ranges_of(chunks)
    covered = [place for start, end in ranges for place in range(start, end)]
    assert covered == list(range(len(text.token_ids))) * dupe_factor
    firsts = set(text.document_starts.tolist())
    for start, end in ranges:
        assert 0 < end - start <= max_seq_length - 3
        assert not firsts & set(range(start + 1, end))
        if not text.starts_unit[start]:
            units = np.append(np.flatnonzero(text.starts_unit), len(text.token_ids))
            following = np.searchsorted(units, start)
            assert units[following] - units[following - 1] > 2
    assert cuts_of(chunks) == [plain_cuts(text, start, end) for start, end in ranges]


def test_chunks_are_filled_and_the_rest_goes_on():
    assert ranges_of(chunks_of(text_of(plain_document(4, 5, 4)), 13)) == [(0, 10), (10, 13)]
    assert ranges_of(chunks_of(text_of(plain_document(3)), 13)) == [(0, 3)]
    assert ranges_of(chunks_of(text_of(plain_document(10)), 13)) == [(0, 10)]
    assert ranges_of(chunks_of(text_of(plain_document(1)), 5)) == [(0, 1)]
    assert ranges_of(chunks_of(text_of(plain_document(5)), 5)) == [(0, 2), (2, 4), (4, 5)]


@pytest.mark.parametrize("dupe_factor", [1, 3])
def test_no_text(dupe_factor):
    chunks = chunks_of(text_of(), 13, dupe_factor=dupe_factor)
    assert (ranges_of(chunks), cuts_of(chunks)) == ([], [])


def test_chunks_end_between_units():
    text = text_of([[[1, 2, 3], [4, 5], [6, 7, 8]], [[9, 10], [11]]])
    assert ranges_of(chunks_of(text, 10)) == [(0, 5), (5, 11)]
    assert ranges_of(chunks_of(text, 7)) == [(0, 3), (3, 5), (5, 8), (8, 11)]


def test_a_unit_longer_than_a_chunk_is_cut():
    text = text_of([[[1], list(range(10, 17)), [2]]])
    assert ranges_of(chunks_of(text, 6)) == [(0, 1), (1, 4), (4, 7), (7, 9)]


def test_no_chunk_reaches_over_two_documents():
    text = text_of(plain_document(4), plain_document(2, 3), plain_document(1))
    chunks = chunks_of(text, 20)
    assert ranges_of(chunks) == [(0, 4), (4, 9), (9, 10)]
    assert cuts_of(chunks) == [[], [6], []]


def test_each_pass_begins_anew():
    text = text_of(plain_document(4, 5, 4), plain_document(2))
    assert ranges_of(chunks_of(text, 13, dupe_factor=3)) == [(0, 10), (10, 13), (13, 15)] * 3


def test_shorter_chunks():
    text = text_of(plain_document(*[7] * 100))
    chunks = chunks_of(text, 23, short_seq_prob=0.5, dupe_factor=20)
    lengths = [end - start for start, end in ranges_of(chunks) if end % 700]
    counts = np.bincount(lengths, minlength=21)
    assert counts[:2].tolist() == [0, 0] and counts[2:].min() > 0
    share = counts[20] / len(lengths)
    assert abs(share - 0.5) < 5 * np.sqrt(0.25 / len(lengths))
    short = counts[2:20]  # all equally likely
    assert abs(short - short.mean()).max() < 5 * np.sqrt(short.mean())
    assert ranges_of(chunks_of(text, 23, short_seq_prob=0.5)) != ranges_of(
        chunks_of(text, 23, short_seq_prob=0.5, seed=1)
    )


def test_the_shortest_chunks():
    text = text_of(plain_document(40))
    for length, share in ((SHORTEST_SEQUENCE, 1.0), (SHORTEST_SEQUENCE, 0.0), (6, 1.0)):
        lengths = {end - start for start, end in ranges_of(chunks_of(text, length, short_seq_prob=share))}
        assert lengths == {2}


def test_a_chunk_is_cut_between_sentences():
    document = [[[10], [COMMA], [11]], [[12, 13]], [[14], [15]]]
    chunks = chunks_of(text_of(document), 20)
    assert cuts_of(chunks) == [[3, 5]]


def test_a_single_sentence_is_cut_at_clauses():
    text = text_of([[[10], [11], [COMMA], [12], [COMMA], [STOP], [13], [STOP]]])
    assert cuts_of(chunks_of(text, 20)) == [[3, 6]]
    within_a_unit = text_of([[[10, COMMA, 11], [12]]])
    assert cuts_of(chunks_of(within_a_unit, 20)) == [[]]
    first_and_last = text_of([[[COMMA], [10], [11], [COMMA]]])
    assert cuts_of(chunks_of(first_and_last, 20)) == [[]]
    only_punctuation = text_of([[[COMMA], [STOP]]], [[[COMMA]]])
    assert cuts_of(chunks_of(only_punctuation, 20)) == [[], []]


def test_a_chunk_that_begins_with_punctuation():
    text = text_of([[[10], [11], [COMMA], [12], [COMMA], [STOP], [13], [STOP]]])
    chunks = chunks_of(text, 9)  # "10 11 , 12 , ." and "13 ."; then by two: ", 12" and ", ." have no cut
    assert (ranges_of(chunks), cuts_of(chunks)) == ([(0, 6), (6, 8)], [[3], []])
    assert cuts_of(chunks_of(text, 5)) == [[], [], [], []]
    assert cuts_of(chunks_of(text, 6)) == [[], [], []]


@pytest.mark.parametrize("max_seq_length", [5, 6, 9, 16, 40])
def test_random_documents_equal_plain_python(max_seq_length):
    rng = random.Random(max_seq_length)
    for number in range(40):
        text = text_of(*random_documents(rng, rng.randrange(6)))
        chunks = chunks_of(text, max_seq_length, seed=number)
        full = [max_seq_length - 3] * (len(text.token_ids) + 1)
        assert ranges_of(chunks) == plain_ranges(text, full)
        assert_is_divided(text, chunks, max_seq_length, 1)


@pytest.mark.parametrize("dupe_factor", [1, 3])
def test_shorter_chunks_of_random_documents(dupe_factor):
    rng = random.Random(4)
    for number in range(60):
        text = text_of(*random_documents(rng, rng.randrange(6), longest_unit=rng.choice((1, 4, 30))))
        length = rng.choice((5, 6, 12, 33))
        chunks = chunks_of(text, length, seed=number, short_seq_prob=rng.choice((0.1, 1.0)), dupe_factor=dupe_factor)
        assert_is_divided(text, chunks, length, dupe_factor)


def test_the_same_seed_gives_the_same_chunks():
    text = text_of(*random_documents(random.Random(5), 9))
    first, again, other = (chunks_of(text, 16, seed=seed, short_seq_prob=0.3) for seed in (3, 3, 4))
    assert ranges_of(first) == ranges_of(again) != ranges_of(other)


def test_taking_some_chunks():
    text = text_of(*random_documents(random.Random(6), 9))
    chunks = chunks_of(text, 12)
    count = len(chunks.starts)
    assert count > 6
    is_odd = np.arange(count) % 2 == 1
    for which in (slice(2, 5), is_odd, np.zeros(count, dtype=bool)):
        some = chunks.take(which)
        places = np.arange(count)[which].tolist()
        assert ranges_of(some) == [ranges_of(chunks)[place] for place in places]
        assert cuts_of(some) == [cuts_of(chunks)[place] for place in places]


def test_one_line_of_a_million_tokens():
    text = text_of([[[10]] * 1000000])
    chunks = chunks_of(text, 512, short_seq_prob=0.1)
    starts, ends = chunks.starts, chunks.ends
    assert starts[0] == 0 and ends[-1] == 1000000 and (starts[1:] == ends[:-1]).all()
    assert chunks.num_cuts.sum() == 0


# --- dynamic records ---


def record_chunks(documents, max_seq_length, dupe_factor=1):
    return chunks_of(text_of(*documents), max_seq_length, short_seq_prob=0.2, dupe_factor=dupe_factor)


def rows_of(columns):
    """Ragged columns as one dictionary of lists for each record."""
    lists = {}
    for name, (values, lengths) in columns.items():
        ends = np.cumsum(lengths).tolist()
        lists[name] = [values[end - length : end].tolist() for end, length in zip(ends, lengths.tolist())]
        assert sum(lengths) == len(values)
    return [dict(zip(lists, record)) for record in zip(*lists.values())]


def plain_rows(chunks):
    """The same, chunk by chunk."""
    rows = []
    for start, end, first, num in zip(chunks.starts, chunks.ends, chunks.first_cuts, chunks.num_cuts):
        rows.append(
            {
                "token_ids": chunks.token_ids[start:end].tolist(),
                "unit_starts": [
                    place for place in range(end - start) if place == 0 or chunks.starts_unit[start + place]
                ],
                "cuts": [cut - start for cut in chunks.cuts[first : first + num].tolist()],
            }
        )
    return rows


def through_tensorflow(columns):
    """The columns, written as records and parsed by TensorFlow as a batch."""
    records = encode_records(CHUNK_FEATURES, columns)
    with tf.Graph().as_default(), tf.Session() as session:
        spec = {feature.name: tf.VarLenFeature(tf.int64) for feature in CHUNK_FEATURES}
        parsed = session.run(tf.parse_example(records, spec))
    return {
        name: Ragged(sparse.values, np.bincount(sparse.indices[:, 0], minlength=len(records)))
        for name, sparse in parsed.items()
    }


def examples_of(chunks, max_seq_length, seed=5):
    settings = MaskingSettings(max_predictions_per_seq=4, masked_lm_prob=0.3, ngram=3)
    rng = np.random.RandomState(seed)
    return make_examples(chunks, rng=rng, max_seq_length=max_seq_length, masking=settings, vocabulary=VOCABULARY)


def test_a_record_by_hand():
    document = [[[11, 12], [13]], [[14], [15, 16]], [[17]]]
    chunks = record_chunks([plain_document(3), document], 20)
    assert rows_of(chunk_columns(chunks))[-1] == {
        "token_ids": [11, 12, 13, 14, 15, 16, 17],
        "unit_starts": [0, 2, 3, 4, 6],
        "cuts": [3, 6],
    }


def test_record_columns_are_those_of_the_declaration():
    columns = chunk_columns(record_chunks([plain_document(3)], 20))
    assert sorted(columns) == sorted(feature.name for feature in CHUNK_FEATURES)


@pytest.mark.parametrize("max_seq_length", [5, 9, 40])
def test_records_of_random_chunks_equal_plain_python(max_seq_length):
    rng = random.Random(max_seq_length)
    for _ in range(20):
        chunks = record_chunks(random_documents(rng, rng.randint(1, 6)), max_seq_length, rng.choice((1, 3)))
        assert rows_of(chunk_columns(chunks)) == plain_rows(chunks)
        some = chunks.take(np.arange(len(chunks.starts)) % 3 > 0)
        assert rows_of(chunk_columns(some)) == plain_rows(some)


@pytest.mark.parametrize("max_seq_length", [5, 9, 40])
def test_examples_of_records_are_those_of_the_chunks(max_seq_length):
    chunks = record_chunks(random_documents(random.Random(3), 12), max_seq_length, dupe_factor=2)
    parsed = through_tensorflow(chunk_columns(chunks))
    again = chunks_of_columns(parsed)
    assert rows_of(chunk_columns(again)) == plain_rows(chunks)
    for seed in (5, 6):
        expected, made = (examples_of(each, max_seq_length, seed) for each in (chunks, again))
        for column, expected_column in zip(made, expected):
            np.testing.assert_array_equal(column, expected_column)
    assert (examples_of(again, max_seq_length, 5).input_ids != examples_of(again, max_seq_length, 6).input_ids).any()


def test_records_without_a_cut():
    chunks = record_chunks([plain_document(1), plain_document(2)], 20)
    parsed = through_tensorflow(chunk_columns(chunks))
    assert parsed["cuts"].values.tolist() == [] and parsed["cuts"].lengths.tolist() == [0, 0]
    assert rows_of(chunk_columns(chunks_of_columns(parsed))) == plain_rows(chunks)
    assert examples_of(chunks_of_columns(parsed), 20).num_tokens.tolist() == [3, 4]


def test_records_of_no_chunk():
    chunks = record_chunks([plain_document(5)], 20)
    columns = chunk_columns(chunks.take(np.zeros(1, dtype=bool)))
    assert rows_of(columns) == []
    assert encode_records(CHUNK_FEATURES, columns) == []
    assert len(examples_of(chunks_of_columns(columns), 20).num_tokens) == 0
