import functools
import random
from collections import Counter

import numpy as np
import pytest

from albert.pretraining_data import masking
from albert.pretraining_data.masking import MaskingSettings, mask_batch, number_to_predict, run_length_weights
from tests.support.tiny_text import CLS, MASK, PAD, REPLACEMENTS, SEP, UNK, VOCABULARY


class ScriptedRandom:
    """Answers `random_sample` from lists, one for each call."""

    def __init__(self, *answers):
        self._answers = list(answers)

    def random_sample(self, size):
        answer = self._answers.pop(0)
        assert len(answer) == size
        return np.array(answer, np.float64)

    def is_used_up(self):
        return not self._answers


def batch(*rows):
    """Rows, lists of units, each a list of ids, as mask_batch takes them: [CLS] units [SEP] and padding."""
    flat = [[CLS] + [token for unit in row for token in unit] + [SEP] for row in rows]
    length = max(map(len, flat))
    starts_unit = np.ones((len(rows), length), dtype=bool)
    for row, starts in zip(rows, starts_unit):
        place = 1
        for unit in row:
            starts[place + 1 : place + len(unit)] = False
            place += len(unit)
    input_ids = np.array([ids + [PAD] * (length - len(ids)) for ids in flat], np.int32)
    return input_ids, starts_unit, np.array(list(map(len, flat)))


def row_of(*unit_lengths):
    """Units of distinct ids, each 100 plus its place in the sequence."""
    numbers = iter(range(101, 900))
    return [[next(numbers) for _ in range(length)] for length in unit_lengths]


def mask(rows, rng=0, **settings):
    generator = np.random.RandomState(rng) if isinstance(rng, int) else rng
    input_ids, starts_unit, num_tokens = batch(*rows)
    before = input_ids.copy()
    masked = mask_batch(
        input_ids, starts_unit, num_tokens, rng=generator, settings=MaskingSettings(**settings), vocabulary=VOCABULARY
    )
    assert (input_ids == before).all()
    return masked


def predicted(masked, row=0):
    """(positions, labels) without padding; what follows is zero."""
    count = masked.num_predictions[row]
    assert not masked.positions[row, count:].any() and not masked.labels[row, count:].any()
    return masked.positions[row, :count].tolist(), masked.labels[row, :count].tolist()


# --- how many ---


@pytest.mark.parametrize(
    "num_tokens, prob, cap, expected",
    [
        (128, 0.15, 20, 19),
        (512, 0.15, 20, 20),
        (512, 0.10, 51, 51),
        (3, 0.15, 20, 1),
        (10, 0.15, 20, 2),
        (5, 0.9, 1, 1),
        (5, 0.5, 9, 2),
        (7, 0.5, 9, 4),
    ],
)
def test_number_to_predict(num_tokens, prob, cap, expected):
    assert number_to_predict(num_tokens, MaskingSettings(cap, prob)) == expected
    assert expected == min(cap, max(1, round(num_tokens * prob)))


def test_number_to_predict_of_many():
    lengths = range(3, 600)
    for prob, cap in ((0.15, 20), (0.1, 51), (0.5, 600)):
        expected = [min(cap, max(1, round(length * prob))) for length in lengths]
        assert number_to_predict(np.array(lengths), MaskingSettings(cap, prob)).tolist() == expected


def test_run_lengths_weigh_one_over_n():
    assert run_length_weights(1, True) == run_length_weights(1, False) == (1.0,)
    assert run_length_weights(3, True) == pytest.approx((6 / 11, 3 / 11, 2 / 11))
    assert run_length_weights(3, False) == pytest.approx((2 / 11, 3 / 11, 6 / 11))
    assert sum(run_length_weights(5, True)) == pytest.approx(1.0)


# --- exact masks ---


def test_exact_masks_of_a_scripted_generator():
    # 6 tokens, 3 of them to predict. Runs of one unit: the second unit (two tokens), then the third, which is the
    # first draw again and so refused, then the third unit.
    draws = [[0.5], [0.4], [0.5], [0.4], [0.5], [0.7], [0.5]]
    rng = ScriptedRandom(*draws, [0.75, 0.95], [0.1, 0.2, 0.75])
    masked = mask([row_of(1, 2, 1)], rng, masked_lm_prob=0.5, ngram=1)
    assert masked.input_ids.tolist() == [[CLS, 101, MASK, MASK, REPLACEMENTS[3], SEP]]
    assert predicted(masked) == ([2, 3, 4], [102, 103, 104])
    assert rng.is_used_up()


def test_one_draw_for_each_token():
    rng = ScriptedRandom([0.5], [0.0], [0.5], [0.1, 0.85, 0.9], [0.5, 0.5, 0.25])
    masked = mask([row_of(3)], rng, masked_lm_prob=0.6, ngram=1, mask_draw="token")
    assert masked.input_ids.tolist() == [[CLS, MASK, 102, REPLACEMENTS[1], SEP]]
    assert predicted(masked) == ([1, 2, 3], [101, 102, 103])
    assert rng.is_used_up()


def test_the_bounds_of_a_draw():
    for draw, expected in ((0.0, MASK), (0.799, MASK), (0.8, 101), (0.899, 101), (0.9, REPLACEMENTS[0])):
        rng = ScriptedRandom([0.0], [0.0], [0.0], [draw], [0.0])
        assert mask([row_of(1)], rng).input_ids.tolist() == [[CLS, expected, SEP]]


def test_the_first_and_last_replacements_can_be_drawn():
    for last_draw, expected in ((0.0, REPLACEMENTS[0]), (0.999999, REPLACEMENTS[-1])):
        rng = ScriptedRandom([0.0], [0.0], [0.0], [0.9], [last_draw])
        assert mask([row_of(1)], rng).input_ids.tolist() == [[CLS, expected, SEP]]


def test_a_run_of_several_units():
    # A run of two at the last unit leaves the row; at the unit before it fits.
    rng = ScriptedRandom([0.6], [0.99], [0.1], [0.5], [0.1], [0.0, 0.0], [0.0, 0.0])
    masked = mask([row_of(1, 1, 1, 1)], rng, masked_lm_prob=0.34, ngram=2)
    assert predicted(masked) == ([3, 4], [103, 104])
    assert rng.is_used_up()


# --- what is never masked ---


def test_nothing_to_mask():
    rows = ([], [[UNK], [UNK]], row_of(2), [[UNK, 500], [500, UNK]])  # row_of(2): one token to predict, two in the unit
    for chosen in ([row] for row in rows):
        masked = mask(chosen)
        assert masked.num_predictions.tolist() == [0]
        assert masked.input_ids.tolist() == batch(*chosen)[0].tolist()
        assert masked.positions.shape == (1, 20) and predicted(masked) == ([], [])
    assert mask(rows + (row_of(1),)).num_predictions.tolist() == [0, 0, 0, 0, 1]


def test_no_row_at_all():
    empty = np.zeros((0, 7), np.int32)
    masked = mask_batch(
        empty,
        empty.astype(bool),
        np.zeros(0, np.int64),
        rng=np.random.RandomState(0),
        settings=MaskingSettings(),
        vocabulary=VOCABULARY,
    )
    assert [column.shape for column in masked] == [(0, 7), (0, 20), (0, 20), (0,)]


def test_the_smallest_sequences():
    for seed in range(20):
        masked = mask([[[101], [102]], [[103]]], seed, max_predictions_per_seq=1, ngram=5)
        assert masked.positions.shape == (2, 1)
        assert masked.num_predictions.tolist() == [1, 1]
        assert masked.labels[1, 0] == 103 and masked.labels[0, 0] == 100 + masked.positions[0, 0]


def test_a_unit_with_an_unknown_token_is_never_masked_and_parts_runs():
    row = [[101], [102, UNK], [104]]
    for seed in range(15):
        for ngram in (1, 2, 3):
            masked = mask([row], seed, masked_lm_prob=0.99, ngram=ngram, favor_shorter_ngram=False)
            assert predicted(masked) == ([1, 4], [101, 104])
    assert drawn_runs([row], 5, (0.0, 1.0)) == {(0, 1), (1, 1)}


def test_runs_never_cross_a_separator_or_a_row():
    rows = [[[101], [102], [SEP], [104], [105]], [[101], [102]]]
    assert drawn_runs(rows, 2, (0.0, 1.0)) == {(0, 2), (2, 2), (4, 2)}


def drawn_runs(rows, budget, weights, seeds=100):
    """All runs (first unit, units) that are ever drawn."""
    input_ids, starts_unit, _ = batch(*rows)
    units = masking._find_units(input_ids, starts_unit, VOCABULARY.is_maskable)
    with RunSpy() as spy:
        for seed in range(seeds):
            masking.choose_units(units, np.full(len(rows), budget), rng=np.random.RandomState(seed), weights=weights)
    return set(spy.runs)


class RunSpy:
    """Notes the runs that are taken, as (first unit, number of units)."""

    def __enter__(self):
        self.runs = []
        self._take = masking._take
        masking._take = self._note
        return self

    def __exit__(self, *_):
        masking._take = self._take

    def _note(self, taken, firsts, lengths):
        self.runs.extend(zip(firsts.tolist(), lengths.tolist()))
        self._take(taken, firsts, lengths)


def test_a_run_is_shortened_to_what_fits():
    for seed in range(50):
        masked = mask([row_of(1, 3, 1, 3)], seed, masked_lm_prob=0.2, ngram=4, favor_shorter_ngram=False)
        assert predicted(masked)[0] == [1, 5]  # two to predict: no run of two units has two tokens


# --- any sequence ---


@pytest.mark.parametrize("mask_draw", masking.MASK_DRAWS)
@pytest.mark.parametrize("favor_shorter_ngram", [True, False])
def test_any_sequence_keeps_the_rules(mask_draw, favor_shorter_ngram):
    rng = random.Random(7)
    for seed in range(60):
        rows = [
            [
                [rng.choice((UNK, 500, 501, 502, 503, 504, 505)) for _ in range(rng.randint(1, 4))]
                for _ in range(rng.randrange(1, 40))
            ]
            for _ in range(rng.randint(1, 7))
        ]
        settings = MaskingSettings(
            max_predictions_per_seq=rng.randrange(1, 30),
            masked_lm_prob=rng.choice((0.15, 0.4)),
            ngram=rng.choice((1, 3, 5)),
            favor_shorter_ngram=favor_shorter_ngram,
            mask_draw=mask_draw,
        )
        masked = mask(rows, seed, **settings._asdict())
        for number, row in enumerate(rows):
            assert_keeps_the_rules(row, number, masked, settings)


def assert_keeps_the_rules(row, number, masked, settings):
    ids = [CLS] + [token for unit in row for token in unit] + [SEP]
    positions, labels = predicted(masked, number)
    seen = masked.input_ids[number].tolist()
    assert positions == sorted(set(positions))
    assert labels == [ids[position] for position in positions]
    hidden = set(positions)
    assert all(seen[i] == ids[i] for i in range(len(ids)) if i not in hidden)
    assert not any(seen[len(ids) :])
    assert all(seen[i] in (MASK, ids[i]) + REPLACEMENTS for i in hidden)
    budget = min(settings.max_predictions_per_seq, max(1, round(settings.masked_lm_prob * len(ids))))
    assert len(hidden) <= budget
    place = 1
    left_out = []
    for unit in row:
        whole = set(range(place, place + len(unit)))
        assert hidden.issuperset(whole) or hidden.isdisjoint(whole)
        assert not whole & hidden or UNK not in unit
        if not whole & hidden and UNK not in unit:
            left_out.append(len(unit))
        place += len(unit)
    # Nothing more fits, as far as places are found by chance.
    assert not left_out or min(left_out) > budget - len(hidden) or len(row) > 4


@pytest.mark.parametrize("ngram", [1, 3, 5, 10])
def test_single_tokens_use_the_whole_budget(ngram):
    assert mask([row_of(*[1] * 126)] * 20, ngram=ngram).num_predictions.tolist() == [19] * 20


def test_the_seed_decides():
    first, again, other = (mask([row_of(*[2] * 60)] * 3, seed) for seed in (3, 3, 4))
    assert all((a == b).all() for a, b in zip(first, again))
    assert (first.positions != other.positions).any()


# --- distributions ---


def exact_outcomes(row, budget, weights):
    """The probability of every set of units, by the rules: a length is drawn, then a place where it fits."""
    runs_together = [UNK not in unit for unit in row]

    @functools.lru_cache(maxsize=None)
    def outcomes(taken, left, length):
        if length == 0:
            return {taken: 1.0}
        fitting = []
        for first in range(len(row) - length + 1):
            run = range(first, first + length)
            size = sum(len(row[unit]) for unit in run)
            if size <= left and not taken.intersection(run) and all(runs_together[unit] for unit in run):
                fitting.append((taken.union(run), left - size))
        if not fitting:
            return outcomes(taken, left, length - 1)
        total = Counter()
        for after, still_left in fitting:
            for drawn, weight in enumerate(weights, start=1):
                for outcome, probability in outcomes(after, still_left, min(drawn, still_left)).items():
                    total[outcome] += probability * weight / len(fitting)
        return total

    total = Counter()
    for drawn, weight in enumerate(weights, start=1):
        for outcome, probability in outcomes(frozenset(), budget, min(drawn, budget)).items():
            total[outcome] += probability * weight
    return total


@pytest.mark.parametrize(
    "row, ngram, favor_shorter, prob",
    [
        (row_of(1, 2, 1, 3, 1), 3, True, 0.4),
        (row_of(1, 2, 1, 3, 1), 3, False, 0.4),
        (row_of(2, 1, 1, 1, 2, 1), 5, True, 0.5),
        (row_of(1, 1, 1, 1, 1, 1), 1, True, 0.3),
        ([[101], [102], [UNK], [104], [105, 106], [107]], 3, True, 0.5),
        (row_of(3, 3), 2, False, 0.4),
    ],
)
def test_every_choice_of_units_is_as_likely_as_it_should_be(row, ngram, favor_shorter, prob):
    count = 20000
    masked = mask([row] * count, 5, masked_lm_prob=prob, ngram=ngram, favor_shorter_ngram=favor_shorter)
    place_of = {1 + sum(map(len, row[:number])): number for number in range(len(row))}
    chosen = np.zeros(masked.input_ids.shape, dtype=bool)
    for column in range(masked.positions.shape[1]):
        rows = np.flatnonzero(masked.num_predictions > column)
        chosen[rows, masked.positions[rows, column]] = True
    seen = Counter(map(tuple, chosen[:, sorted(place_of)].tolist()))
    budget = max(1, round(masked.input_ids.shape[1] * prob))
    expected = exact_outcomes(row, budget, run_length_weights(ngram, favor_shorter))
    assert sum(expected.values()) == pytest.approx(1.0)
    assert len(expected) > 1
    for outcome, probability in expected.items():
        times = seen.pop(tuple(number in outcome for number in range(len(row))), 0)
        # A place that is hard to find is missed once in thousands of rows.
        assert abs(times - count * probability) <= 5 * np.sqrt(count * probability * (1 - probability)) + 0.003 * count
    assert sum(seen.values()) < 0.003 * count


@pytest.mark.parametrize(
    "ngram, favor_shorter, expected", [(1, True, [1]), (2, True, [2, 1]), (3, True, [6, 3, 2]), (3, False, [2, 3, 6])]
)
def test_share_of_run_lengths(ngram, favor_shorter, expected):
    rows = [row_of(*[1] * 200)] * 600
    with RunSpy() as spy:
        mask(rows, 2, masked_lm_prob=0.3, max_predictions_per_seq=60, ngram=ngram, favor_shorter_ngram=favor_shorter)
    first_runs = [length for _, length in spy.runs[: 10 * len(rows)]]  # long before a budget ends
    counts = np.bincount(first_runs, minlength=ngram + 1)[1:]
    total = counts.sum()
    shares = np.array(expected) / sum(expected)
    assert total == 6000 and len(counts) == ngram
    assert (abs(counts - total * shares) <= 5 * np.sqrt(total * shares * (1 - shares))).all()


@pytest.mark.parametrize("mask_draw", masking.MASK_DRAWS)
def test_share_of_masks(mask_draw):
    row = row_of(*[2] * 60)
    masked = mask([row] * 600, 1, ngram=1, mask_draw=mask_draw)
    ids = np.array([CLS] + [token for unit in row for token in unit] + [SEP])
    assert (masked.num_predictions == 18).all()
    seen = np.take_along_axis(masked.input_ids, masked.positions[:, :18].astype(np.int64), axis=1)
    labels = masked.labels[:, :18]
    assert (labels == ids[masked.positions[:, :18]]).all()
    kinds = np.where(seen == MASK, 0, np.where(seen == labels, 1, 2))
    draws = kinds[:, ::2] if mask_draw == "unit" else kinds
    for kind, share in enumerate((0.8, 0.1, 0.1)):
        assert abs((draws == kind).sum() - draws.size * share) < 5 * np.sqrt(draws.size * share * (1 - share))
    same = (kinds[:, ::2] == kinds[:, 1::2]).mean()
    # Two independent draws agree in 0.64 + 0.01 + 0.01 of the units.
    assert same == 1.0 if mask_draw == "unit" else abs(same - 0.66) < 0.03
    replacements = np.bincount(seen[kinds == 2], minlength=REPLACEMENTS[-1] + 1)
    assert np.flatnonzero(replacements).tolist() == list(REPLACEMENTS)
    mean = replacements.sum() / len(REPLACEMENTS)
    assert abs(replacements[list(REPLACEMENTS)] - mean).max() < 5 * np.sqrt(mean)


def test_every_unit_is_chosen_equally_often():
    masked = mask([row_of(*[1] * 20)] * 4000, ngram=1)
    counts = np.bincount(masked.positions[:, :3].ravel(), minlength=22)
    assert counts[[0, 21]].tolist() == [0, 0]
    assert counts.sum() == 12000
    assert abs(counts[1:21] - 600).max() < 5 * np.sqrt(600)
