import random

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.files.features import CHUNK_FEATURES
from albert.files.record_encoding import Ragged, encode_records
from albert.pretraining_data.chunk_records import chunk_columns, chunks_of_columns
from albert.pretraining_data.chunks import ChunkSettings, make_chunks
from albert.pretraining_data.examples import make_examples
from albert.pretraining_data.masking import MaskingSettings
from tests.support.tiny_text import IS_CLAUSE_END, VOCABULARY, plain_document, random_documents, text_of


def chunks_of(documents, max_seq_length, dupe_factor=1):
    return make_chunks(
        text_of(*documents),
        dupe_factor=dupe_factor,
        rng=np.random.RandomState(0),
        settings=ChunkSettings(max_seq_length, 0.2),
        is_clause_end=IS_CLAUSE_END,
    )


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
    settings = MaskingSettings(max_predictions_per_seq=4, masked_lm_prob=0.3)
    rng = np.random.RandomState(seed)
    return make_examples(chunks, rng=rng, max_seq_length=max_seq_length, masking=settings, vocabulary=VOCABULARY)


def test_a_record_by_hand():
    document = [[[11, 12], [13]], [[14], [15, 16]], [[17]]]
    chunks = chunks_of([plain_document(3), document], 20)
    assert rows_of(chunk_columns(chunks))[-1] == {
        "token_ids": [11, 12, 13, 14, 15, 16, 17],
        "unit_starts": [0, 2, 3, 4, 6],
        "cuts": [3, 6],
    }


def test_columns_are_those_of_the_declaration():
    columns = chunk_columns(chunks_of([plain_document(3)], 20))
    assert sorted(columns) == sorted(feature.name for feature in CHUNK_FEATURES)


@pytest.mark.parametrize("max_seq_length", [5, 9, 40])
def test_random_chunks_equal_plain_python(max_seq_length):
    rng = random.Random(max_seq_length)
    for _ in range(20):
        chunks = chunks_of(random_documents(rng, rng.randint(1, 6)), max_seq_length, rng.choice((1, 3)))
        assert rows_of(chunk_columns(chunks)) == plain_rows(chunks)
        some = chunks.take(np.arange(len(chunks.starts)) % 3 > 0)
        assert rows_of(chunk_columns(some)) == plain_rows(some)


@pytest.mark.parametrize("max_seq_length", [5, 9, 40])
def test_examples_of_records_are_those_of_the_chunks(max_seq_length):
    chunks = chunks_of(random_documents(random.Random(3), 12), max_seq_length, dupe_factor=2)
    parsed = through_tensorflow(chunk_columns(chunks))
    again = chunks_of_columns(parsed)
    assert rows_of(chunk_columns(again)) == plain_rows(chunks)
    for seed in (5, 6):
        expected, made = (examples_of(each, max_seq_length, seed) for each in (chunks, again))
        for column, expected_column in zip(made, expected):
            np.testing.assert_array_equal(column, expected_column)
    assert (examples_of(again, max_seq_length, 5).input_ids != examples_of(again, max_seq_length, 6).input_ids).any()


def test_records_without_a_cut():
    chunks = chunks_of([plain_document(1), plain_document(2)], 20)
    parsed = through_tensorflow(chunk_columns(chunks))
    assert parsed["cuts"].values.tolist() == [] and parsed["cuts"].lengths.tolist() == [0, 0]
    assert rows_of(chunk_columns(chunks_of_columns(parsed))) == plain_rows(chunks)
    assert examples_of(chunks_of_columns(parsed), 20).num_tokens.tolist() == [3, 4]


def test_no_chunk():
    chunks = chunks_of([plain_document(5)], 20)
    columns = chunk_columns(chunks.take(np.zeros(1, dtype=bool)))
    assert rows_of(columns) == []
    assert encode_records(CHUNK_FEATURES, columns) == []
    assert len(examples_of(chunks_of_columns(columns), 20).num_tokens) == 0
