"""What is true of the examples of real text (docs/en/records.md), measured against the text itself.

The words come from jieba and the tokens from the tokenizer of single lines, not from the arrays that the examples
were made of.
"""

import random
from typing import NamedTuple

import numpy as np
import pytest

from albert.files.features import NO_SENTENCE_ORDER
from albert.pretraining_data import masking
from albert.pretraining_data.chunks import ChunkSettings, make_chunks
from albert.pretraining_data.examples import IN_ORDER, SWAPPED, ExampleBatch, make_examples
from albert.pretraining_data.masking import MaskingSettings
from albert.pretraining_data.vocabulary import clause_ends, vocabulary_from_tokenizer
from albert.text.encoded_text import TextEncoder
from albert.text.segmentation import WordFinder
from tests.support.jieba_oracle import jieba_lcut, jieba_spans
from tests.support.real_text import CORPORA, NEWS, read_documents, real_path
from tokenization import FullTokenizer, is_chinese_character

SEQ_LENGTH = 128
SIGMAS = 5
MASKING = MaskingSettings(ngram=3)
TEXT_BYTES = {"news": 10**6, CORPORA[0]: 250000, CORPORA[1]: 250000}
PASSES = {"news": 8}


class Made(NamedTuple):
    """A text and its examples.

    Attributes:
      documents: for each document its ids, and for each of its tokens the number of its unit.
      places: for each example (its document, the place of its first token there, its segments' lengths in the order
        of the text).
      sequences: for each example its ids with the labels put back.
      first_runs: for each example the length in units of the run that was drawn first.
    """

    tokenizer: FullTokenizer
    documents: list
    num_passes: int
    examples: ExampleBatch
    num_chunks: int
    places: list
    sequences: list
    first_runs: list


def plain_document(lines, tokenizer, cut):
    """Ids and unit numbers of a document, line by line: a unit is what hangs together by words and tokens."""
    ids, units = [], []
    for line in lines:
        word_of = list(range(len(line), 2 * len(line) + 1))  # a character outside of all words is by itself
        for number, (start, end) in enumerate(jieba_spans(cut, line)[0]):
            word_of[start:end] = [number] * (end - start)
        last_word = None
        for token in tokenizer.tokenize_with_offsets(line):
            if word_of[token.start] != last_word:
                units.append(units[-1] + 1 if units else 0)
            else:
                units.append(units[-1])
            ids.append(tokenizer.vocab[token.text])
            last_word = word_of[token.end - 1]
    return np.array(ids), np.array(units)


@pytest.fixture(scope="module", params=["news", *CORPORA])
def made(request, vocab_file):
    path = NEWS if request.param == "news" else real_path(request.param)
    lines = read_documents(path, TEXT_BYTES[request.param])
    tokenizer = FullTokenizer(vocab_file)
    documents = [plain_document(document, tokenizer, jieba_lcut()) for document in lines]
    num_passes = PASSES.get(request.param, 2)
    rng = np.random.RandomState(20)
    chunks = make_chunks(
        TextEncoder(tokenizer, WordFinder()).encode(lines),
        dupe_factor=num_passes,
        rng=rng,
        settings=ChunkSettings(SEQ_LENGTH, 0.1),
        is_clause_end=clause_ends(tokenizer.vocab),
    )
    examples, first_runs = examples_and_first_runs(chunks, tokenizer, rng)
    sequences = [original_ids(examples, row) for row in range(len(chunks.starts))]
    places = find_places(documents, examples, sequences)
    return Made(tokenizer, documents, num_passes, examples, len(chunks.starts), places, sequences, first_runs)


def examples_and_first_runs(chunks, tokenizer, rng):
    """The examples, and how many units the run has that was taken first in each; 0 where there is none."""
    first_runs = [0] * len(chunks.starts)
    choose_units, take = masking.choose_units, masking._take

    def choose_and_note(units, budgets, **settings):
        def take_and_note(taken, firsts, lengths):
            rows = np.searchsorted(units.row_bounds, firsts, side="right") - 1
            for row, length in zip(rows.tolist(), lengths.tolist()):
                first_runs[row] = first_runs[row] or length
            take(taken, firsts, lengths)

        patch.setattr(masking, "_take", take_and_note)
        return choose_units(units, budgets, **settings)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(masking, "choose_units", choose_and_note)
        examples = make_examples(
            chunks,
            rng=rng,
            max_seq_length=SEQ_LENGTH,
            masking=MASKING,
            vocabulary=vocabulary_from_tokenizer(tokenizer),
        )
    return examples, first_runs


def original_ids(examples, row):
    ids = examples.input_ids[row].copy()
    count = examples.num_predictions[row]
    ids[examples.positions[row, :count]] = examples.labels[row, :count]
    return ids[: examples.num_tokens[row]]


def segments_of(examples, sequences, row):
    """The segments in the order that the label says they have in the text."""
    ids = sequences[row]
    segment_ids = examples.segment_ids[row, : len(ids)]
    first_end = int(np.argmax(segment_ids)) or len(ids)
    segments = [ids[1 : first_end - 1], ids[first_end:-1]]
    if examples.sentence_order[row] == SWAPPED:
        segments.reverse()
    return segments


def find_places(documents, examples, sequences):
    """Where the segments of each example stand one behind the other in a document, or None."""
    texts = [ids.astype("<u2").tobytes() for ids, _ in documents]
    found = []
    for row in range(len(sequences)):
        segments = segments_of(examples, sequences, row)
        wanted = np.concatenate(segments).astype("<u2").tobytes()
        spots = ((number, _aligned(text, wanted)) for number, text in enumerate(texts))
        spot = next(((number, place) for number, place in spots if place >= 0), None)
        found.append(spot and (spot, [len(segment) for segment in segments]))
    return found


def _aligned(text, wanted):
    place = text.find(wanted)
    while place % 2 and place >= 0:
        place = text.find(wanted, place + 1)
    return place // 2 if place >= 0 else -1


def masked_units(made, row):
    """For each unit of an example: (positions in the sequence, those that are predicted)."""
    (number, place), lengths = made.places[row]
    units = made.documents[number][1][place : place + sum(lengths)]
    first, second = np.arange(lengths[0]), lengths[0] + np.arange(lengths[1])
    order = [second, first] if made.examples.sentence_order[row] == SWAPPED else [first, second]
    positions = np.empty(sum(lengths), np.int64)  # in the sequence, of each token in the order of the text
    positions[order[0]] = 1 + np.arange(len(order[0]))
    positions[order[1]] = 2 + len(order[0]) + np.arange(len(order[1]))
    predicted = set(made.examples.positions[row, : made.examples.num_predictions[row]].tolist())
    by_unit = {}
    for unit, position in zip(units.tolist(), positions.tolist()):
        by_unit.setdefault(unit, []).append(position)
    return [(unit, predicted.intersection(unit)) for unit in by_unit.values()]


def assert_share(count, total, share):
    """Whether this many of independent draws are a likely outcome."""
    assert abs(count - total * share) <= SIGMAS * np.sqrt(total * share * (1 - share)), (count, total, share)


def test_sentence_order_labels_are_true(made):
    assert len(made.sequences) > 300
    assert None not in made.places
    for (_, lengths), order in zip(made.places, made.examples.sentence_order.tolist()):
        assert (lengths[0] > 0 and lengths[1] > 0) == (order != NO_SENTENCE_ORDER)


def test_sentence_order_labels_are_half_and_half(made):
    counts = {order: int((made.examples.sentence_order == order).sum()) for order in (IN_ORDER, SWAPPED)}
    assert sum(counts.values()) > 0.85 * len(made.sequences)
    assert_share(counts[SWAPPED], sum(counts.values()), 0.5)


def test_special_tokens_stand_where_they_must(made):
    tokenizer = made.tokenizer
    for row, ids in enumerate(made.sequences):
        assert ids[0] == tokenizer.cls_id and ids[-1] == tokenizer.sep_id
        segment_ids = made.examples.segment_ids[row, : len(ids)].tolist()
        seps = np.flatnonzero(ids == tokenizer.sep_id).tolist()
        assert len(seps) == (1 if made.examples.sentence_order[row] == NO_SENTENCE_ORDER else 2)
        assert segment_ids == [0] * (seps[0] + 1) + [1] * (len(ids) - seps[0] - 1)


def test_masking_rate(made):
    lengths = np.array(list(map(len, made.sequences)))
    budgets = [min(20, max(1, round(length * 0.15))) for length in lengths.tolist()]
    assert (made.examples.num_predictions <= budgets).all()
    assert made.examples.num_predictions.sum() > 0.99 * sum(budgets)
    assert abs(made.examples.num_predictions.sum() / lengths.sum() - 0.15) < 0.005


def test_masked_words_are_whole(made):
    checked = 0
    for row in range(len(made.sequences)):
        for unit, predicted in masked_units(made, row):
            assert len(predicted) in (0, len(unit))
            checked += len(unit) > 1 and len(predicted) > 1
    assert checked > 1000


def test_masked_kept_and_replaced_units(made):
    kinds = np.zeros(3, np.int64)
    for row in range(len(made.sequences)):
        seen, ids = made.examples.input_ids[row], made.sequences[row]
        for unit, predicted in masked_units(made, row):
            if predicted:
                masked = [seen[position] == made.tokenizer.mask_id for position in unit]
                kept = [seen[position] == ids[position] for position in unit]
                assert all(masked) or not any(masked)
                kinds[0 if all(masked) else 1 if all(kept) else 2] += 1
    for count, share in zip(kinds.tolist(), (0.8, 0.1, 0.1)):
        assert_share(count, kinds.sum(), share)


def test_lengths_of_runs(made):
    # Only sequences with a budget so large that no run of three words exceeds it.
    runs = [run for run, ids in zip(made.first_runs, made.sequences) if len(ids) > 110]
    counts = np.bincount(runs, minlength=4)
    assert counts[0] == 0 and len(counts) == 4 and counts.sum() > 200
    for length in (1, 2, 3):
        assert_share(counts[length], counts.sum(), 6 / 11 / length)


def test_labels_and_replacements_can_occur_in_text(made):
    in_text = set()
    labels, replacements = set(), set()
    for ids, _ in made.documents:
        in_text.update(ids.tolist())
    for row, ids in enumerate(made.sequences):
        count = made.examples.num_predictions[row]
        positions = made.examples.positions[row, :count]
        seen = made.examples.input_ids[row, positions]
        labels.update(ids[positions].tolist())
        replacements.update(seen[(seen != made.tokenizer.mask_id) & (seen != ids[positions])].tolist())
    assert labels <= in_text - {made.tokenizer.unk_id}
    assert len(replacements) > 500
    for token in made.tokenizer.convert_ids_to_tokens(replacements | labels):
        if token.startswith("##") and len(token) > 2:
            assert not any(map(is_chinese_character, token))
            assert made.tokenizer.basic_tokenizer.tokenize("a" + token[2:]) == ["a" + token[2:]]
        else:
            assert made.tokenizer.tokenize(token) == [token]


def test_nearly_every_token_is_used(made):
    is_usable = made.examples.num_predictions > 0
    there = made.num_passes * sum(len(ids) for ids, _ in made.documents)
    num_special = np.where(made.examples.sentence_order == NO_SENTENCE_ORDER, 2, 3)
    in_chunks = made.examples.num_tokens - num_special
    assert in_chunks.sum() == there  # each token once in each pass
    assert in_chunks[is_usable].sum() > 0.98 * there


def test_other_masks_in_every_pass(made):
    by_text = {}
    for row in random.Random(0).sample(range(len(made.sequences)), 300):
        key = (str(made.places[row]), int(made.examples.sentence_order[row]))
        by_text.setdefault(key, set()).add(made.examples.positions[row].tobytes())
    assert len(set().union(*by_text.values())) > 290
