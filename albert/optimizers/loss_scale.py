"""Dynamic loss scaling: raises gradients that are too small for float16 (arXiv 1710.03740, section 3.2)."""

from __future__ import annotations

from typing import NamedTuple

import tensorflow.compat.v1 as tf

from albert.model.types import Tensor

FIRST_SCALE = 2.0**15
GROWTH_STEPS = 2000  # updates without overflow after which the scale is doubled


class LossScale(NamedTuple):
    """Variables of the loss scale, which checkpoints of a training hold."""

    scale: Tensor  # float scalar
    good_steps: Tensor  # int scalar: updates since the last change

    def after_update(self, is_finite: Tensor) -> Tensor:
        """Builds the op that halves the scale after an overflow, and doubles it after `GROWTH_STEPS` good updates."""
        good_steps = self.good_steps + 1
        grows = good_steps >= GROWTH_STEPS
        grown = tf.where(grows, self.scale * 2.0, self.scale * 1.0)
        scale = tf.where(is_finite, grown, tf.maximum(self.scale / 2.0, 1.0))
        good_steps = tf.where(tf.logical_or(grows, tf.logical_not(is_finite)), 0, good_steps)
        with tf.control_dependencies([scale, good_steps]):
            return tf.group(self.scale.assign(scale), self.good_steps.assign(good_steps))


def create_loss_scale() -> LossScale:
    """Creates the variables."""
    # Every replica computes the same values.
    once = {"trainable": False, "aggregation": tf.VariableAggregation.ONLY_FIRST_REPLICA}
    with tf.variable_scope("loss_scale"):
        return LossScale(
            tf.get_variable("scale", [], initializer=tf.constant_initializer(FIRST_SCALE), **once),
            tf.get_variable("good_steps", [], tf.int32, initializer=tf.zeros_initializer(), **once),
        )
