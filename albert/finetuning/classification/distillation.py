"""Distillation of a classifier: a loss of a teacher's softened probabilities beside the labels (arXiv 1503.02531)."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import tensorflow.compat.v1 as tf

from albert.model.types import Tensor

TEACHER_PROBABILITIES = "teacher_probabilities"  # of a batch: float32 [B, labels], softened


class Distillation(NamedTuple):
    """Distillation settings.

    Attributes:
      weight: of the teacher's part of the loss, 0 to 1; the labels' part has the rest.
      temperature: divides the logits of teacher and student before their softmax.
    """

    weight: float
    temperature: float

    @property
    def divergence_weight(self) -> float:
        """Weight of the divergence: w·T², as its gradients shrink with 1/T²."""
        return self.weight * self.temperature**2


def distilled_loss(label_loss: Tensor, logits: Tensor, softened: Tensor, distillation: Distillation) -> Tensor:
    """Computes (1 - w) · cross-entropy + w · T² · KL(teacher ‖ student) of each row, [B].

    Args:
      label_loss: the cross-entropy with the label, [B].
      logits: of the student, [B, labels].
      softened: the teacher's probabilities at the temperature, [B, labels].
      distillation: see `Distillation`.
    """
    log_student = tf.nn.log_softmax(logits / distillation.temperature)
    divergence = tf.reduce_sum(tf.math.xlogy(softened, softened) - softened * log_student, axis=-1)
    return (1.0 - distillation.weight) * label_loss + distillation.divergence_weight * divergence


def guessing_loss(label_entropy: float, softened: np.ndarray, distillation: Distillation) -> float:
    """The least mean loss of a student that gives all rows the same logits, as the labels' and the teacher's means.

    Args:
      label_entropy: of the rows' labels, in nats.
      softened: the teacher's probabilities at the temperature, [rows, labels].
      distillation: see `Distillation`.
    """
    mean_entropy = float(_entropies(softened).mean(dtype=np.float64))
    entropy_of_mean = float(_entropies(softened.mean(axis=0, dtype=np.float64)))
    divergence = entropy_of_mean - mean_entropy
    return (1.0 - distillation.weight) * label_entropy + distillation.divergence_weight * divergence


def _entropies(probabilities: np.ndarray) -> np.ndarray:
    logs = np.log(np.where(probabilities > 0, probabilities, 1.0))
    entropies: np.ndarray = -(probabilities * logs).sum(axis=-1)
    return entropies
