"""Masking for masked language modelling: which tokens of a sequence are hidden, and what replaces them.

Pure functions of arrays and a random generator, for a whole batch of sequences at once: each step draws one run of
units for every sequence that still needs one.

E examples, S sequence length, P predictions per sequence, U units of all examples.
"""

from __future__ import annotations

import functools
from typing import NamedTuple, Tuple

import numpy as np

from albert.pretraining_data.vocabulary import PretrainingVocabulary
from albert.text.arrays import ranges

MASK_DRAWS = ("unit", "token")
_MASKED_SHARE = 0.8
_KEPT_SHARE = 0.1
# After this many random places in a row where a run does not fit, a run of one unit less is tried. In running text it
# fits at more than half of the places, so crowding changes the length of less than one run in a million.
_TRIES = 24


class MaskingSettings(NamedTuple):
    """Settings of masking.

    Attributes:
      max_predictions_per_seq: the most tokens that are predicted in a sequence (P).
      masked_lm_prob: the share of a sequence's tokens that is predicted.
      ngram: runs of up to this many neighbouring units are masked together.
      favor_shorter_ngram: P(n) of a run of n units is proportional to 1/n; if False the probabilities are reversed.
      mask_draw: "unit" draws once per unit whether it is masked, kept or replaced; "token" draws for each token.
    """

    max_predictions_per_seq: int = 20
    masked_lm_prob: float = 0.15
    ngram: int = 1
    favor_shorter_ngram: bool = True
    mask_draw: str = "unit"


class MaskedBatch(NamedTuple):
    """Batch of masked sequences.

    Attributes:
      input_ids: int32 [E, S], what the model sees.
      positions: int32 [E, P], the positions to predict, ascending, zero-padded.
      labels: int32 [E, P], the original ids at these positions, zero-padded.
      num_predictions: int [E]; 0 where nothing can be masked.
    """

    input_ids: np.ndarray
    positions: np.ndarray
    labels: np.ndarray
    num_predictions: np.ndarray


class _Units(NamedTuple):
    """Units of a batch that may be masked, in order.

    Attributes:
      starts: [U], the place in the flattened [E * S] batch.
      lengths: [U], in tokens.
      tokens_before: [U + 1], tokens of all units before.
      gaps_before: [U], how many units up to this one do not directly follow another; equal within a stretch.
      row_bounds: [E + 1], the units of row e are [row_bounds[e], row_bounds[e + 1]).
    """

    starts: np.ndarray
    lengths: np.ndarray
    tokens_before: np.ndarray
    gaps_before: np.ndarray
    row_bounds: np.ndarray


def number_to_predict(num_tokens: np.ndarray, settings: MaskingSettings) -> np.ndarray:
    """Returns the most tokens to predict in sequences of [E] tokens, special tokens included (docs/en/records.md)."""
    wanted = np.maximum(1, np.rint(np.asarray(num_tokens) * settings.masked_lm_prob))
    return np.minimum(settings.max_predictions_per_seq, wanted).astype(np.int64)


def mask_batch(
    input_ids: np.ndarray,
    starts_unit: np.ndarray,
    num_tokens: np.ndarray,
    *,
    rng: np.random.RandomState,
    settings: MaskingSettings,
    vocabulary: PretrainingVocabulary,
) -> MaskedBatch:
    """Masks whole units of sequences (arXiv 1909.11942, sections 3.1 and 4.1; docs/en/records.md, "Masking").

    Args:
      input_ids: int32 [E, S], with special tokens, padded.
      starts_unit: bool [E, S], whether a unit starts here; True in the first column. Special tokens and padding are
        units of their own. A unit with a token that may not be masked is never masked.
      num_tokens: int [E], without padding.
      rng: draws units and replacements.
      settings: how much is masked, and how.
      vocabulary: [MASK], what may be masked and what may replace a token.
    """
    units = _find_units(input_ids, starts_unit, vocabulary.is_maskable)
    weights = run_length_weights(settings.ngram, settings.favor_shorter_ngram)
    chosen = np.flatnonzero(choose_units(units, number_to_predict(num_tokens, settings), rng=rng, weights=weights))
    lengths = units.lengths[chosen]
    places = ranges(units.starts[chosen], lengths)
    masked = input_ids.copy()
    masked.ravel()[places] = _replacements(input_ids.ravel()[places], lengths, rng, settings.mask_draw, vocabulary)
    return _gather(masked, input_ids, places, settings.max_predictions_per_seq)


def _find_units(input_ids: np.ndarray, starts_unit: np.ndarray, is_maskable: np.ndarray) -> _Units:
    num_rows, seq_length = input_ids.shape
    starts = np.flatnonzero(starts_unit)
    may_mask = np.logical_and.reduceat(is_maskable[input_ids].ravel(), starts)
    lengths = np.diff(np.append(starts, input_ids.size))[may_mask]
    starts = starts[may_mask]
    follows = np.zeros(len(starts), dtype=bool)
    follows[1:] = starts[1:] == starts[:-1] + lengths[:-1]
    return _Units(
        starts,
        lengths,
        np.concatenate([[0], np.cumsum(lengths)]),
        np.cumsum(~follows),
        np.searchsorted(starts, np.arange(num_rows + 1) * seq_length),
    )


@functools.lru_cache(maxsize=None)
def run_length_weights(ngram: int, favor_shorter: bool) -> Tuple[float, ...]:
    """Returns the probabilities of run lengths 1..ngram: like 1/n, or 1/(ngram + 1 - n) if not `favor_shorter`."""
    weights = [1.0 / length for length in range(1, ngram + 1)]
    return tuple(weight / sum(weights) for weight in (weights if favor_shorter else reversed(weights)))


def choose_units(
    units: _Units, budgets: np.ndarray, *, rng: np.random.RandomState, weights: Tuple[float, ...]
) -> np.ndarray:
    """Draws runs of neighbouring units until each row has its budget of tokens, or nothing more fits.

    The length of a run is drawn first and its place second, so crowding does not change the distribution of the
    lengths; only a run that finds no place is shortened.

    Args:
      units: the `_Units`.
      budgets: int [E], the most tokens per row.
      rng: draws lengths and places.
      weights: the probabilities of the lengths 1, 2, ….

    Returns:
      bool [U], which units were drawn.
    """
    taken = np.zeros(len(units.starts), dtype=bool)
    bounds = np.cumsum(weights)[:-1]  # a draw above the last one gives the longest run
    rows = np.flatnonzero(np.diff(units.row_bounds))
    left = budgets[rows]
    lengths = np.minimum(_draw_lengths(rng, len(rows), bounds), left)
    tries = np.zeros(len(rows), dtype=np.int64)
    while len(rows):
        first = units.row_bounds[rows]
        firsts = first + (rng.random_sample(len(rows)) * (units.row_bounds[rows + 1] - first)).astype(np.int64)
        sizes = _sizes_where_free(units, taken, firsts, lengths, units.row_bounds[rows + 1])
        fits = (sizes > 0) & (sizes <= left)
        _take(taken, firsts[fits], lengths[fits])
        left = left - np.where(fits, sizes, 0)
        tries = np.where(fits, 0, tries + 1)
        # No unit is shorter than a token, so a run of more units than tokens are left cannot fit.
        lengths = np.where(fits, np.minimum(_draw_lengths(rng, len(rows), bounds), left), lengths)
        lengths = lengths - (tries == _TRIES)
        tries = np.where(tries == _TRIES, 0, tries)
        goes_on = lengths > 0
        rows, left, lengths, tries = rows[goes_on], left[goes_on], lengths[goes_on], tries[goes_on]
    return taken


def _draw_lengths(rng: np.random.RandomState, count: int, bounds: np.ndarray) -> np.ndarray:
    return 1 + np.searchsorted(bounds, rng.random_sample(count), side="right")


def _sizes_where_free(
    units: _Units, taken: np.ndarray, firsts: np.ndarray, lengths: np.ndarray, row_ends: np.ndarray
) -> np.ndarray:
    """Returns the tokens of runs of units; 0 where a run leaves its row, has a gap, or touches a taken unit."""
    lasts = np.minimum(firsts + lengths, row_ends) - 1
    is_free = (firsts + lengths <= row_ends) & (units.gaps_before[firsts] == units.gaps_before[lasts])
    for step in range(lengths.max()):
        is_free &= ~taken[np.minimum(firsts + step, lasts)]
    return np.where(is_free, units.tokens_before[lasts + 1] - units.tokens_before[firsts], 0)


def _take(taken: np.ndarray, firsts: np.ndarray, lengths: np.ndarray) -> None:
    taken[ranges(firsts, lengths)] = True


def _replacements(
    labels: np.ndarray,
    unit_lengths: np.ndarray,
    rng: np.random.RandomState,
    mask_draw: str,
    vocabulary: PretrainingVocabulary,
) -> np.ndarray:
    """Draws [MASK] (80 %), the token itself (10 %) or a random token (10 %) for each token of the chosen units."""
    if mask_draw == "unit":
        draws = np.repeat(rng.random_sample(len(unit_lengths)), unit_lengths)
    else:
        draws = rng.random_sample(len(labels))
    choices = vocabulary.replacement_ids
    random_ids = choices[(rng.random_sample(len(labels)) * len(choices)).astype(np.int64)]
    kept_or_random = np.where(draws < _MASKED_SHARE + _KEPT_SHARE, labels, random_ids)
    return np.where(draws < _MASKED_SHARE, vocabulary.mask_id, kept_or_random)


def _gather(masked: np.ndarray, input_ids: np.ndarray, places: np.ndarray, max_predictions: int) -> MaskedBatch:
    num_rows, seq_length = input_ids.shape
    rows = places // seq_length
    num_predictions = np.bincount(rows, minlength=num_rows)
    columns = np.arange(len(places)) - (np.cumsum(num_predictions) - num_predictions)[rows]
    positions = np.zeros((num_rows, max_predictions), np.int32)
    labels = np.zeros((num_rows, max_predictions), np.int32)
    positions[rows, columns] = places % seq_length
    labels[rows, columns] = input_ids.ravel()[places]
    return MaskedBatch(masked, positions, labels, num_predictions)
