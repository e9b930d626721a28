import os
import random

import pytest
from tiny_corpus import write_vocab

import pretraining_vocabulary
import segmentation
from corpus import plan_shards, read_documents
from features import NO_SENTENCE_ORDER, pretraining_features
from masking import MaskingSettings
from pretraining_examples import (
    IN_ORDER,
    SHORTEST_SEQUENCE,
    SWAPPED,
    EncodedDocument,
    ExampleSettings,
    PretrainingExample,
    chunk_ranges,
    clause_starts,
    document_examples,
    encode_document,
    order_segments,
    record_values,
)
from pretraining_vocabulary import PretrainingVocabulary
from tokenization import FullTokenizer

UNK, CLS, SEP, MASK, COMMA, STOP = 1, 2, 3, 4, 5, 6
VOCABULARY = PretrainingVocabulary(CLS, SEP, MASK, frozenset((UNK, CLS, SEP, MASK)), frozenset((COMMA, STOP)), (9,))
NEWS = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "data", "news_zh_1.txt")


def document(*sentences):
    """A document of sentences, each a list of units, each a list of ids."""
    ids, unit_starts, sentence_starts = [], [], []
    for sentence in sentences:
        sentence_starts.append(len(ids))
        for unit in sentence:
            unit_starts.append(len(ids))
            ids.extend(unit)
    return EncodedDocument(ids, unit_starts, sentence_starts)


def plain_document(*sentence_lengths):
    """A document of one-token units with distinct ids from 100 on."""
    numbers = iter(range(100, 100 + sum(sentence_lengths)))
    return document(*[[[next(numbers)] for _ in range(length)] for length in sentence_lengths])


def settings(max_seq_length, short_seq_prob=0.0, **masking):
    return ExampleSettings(max_seq_length, short_seq_prob, MaskingSettings(**masking))


def chunks(doc, max_seq_length, seed=0, short_seq_prob=0.0):
    return list(chunk_ranges(doc, rng=random.Random(seed), settings=settings(max_seq_length, short_seq_prob)))


def original_ids(example):
    ids = list(example.input_ids)
    for position, label in zip(example.positions, example.labels):
        ids[position] = label
    return ids


def segments_of(example):
    """The original ids of the segments, without special tokens."""
    ids = original_ids(example)
    first_end = example.segment_ids.index(1) if 1 in example.segment_ids else len(ids)
    return [part for part in (ids[1 : first_end - 1], ids[first_end:-1]) if part]


def test_chunks_are_filled_and_the_rest_goes_on():
    assert chunks(plain_document(4, 5, 4), 13) == [(0, 10), (10, 13)]
    assert chunks(plain_document(3), 13) == [(0, 3)]
    assert chunks(plain_document(10), 13) == [(0, 10)]
    assert chunks(plain_document(), 13) == []


def test_chunks_end_between_units():
    doc = document([[1, 2, 3], [4, 5], [6, 7, 8]], [[9, 10], [11]])
    assert chunks(doc, 10) == [(0, 5), (5, 11)]
    assert chunks(doc, 7) == [(0, 3), (3, 5), (5, 8), (8, 11)]


def test_a_unit_longer_than_a_chunk_is_cut():
    doc = document([[1], list(range(10, 17)), [2]])
    assert chunks(doc, 6) == [(0, 1), (1, 4), (4, 7), (7, 9)]


def test_shorter_chunks():
    doc = plain_document(*[7] * 400)
    lengths = [end - start for start, end in chunks(doc, 23, short_seq_prob=0.5)][:-1]
    assert set(lengths) == set(range(2, 21))
    assert lengths.count(20) / len(lengths) == pytest.approx(0.5, abs=0.08)
    assert {end - start for start, end in chunks(doc, SHORTEST_SEQUENCE, short_seq_prob=1.0)} == {2}
    assert {end - start for start, end in chunks(doc, 6, short_seq_prob=1.0)[:-1]} == {2}


def test_every_sentence_boundary_and_both_orders_are_drawn():
    doc = plain_document(2, 3, 1, 4)
    rng = random.Random(0)
    seen = set()
    for _ in range(300):
        segments, label = order_segments(doc, 1, 9, rng=rng, vocabulary=VOCABULARY)
        seen.add((label, segments[0] if label == IN_ORDER else segments[1]))
        first, second = segments if label == IN_ORDER else reversed(segments)
        assert (first[0], second[1]) == (1, 9) and first[1] == second[0]
    assert seen == {(label, (1, cut)) for label in (IN_ORDER, SWAPPED) for cut in (2, 5, 6)}


def test_a_single_sentence_is_cut_at_clauses():
    doc = document([[10], [11], [COMMA], [12], [COMMA], [STOP], [13], [STOP]])
    assert clause_starts(doc, 0, 8, VOCABULARY) == [3, 6]
    assert clause_starts(doc, 2, 8, VOCABULARY) == [6]  # a chunk that begins with a comma
    assert clause_starts(doc, 3, 6, VOCABULARY) == []
    within_a_unit = document([[10, COMMA, 11], [12]])
    assert clause_starts(within_a_unit, 0, 4, VOCABULARY) == []


def test_no_place_to_cut():
    doc = plain_document(4)
    assert order_segments(doc, 0, 4, rng=random.Random(0), vocabulary=VOCABULARY) == ([(0, 4)], NO_SENTENCE_ORDER)


def test_an_example_without_a_pair():
    result = document_examples(plain_document(3), rng=random.Random(1), settings=settings(9), vocabulary=VOCABULARY)
    (example,) = result.examples
    assert original_ids(example) == [CLS, 100, 101, 102, SEP]
    assert example.segment_ids == [0, 0, 0, 0, 0]
    assert example.sentence_order == NO_SENTENCE_ORDER
    assert len(example.positions) == 1
    assert result.num_unmaskable == 0


def test_an_example_with_a_pair():
    doc = plain_document(2, 3)
    seen = set()
    for seed in range(20):
        (example,) = document_examples(
            doc, rng=random.Random(seed), settings=settings(8), vocabulary=VOCABULARY
        ).examples
        seen.add((tuple(original_ids(example)), tuple(example.segment_ids), example.sentence_order))
    assert seen == {
        ((CLS, 100, 101, SEP, 102, 103, 104, SEP), (0, 0, 0, 0, 1, 1, 1, 1), IN_ORDER),
        ((CLS, 102, 103, 104, SEP, 100, 101, SEP), (0, 0, 0, 0, 0, 1, 1, 1), SWAPPED),
    }


def test_what_cannot_be_used_is_counted():
    unknown = document([[UNK], [UNK]], [[UNK]])
    assert document_examples(unknown, rng=random.Random(0), settings=settings(8), vocabulary=VOCABULARY) == ([], 1)
    nothing = document()
    assert document_examples(nothing, rng=random.Random(0), settings=settings(8), vocabulary=VOCABULARY) == ([], 0)


def test_the_same_seed_gives_the_same_examples():
    doc = plain_document(5, 9, 1, 30, 2)
    first, again, other = (
        document_examples(doc, rng=random.Random(seed), settings=settings(16, 0.1), vocabulary=VOCABULARY)
        for seed in (3, 3, 4)
    )
    assert first == again != other


def test_record_values_are_padded():
    example = PretrainingExample([CLS, MASK, SEP, 12, SEP], [0, 0, 0, 1, 1], [1], [11], SWAPPED)
    values = record_values(example, settings(7, max_predictions_per_seq=2))
    assert values == {
        "input_ids": [CLS, MASK, SEP, 12, SEP, 0, 0],
        "input_mask": [1, 1, 1, 1, 1, 0, 0],
        "segment_ids": [0, 0, 0, 1, 1, 0, 0],
        "masked_lm_positions": [1, 0],
        "masked_lm_ids": [11, 0],
        "masked_lm_weights": [1.0, 0.0],
        "next_sentence_labels": [1],
    }
    assert {feature.name: feature.length for feature in pretraining_features(7, 2)} == {
        name: len(numbers) for name, numbers in values.items()
    }


def test_encode_document(tmp_path):
    tokenizer = FullTokenizer(write_vocab(tmp_path))
    lines = ["今天去公园", "\u200b", "ab。"]
    words = {"今天去公园": [(0, 2), (2, 3), (3, 5)], "ab。": [(0, 2), (2, 3)]}
    encoded = encode_document(lines, tokenizer=tokenizer, find_words=words.__getitem__)
    assert tokenizer.convert_ids_to_tokens(encoded.token_ids) == ["今", "天", "去", "公", "园", "a", "##b", "。"]
    assert encoded.unit_starts == [0, 2, 3, 5, 7]
    assert encoded.sentence_starts == [0, 5]
    by_token = encode_document(lines, tokenizer=tokenizer)
    assert by_token == encoded._replace(unit_starts=list(range(8)))


@pytest.fixture(scope="module")
def news(vocab_file):
    """(document, its examples of five passes) for each document of the shipped text, and what made them."""
    tokenizer = FullTokenizer(vocab_file)
    vocabulary = pretraining_vocabulary.from_tokenizer(tokenizer)
    made = []
    for part in read_documents(plan_shards([NEWS], 1)[0]):
        encoded = encode_document(part.lines, tokenizer=tokenizer, find_words=segmentation.unit_spans)
        passes = [
            document_examples(
                encoded,
                rng=random.Random("{}/{}".format(part.offset, number)),
                settings=settings(128, 0.1),
                vocabulary=vocabulary,
            )
            for number in range(5)
        ]
        made.append((encoded, passes))
    return tokenizer, vocabulary, made


def news_examples(news):
    return [example for _, passes in news[2] for one_pass in passes for example in one_pass.examples]


def test_news_order_labels_are_true(news):
    labels = []
    for encoded, passes in news[2]:
        text = " {} ".format(" ".join(map(str, encoded.token_ids)))
        for example in (example for one_pass in passes for example in one_pass.examples):
            segments = segments_of(example)
            assert len(segments) == (1 if example.sentence_order == NO_SENTENCE_ORDER else 2)
            in_order = segments[::-1] if example.sentence_order == SWAPPED else segments
            assert " {} ".format(" ".join(str(token) for part in in_order for token in part)) in text
            labels.append(example.sentence_order)
    pairs = [label for label in labels if label != NO_SENTENCE_ORDER]
    assert len(pairs) > 500
    assert len(pairs) / len(labels) > 0.95
    assert pairs.count(SWAPPED) / len(pairs) == pytest.approx(0.5, abs=0.06)


def test_news_uses_nearly_every_token(news):
    used = sum(len(part) for example in news_examples(news) for part in segments_of(example))
    there = sum(len(encoded.token_ids) for encoded, _ in news[2]) * 5
    assert 0.98 < used / there <= 1.0


def test_news_masks(news):
    tokenizer, vocabulary, _ = news
    examples = news_examples(news)
    num_tokens = sum(len(example.input_ids) for example in examples)
    num_predicted = sum(len(example.positions) for example in examples)
    assert num_predicted / num_tokens == pytest.approx(0.15, abs=0.005)
    special = set(tokenizer.convert_tokens_to_ids(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))
    for example in examples:
        assert len(example.positions) <= max(1, round(0.15 * len(example.input_ids)))
        assert special.isdisjoint(example.labels)
        for position, label in zip(example.positions, example.labels):
            seen = example.input_ids[position]
            assert seen in (vocabulary.mask_id, label) or seen in vocabulary.replacement_ids
        tokens = tokenizer.convert_ids_to_tokens(example.labels)
        assert not any(token.startswith("##") and "\u4e00" <= token[2] <= "\u9fff" for token in tokens)


def test_news_masks_whole_words(news):
    """Finds each segment in its document and compares the masked positions with the words there."""
    checked = 0
    for encoded, passes in news[2]:
        bounds = set(encoded.unit_starts) | {len(encoded.token_ids)}
        for example in passes[0].examples:
            masked = set(example.positions)
            begin = 1
            for part in segments_of(example):
                start = _find(encoded.token_ids, part)
                inner = [begin + bound - start for bound in sorted(bounds) if start < bound < start + len(part)]
                edges = [begin] + inner + [begin + len(part)]
                for left, right in zip(edges, edges[1:]):
                    unit = set(range(left, right))
                    assert unit <= masked or not unit & masked
                    checked += len(unit) > 1 and unit <= masked
                begin += len(part) + 1
    assert checked > 100


def _find(ids, part):
    places = [start for start in range(len(ids)) if ids[start : start + len(part)] == part]
    return places[0]
