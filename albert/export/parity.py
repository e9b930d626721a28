"""Parity of an export and its source: both get the same inputs, and their outputs are compared.

Probabilities are compared by their logarithms, which differ as logits do: over a whole vocabulary the probabilities
themselves are too small to differ visibly. Outputs for each token are compared at tokens only: nobody reads those at
padding, which differ most in a few bits. So are scores that choose among the tokens of a row: those of padding would
make their spread large, and with it the difference that is allowed.
"""

from __future__ import annotations

from typing import Callable, List, NamedTuple, Optional, Union

import numpy as np

from albert.base.errors import UserError
from albert.model.outputs import Arrays

FIXED_ROWS, RANDOM_ROWS = 3, 8
_LONGEST_FREE_LENGTH = 24  # of the inputs, where the export takes any length
_LEAST_SPREAD = 1e-3  # the least spread that a difference is divided by
_LEAST_PROBABILITY = 1e-7  # a float32 softmax is not exact below
_LOGARITHMS = "log-probabilities"
# What is compared of outputs that choose a label or a token, by the end of their names.
_UNITS = {"probabilities": _LOGARITHMS, "logits": "logits"}


class Tolerance(NamedTuple):
    """Distance that is allowed, as shares of an output's spread.

    Attributes:
      largest: of the largest difference.
      rms: of the root of the mean square of all differences; None for any.
    """

    largest: float
    rms: Optional[float] = None


class Parity(NamedTuple):
    """Distance of an export from its source.

    Attributes:
      difference: the largest difference of all numbers of all outputs.
      share: the largest difference of an output as a share of its spread (standard deviation) in the source.
      rms: the root of the mean square of the differences of an output, as a share of its spread; of the worst output.
      agreeing, labels: how many of the labels (most probable classes, tokens, tags or ends of a span) agree; 0 of 0 for
        an encoder.
      unit: "log-probabilities" or "logits", of which the differences are; empty where the outputs choose nothing.
    """

    difference: float
    share: float
    rms: float
    agreeing: int
    labels: int
    unit: str = ""

    def __str__(self) -> str:
        text = (
            "largest difference {:.1e}{}, {:.1e} of the outputs' spread (rms {:.1e}), on {} fixed and {} random inputs"
        )
        unit = " of " + self.unit if self.unit else ""
        text = text.format(self.difference, unit, self.share, self.rms, FIXED_ROWS, RANDOM_ROWS)
        return text + "; {} of {} labels agree".format(self.agreeing, self.labels) if self.labels else text


def probe_inputs(vocab_size: int, seq_length: int) -> Arrays:
    """Makes fixed and random rows of ids, full and padded, of one segment and of two: int32 [11, S] by input name."""
    random = np.random.RandomState(12345)
    count = FIXED_ROWS + RANDOM_ROWS
    ids = np.concatenate(
        [
            np.arange(FIXED_ROWS * seq_length).reshape(FIXED_ROWS, seq_length) * 7919 % vocab_size,
            random.randint(0, vocab_size, [RANDOM_ROWS, seq_length]),
        ]
    )
    lengths = np.concatenate(
        [np.linspace(seq_length, 1, FIXED_ROWS).astype(int), random.randint(1, seq_length + 1, RANDOM_ROWS)]
    )
    places = np.arange(seq_length)
    mask = places < lengths[:, None]  # [11, S]
    seconds = places >= lengths[:, None] // 2
    seconds[::2] = False  # every other row is a single text
    return {
        "input_ids": (ids * mask).astype(np.int32),
        "input_mask": mask.astype(np.int32),
        "segment_ids": (seconds & mask).astype(np.int32).reshape(count, seq_length),
    }


def probe_length(max_positions: int) -> int:
    """Returns the length of inputs for an export that takes any length."""
    return min(_LONGEST_FREE_LENGTH, max_positions)


def by_row(answer: Callable[[Arrays], Arrays]) -> Callable[[Arrays], Arrays]:
    """Turns a function that answers one row at a time into one that answers a batch."""

    def answer_all(inputs: Arrays) -> Arrays:
        rows: List[Arrays] = []
        for index in range(len(inputs["input_ids"])):
            rows.append(answer({name: values[index : index + 1] for name, values in inputs.items()}))
        return {name: np.concatenate([row[name] for row in rows]) for name in rows[0]}

    return answer_all


def compare_outputs(
    source: Arrays, export: Arrays, mask: Optional[np.ndarray] = None, *, is_multilabel: bool = False
) -> Parity:
    """Compares outputs by name.

    Args:
      source, export: the outputs.
      mask: [B, S], of the inputs: 1 for the tokens at which outputs for each token are compared; None for all.
      is_multilabel: whether the outputs are probabilities of labels that do not exclude each other.

    Raises:
      UserError: the export lacks an output, or one has another shape or is not finite.
    """
    for name, expected in source.items():
        _check_kind(name, expected, export.get(name))
    if is_multilabel:
        source, export = _log_odds(source), _log_odds(export)
    parts = [_compare(name, expected, export[name], mask) for name, expected in source.items()]
    return Parity(
        difference=max(part.difference for part in parts),
        share=max(part.share for part in parts),
        rms=max(part.rms for part in parts),
        agreeing=sum(part.agreeing for part in parts),
        labels=sum(part.labels for part in parts),
        unit=parts[0].unit,
    )


def _check_kind(name: str, expected: np.ndarray, got: Optional[np.ndarray]) -> None:
    if got is None or got.shape != expected.shape or not np.isfinite(got).all():
        raise UserError(
            "the export is wrong: its {} is {}, that of the source is of shape {}".format(
                name, "missing" if got is None else "of shape {}".format(got.shape), expected.shape
            )
        )


def _log_odds(outputs: Arrays) -> Arrays:
    """Turns probabilities [B, labels] into the logits of yes and no of each label, [B, labels, 2], as "logits"."""
    clipped = {name: np.clip(values, _LEAST_PROBABILITY, 1 - _LEAST_PROBABILITY) for name, values in outputs.items()}
    odds = {name: np.log(values) - np.log1p(-values) for name, values in clipped.items()}
    return {name + "/logits": np.stack([values, -values], axis=-1) for name, values in odds.items()}


def _compare(name: str, expected: np.ndarray, got: np.ndarray, mask: Optional[np.ndarray]) -> Parity:
    """Compares one output."""
    if mask is not None and expected.ndim == 3 and expected.shape[:2] == mask.shape:  # [B, S, n]
        expected, got = expected[mask > 0], got[mask > 0]
    unit = next((unit for suffix, unit in _UNITS.items() if name.endswith(suffix)), "")
    same = expected.argmax(axis=-1) == got.argmax(axis=-1) if unit else np.zeros(0, bool)
    if unit == _LOGARITHMS:
        expected, got = (np.log(np.maximum(values, _LEAST_PROBABILITY)) for values in (expected, got))
    if mask is not None and expected.ndim == 3 and expected.shape[::2] == mask.shape:  # [B, n, S]
        expected, got = (np.moveaxis(values, 2, 1)[mask > 0] for values in (expected, got))
    difference, spread = float(np.abs(expected - got).max()), max(float(expected.std()), _LEAST_SPREAD)
    rms = float(np.sqrt(np.square(expected - got).mean()))
    return Parity(difference, difference / spread, rms / spread, int(same.sum()), same.size, unit)


def check_parity(parity: Parity, tolerance: Union[float, Tolerance]) -> None:
    """Raises `UserError` where the difference is over a share of the outputs' spread."""
    allowed = tolerance if isinstance(tolerance, Tolerance) else Tolerance(tolerance)
    if parity.share <= allowed.largest and (allowed.rms is None or parity.rms <= allowed.rms):
        return
    raise UserError(
        "the export does not answer as its source: {}; allowed is {:.0e} of the spread{}; nothing was written".format(
            parity, allowed.largest, "" if allowed.rms is None else ", and rms {:.0e}".format(allowed.rms)
        )
    )
