import random
from collections import Counter

import pytest

from masking import (
    MaskedLm,
    MaskingSettings,
    choose_runs,
    mask_units,
    number_to_predict,
    run_length_weights,
)
from pretraining_vocabulary import PretrainingVocabulary

UNK, CLS, SEP, MASK = 1, 2, 3, 4
VOCABULARY = PretrainingVocabulary(
    cls_id=CLS,
    sep_id=SEP,
    mask_id=MASK,
    unmaskable_ids=frozenset((UNK, CLS, SEP, MASK)),
    clause_end_ids=frozenset(),
    replacement_ids=(900, 901, 902, 903),
)


class ScriptedRandom:
    """Answers `random()` from a list."""

    def __init__(self, *numbers):
        self._numbers = list(numbers)

    def random(self):
        return self._numbers.pop(0)

    def is_used_up(self):
        return not self._numbers


def sequence(*unit_lengths):
    """[CLS] units [SEP] with distinct ids, and the spans of the units."""
    ids, units = [CLS], []
    for length in unit_lengths:
        units.append((len(ids), len(ids) + length))
        ids.extend(range(100 + len(ids), 100 + len(ids) + length))
    return ids + [SEP], units


def mask(ids, units, seed=0, **settings):
    return mask_units(ids, units, rng=random.Random(seed), settings=MaskingSettings(**settings), vocabulary=VOCABULARY)


@pytest.mark.parametrize(
    "num_tokens, prob, cap, expected",
    [
        (128, 0.15, 20, 19),
        (512, 0.15, 20, 20),
        (512, 0.10, 51, 51),
        (3, 0.15, 20, 1),
        (10, 0.15, 20, 2),
        (5, 0.9, 1, 1),
    ],
)
def test_number_to_predict(num_tokens, prob, cap, expected):
    assert number_to_predict(num_tokens, MaskingSettings(cap, prob)) == expected


def test_run_lengths_weigh_one_over_n():
    assert run_length_weights(1, True) == (1.0,)
    assert run_length_weights(3, True) == pytest.approx((1.0, 1.5, 11 / 6))
    assert run_length_weights(3, False) == pytest.approx((1 / 3, 5 / 6, 11 / 6))


def test_exact_masks_of_a_scripted_generator():
    ids, units = sequence(1, 2, 1)  # 6 tokens, 3 of them to predict
    # Run of 1, candidate 1 (the two-token unit); run of 1, candidate 0 of the two left; then the draws by position.
    rng = ScriptedRandom(0.5, 0.4, 0.5, 0.0, 0.95, 0.75, 0.79)
    masked = mask_units(ids, units, rng=rng, settings=MaskingSettings(20, 0.5, ngram=1), vocabulary=VOCABULARY)
    assert masked == MaskedLm([CLS, 903, MASK, MASK, ids[4], SEP], [1, 2, 3], [101, 102, 103])
    assert rng.is_used_up()


def test_one_draw_for_each_token():
    ids, units = sequence(3)
    rng = ScriptedRandom(0.5, 0.0, 0.1, 0.85, 0.9, 0.25)
    settings = MaskingSettings(20, 0.6, ngram=1, mask_draw="token")
    masked = mask_units(ids, units, rng=rng, settings=settings, vocabulary=VOCABULARY)
    assert masked == MaskedLm([CLS, MASK, 102, 901, SEP], [1, 2, 3], [101, 102, 103])
    assert rng.is_used_up()


def test_the_first_and_last_replacements_can_be_drawn():
    ids, units = sequence(1)
    for last_draw, expected in ((0.0, 900), (0.999999, 903)):
        rng = ScriptedRandom(0.0, 0.0, 0.9, last_draw)
        masked = mask_units(ids, units, rng=rng, settings=MaskingSettings(), vocabulary=VOCABULARY)
        assert masked.input_ids == [CLS, expected, SEP]


def test_nothing_to_mask():
    assert mask([CLS, SEP], []) == MaskedLm([CLS, SEP], [], [])
    unknown = [CLS, UNK, UNK, SEP]
    assert mask(unknown, [(1, 2), (2, 3)]) == MaskedLm(unknown, [], [])
    ids, units = sequence(2)  # one token to predict, the unit has two
    assert mask(ids, units) == MaskedLm(ids, [], [])


def test_a_unit_with_an_unknown_token_is_never_masked_and_parts_runs():
    ids = [CLS, 101, 102, UNK, 104, SEP]
    units = [(1, 2), (2, 4), (4, 5)]
    for seed in range(50):
        assert set(mask(ids, units, seed, masked_lm_prob=0.99).positions) == {1, 4}
    runs = choose_runs([(1, 2), (4, 5)], 2, rng=random.Random(0), cumulative_weights=(0.0, 1.0))
    assert sorted(runs) == [(0, 1), (1, 1)]


def test_runs_never_cross_a_separator():
    units = [(1, 2), (2, 3), (4, 5), (5, 6)]  # [SEP] at 3
    for seed in range(100):
        for first, length in choose_runs(units, 2, rng=random.Random(seed), cumulative_weights=(0.0, 1.0)):
            assert (first, length) in ((0, 2), (2, 2))


def test_a_run_is_shortened_to_what_fits():
    ids, units = sequence(1, 3, 1, 3)
    for seed in range(50):
        masked = mask(ids, units, seed, masked_lm_prob=0.2, ngram=4, favor_shorter_ngram=False)
        assert sorted(masked.positions) == [1, 5]  # two to predict: no run of two units has two tokens


def test_any_sequence_keeps_the_rules():
    rng = random.Random(7)
    for seed in range(300):
        lengths = [rng.randrange(1, 5) for _ in range(rng.randrange(1, 40))]
        ids, units = sequence(*lengths)
        masked = mask(ids, units, seed, max_predictions_per_seq=rng.randrange(1, 30), ngram=rng.randrange(1, 5))
        assert masked.positions == sorted(set(masked.positions))
        assert masked.labels == [ids[position] for position in masked.positions]
        hidden = set(masked.positions)
        assert all(masked.input_ids[i] == ids[i] for i in range(len(ids)) if i not in hidden)
        assert all(hidden.issuperset(range(*unit)) or hidden.isdisjoint(range(*unit)) for unit in units)
        assert len(hidden) <= max(1, round(0.15 * len(ids)))


def test_single_tokens_use_the_whole_budget():
    ids, units = sequence(*[1] * 126)
    for ngram in (1, 3, 10):
        assert len(mask(ids, units, ngram=ngram).positions) == 19


@pytest.mark.parametrize("favor_shorter, expected", [(True, (6, 3, 2)), (False, (2, 3, 6))])
def test_share_of_run_lengths(favor_shorter, expected):
    units = [(i, i + 1) for i in range(500)]
    counts = Counter()
    for seed in range(300):
        runs = choose_runs(units, 100, rng=random.Random(seed), cumulative_weights=run_length_weights(3, favor_shorter))
        counts.update(length for _, length in runs[:-1])  # the last may be shortened
    total = sum(counts.values())
    for length, share in zip((1, 2, 3), expected):
        assert counts[length] / total == pytest.approx(share / 11, abs=0.01)


@pytest.mark.parametrize("mask_draw", ["unit", "token"])
def test_share_of_masks(mask_draw):
    ids, units = sequence(*[2] * 60)
    counts = Counter()
    same = 0
    for seed in range(600):
        masked = mask(ids, units, seed, ngram=1, mask_draw=mask_draw)
        kinds = [
            "masked" if masked.input_ids[i] == MASK else "kept" if masked.input_ids[i] == ids[i] else "replaced"
            for i in masked.positions
        ]
        counts.update(kinds)
        same += sum(first == second for first, second in zip(kinds[::2], kinds[1::2]))
    total = sum(counts.values())
    assert counts["masked"] / total == pytest.approx(0.8, abs=0.02)
    assert counts["kept"] / total == pytest.approx(0.1, abs=0.02)
    assert counts["replaced"] / total == pytest.approx(0.1, abs=0.02)
    # Two independent draws agree in 0.64 + 0.01 + 0.01 of the units.
    assert same / (total / 2) == pytest.approx(1.0 if mask_draw == "unit" else 0.66, abs=0.03)


def test_every_unit_is_chosen_equally_often():
    ids, units = sequence(*[1] * 20)
    counts = Counter()
    for seed in range(4000):
        counts.update(mask(ids, units, seed, ngram=1).positions)
    assert set(counts) == set(range(1, 21))
    assert max(counts.values()) / min(counts.values()) < 1.25
