"""Losses of classification: softmax or sigmoid cross entropy, label smoothing, weights of labels and of windows.

With ε the label smoothing, K labels, z the logits and w the weights of labels:

- one label y a row: w[y] · (-(1 - ε) · log p[y] - ε / K · Σ log p[k]), p the softmax of z. A batch's loss is the sum
  over its rows divided by the sum of their w[y];
- several labels a row: the mean over labels of -w[k] · t[k] · log σ(z[k]) - (1 - t[k]) · log(1 - σ(z[k])), where t[k]
  is 1 - ε / 2 for the row's labels and ε / 2 for the others. A batch's loss is the mean over its rows.

Where a long row is read in several windows, each counts 1 / windows in both sums.
"""

from __future__ import annotations

from typing import NamedTuple, Optional, Sequence, Tuple

import numpy as np
import tensorflow.compat.v1 as tf

from albert.finetuning.model_fn import flat
from albert.model import heads
from albert.model.types import Tensor
from albert.training.step import Features

NUM_WINDOWS = "num_windows"  # of a batch: int [B, 1], the windows of each record's row


class LabelLoss(NamedTuple):
    """Loss of labels; see the module.

    Attributes:
      is_multilabel: whether a row has any number of labels.
      smoothing: 0 to 1.
      weights: of the labels by their ids; None where all are 1.
      has_windows: whether records are windows of rows and name their number.
    """

    is_multilabel: bool = False
    smoothing: float = 0.0
    weights: Optional[Tuple[float, ...]] = None
    has_windows: bool = False

    @property
    def has_row_weights(self) -> bool:
        """Whether rows or windows count differently."""
        return self.has_windows or (self.weights is not None and not self.is_multilabel)

    def of_rows(self, logits: Tensor, features: Features) -> Tensor:
        """Builds the loss of each record of a batch, without its row's weight: [B, labels] -> [B]."""
        if self.is_multilabel:
            return sigmoid_loss(logits, features["label_ids"], self.smoothing, self.weights)
        return softmax_loss(logits, flat(features["label_ids"]), self.smoothing)

    def row_weights(self, features: Features) -> Tensor:
        """Builds the weight of each record of a batch: [B]; see `has_row_weights`."""
        weights = tf.ones([tf.shape(features["label_ids"])[0]], tf.float32)
        if self.weights is not None and not self.is_multilabel:
            weights = tf.gather(tf.constant(self.weights, tf.float32), flat(features["label_ids"]))
        if self.has_windows:
            weights /= tf.cast(flat(features[NUM_WINDOWS]), tf.float32)
        return weights


def softmax_loss(logits: Tensor, label_ids: Tensor, smoothing: float = 0.0) -> Tensor:
    """Builds the cross entropy of labels that exclude each other: [B, labels] and int [B] -> [B]."""
    of_labels = heads.cross_entropy(logits, label_ids)
    if not smoothing:
        return of_labels
    of_all = -tf.reduce_mean(tf.nn.log_softmax(logits), axis=-1)
    return (1.0 - smoothing) * of_labels + smoothing * of_all


def sigmoid_loss(
    logits: Tensor, labels: Tensor, smoothing: float = 0.0, weights: Optional[Sequence[float]] = None
) -> Tensor:
    """Builds the mean cross entropy of labels that do not exclude each other.

    Args:
      logits: [B, labels].
      labels: [B, labels], 1 for the labels of a row and 0 for the others.
      smoothing: see the module.
      weights: of the part of each label's loss that says that a row has it; None where all are 1.

    Returns:
      [B].
    """
    targets = tf.cast(labels, tf.float32) * (1.0 - smoothing) + smoothing / 2
    if weights is None:
        losses = tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits)
    else:
        weight = tf.constant([list(weights)], tf.float32)
        losses = tf.nn.weighted_cross_entropy_with_logits(labels=targets, logits=logits, pos_weight=weight)
    return tf.reduce_mean(losses, axis=-1)


def guessing_softmax_loss(counts: np.ndarray, loss: LabelLoss) -> float:
    """Finds the least mean loss of a model that gives all rows the same logits.

    Args:
      counts: rows of each label, at least one row.
      loss: of labels that exclude each other.
    """
    weights = np.ones(len(counts)) if loss.weights is None else np.asarray(loss.weights)
    shares = weights * counts / (weights * counts).sum()
    targets = (1.0 - loss.smoothing) * shares + loss.smoothing / len(counts)
    return float(-_times_log(targets, targets).sum())


def guessing_sigmoid_loss(shares: np.ndarray, loss: LabelLoss) -> float:
    """Finds what `guessing_softmax_loss` finds for labels that do not exclude each other.

    Args:
      shares: of the rows that have each label, 0 to 1.
      loss: of such labels.
    """
    weights = np.ones(len(shares)) if loss.weights is None else np.asarray(loss.weights)
    targets = (1.0 - loss.smoothing) * shares + loss.smoothing / 2
    positive, negative = weights * targets, 1.0 - targets
    best = positive / (positive + negative)
    return float(-(_times_log(positive, best) + _times_log(negative, 1.0 - best)).mean())


def _times_log(factors: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Factors times logarithms; 0 where the factor is 0."""
    result: np.ndarray = factors * np.log(np.where(factors > 0, values, 1.0))
    return result
