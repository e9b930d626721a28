"""Masked language modelling: which tokens of a sequence are hidden, and what stands in their place.

Pure functions of token ids, the spans of the masking units (words or tokens) and a random generator. Only methods of
the generator that answer alike on every supported Python are used.
"""

from __future__ import annotations

import functools
from bisect import bisect_right
from itertools import accumulate
from typing import List, NamedTuple, Optional, Sequence, Tuple

from pretraining_vocabulary import PretrainingVocabulary

MASK_DRAWS = ("unit", "token")
_MASKED_SHARE = 0.8
_KEPT_SHARE = 0.1

Span = Tuple[int, int]  # positions [start, end) of a unit in the sequence
Run = Tuple[int, int]  # number of the first unit, number of units


class MaskingSettings(NamedTuple):
    """How sequences are masked.

    Attributes:
      max_predictions_per_seq: the most tokens that are predicted in a sequence.
      masked_lm_prob: the share of a sequence's tokens that is predicted.
      ngram: runs of up to this many neighbouring units are masked together.
      favor_shorter_ngram: P(n) of a run of n units is proportional to 1/n; if False the probabilities are reversed.
      mask_draw: "unit" draws once per unit whether it is masked, kept or replaced; "token" draws for each token.
    """

    max_predictions_per_seq: int = 20
    masked_lm_prob: float = 0.15
    ngram: int = 3
    favor_shorter_ngram: bool = True
    mask_draw: str = "unit"


class MaskedLm(NamedTuple):
    """A masked sequence.

    Attributes:
      input_ids: the ids that the model sees, as many as there were.
      positions: the positions to predict, ascending; empty where nothing can be masked.
      labels: the original ids at these positions.
    """

    input_ids: List[int]
    positions: List[int]
    labels: List[int]


def number_to_predict(num_tokens: int, settings: MaskingSettings) -> int:
    """The most tokens to predict in a sequence of `num_tokens`, special tokens included (spec: pretraining_data)."""
    return min(settings.max_predictions_per_seq, max(1, round(num_tokens * settings.masked_lm_prob)))


def mask_units(
    token_ids: Sequence[int],
    units: Sequence[Span],
    *,
    rng,
    settings: MaskingSettings,
    vocabulary: PretrainingVocabulary,
) -> MaskedLm:
    """Masks whole units of one sequence (paper arXiv 1909.11942, sections 3.1 and 4.1; spec: pretraining_data).

    Args:
      token_ids: the sequence with its special tokens, without padding.
      units: the spans of the units in ascending order; [CLS] and [SEP] belong to none. Units are neighbours where one
        ends at the position at which the next starts.
      rng: a `random.Random`.
      settings: how much is masked, and how.
      vocabulary: [MASK], what is never masked and what may replace a token.

    Returns:
      The masked sequence; without positions if no unit may be masked or none is short enough.
    """
    unmaskable_ids = vocabulary.unmaskable_ids
    maskable = [(start, end) for start, end in units if unmaskable_ids.isdisjoint(token_ids[start:end])]
    budget = number_to_predict(len(token_ids), settings)
    runs = choose_runs(
        maskable, budget, rng=rng, cumulative_weights=run_length_weights(settings.ngram, settings.favor_shorter_ngram)
    )
    chosen = sorted(maskable[unit] for first, length in runs for unit in range(first, first + length))
    input_ids = list(token_ids)
    positions: List[int] = []
    for start, end in chosen:
        positions.extend(range(start, end))
        _hide(input_ids, start, end, rng, settings.mask_draw, vocabulary)
    return MaskedLm(input_ids, positions, [token_ids[position] for position in positions])


@functools.lru_cache(maxsize=None)
def run_length_weights(ngram: int, favor_shorter: bool) -> Tuple[float, ...]:
    """Cumulative weights of run lengths 1..ngram: each weighs 1/n, or 1/(ngram + 1 - n) if not `favor_shorter`."""
    weights = [1.0 / length for length in range(1, ngram + 1)]
    return tuple(accumulate(weights if favor_shorter else reversed(weights)))


def choose_runs(units: Sequence[Span], budget: int, *, rng, cumulative_weights: Sequence[float]) -> List[Run]:
    """Draws runs of neighbouring units, none twice, of together at most `budget` tokens.

    The length of a run is drawn first and then a place where a run of that length fits, so that crowding does not
    change the distribution of the lengths; only where no place is left is the run shortened.
    """
    taken = [False] * len(units)
    candidates = list(range(len(units)))
    runs: List[Run] = []
    left = budget
    while left > 0 and candidates:
        length = 1 + bisect_right(cumulative_weights, rng.random() * cumulative_weights[-1])
        run = _place_run(length, units, taken, candidates, left, rng)
        if run is None:
            break
        runs.append(run)
        for unit in range(run[0], run[0] + run[1]):
            taken[unit] = True
            left -= units[unit][1] - units[unit][0]
    return runs


def _place_run(
    length: int, units: Sequence[Span], taken: List[bool], candidates: List[int], left: int, rng
) -> Optional[Run]:
    """A random place for a run of `length` units, or of fewer where there is none; drops taken units on its way."""
    while length:
        untried = len(candidates)
        while untried:
            drawn = int(rng.random() * untried)
            untried -= 1
            first = candidates[drawn]
            candidates[drawn], candidates[untried] = candidates[untried], first
            if taken[first]:
                candidates[untried] = candidates[-1]
                candidates.pop()
            elif _fits(first, length, units, taken, left):
                return first, length
        length -= 1
    return None


def _fits(first: int, length: int, units: Sequence[Span], taken: Sequence[bool], left: int) -> bool:
    last = first + length - 1
    if last >= len(units) or units[last][1] - units[first][0] > left:
        return False
    return not any(taken[unit + 1] or units[unit][1] != units[unit + 1][0] for unit in range(first, last))


def _hide(input_ids: List[int], start: int, end: int, rng, mask_draw: str, vocabulary: PretrainingVocabulary) -> None:
    """Puts [MASK] (80 %), the token itself (10 %) or a random token (10 %) in the place of each token of a unit."""
    draw = rng.random()
    for position in range(start, end):
        if mask_draw == "token" and position > start:
            draw = rng.random()
        if draw < _MASKED_SHARE:
            input_ids[position] = vocabulary.mask_id
        elif draw >= _MASKED_SHARE + _KEPT_SHARE:
            replacements = vocabulary.replacement_ids
            input_ids[position] = replacements[int(rng.random() * len(replacements))]
