"""Counts of masked tokens, and the masked-LM accuracy of always answering the commonest."""

from __future__ import annotations

from typing import Any, Callable, Optional

import numpy as np
import tensorflow.compat.v1 as tf

from albert.monitor.goal import Baseline

_BATCH_SIZE = 256


def commonest_token_baseline(input_fn: Callable[..., Any], num_records: int) -> Optional[Baseline]:
    """Share of the commonest token among the masked ones of the first records; None where nothing is masked.

    Args:
      input_fn: gives each record once, in order.
      num_records: how many are counted.
    """
    counts = masked_token_counts(input_fn, num_records)
    return Baseline("the commonest token", float(counts.max() / counts.sum())) if counts.sum() else None


def masked_token_counts(input_fn: Callable[..., Any], num_records: int) -> np.ndarray:
    """Counts the masked tokens of the first records by their id; the array ends with the greatest id.

    Args:
      input_fn: gives records.
      num_records: how many are counted, or as many as there are.
    """
    with tf.Graph().as_default(), tf.Session() as session:
        iterator = tf.data.make_initializable_iterator(input_fn({"batch_size": _BATCH_SIZE}))
        features = iterator.get_next()
        session.run(iterator.initializer)
        wanted = {name: features[name] for name in ("masked_lm_ids", "masked_lm_weights")}
        counts = np.zeros([1], np.float64)
        left = num_records
        while left > 0:
            try:
                batch = session.run(wanted)
            except tf.errors.OutOfRangeError:
                break
            counts = _added(counts, batch["masked_lm_ids"][:left], batch["masked_lm_weights"][:left])
            left -= len(batch["masked_lm_ids"])
    return counts


def _added(counts: np.ndarray, ids: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Counts by token id, with those of more masked tokens."""
    more = np.bincount(ids.ravel(), weights=weights.ravel(), minlength=len(counts))
    more[: len(counts)] += counts
    return more
