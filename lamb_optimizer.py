"""LAMB optimizer: AdamW with a step in proportion to each variable's norm, for large batches (arXiv 1904.00962)."""

from __future__ import annotations

from typing import Any, Optional, Sequence

import tensorflow.compat.v1 as tf

from albert.model.types import Tensor
from albert.optimizers.adamw import AdamWeightDecayOptimizer, matches_any


class LAMBOptimizer(AdamWeightDecayOptimizer):
    """LAMB: w -= lr · r · u with r = ‖w‖ / ‖u‖ if both are positive, else 1; u is the update of AdamW."""

    def __init__(
        self,
        *args: Any,
        exclude_from_layer_adaptation: Optional[Sequence[str]] = None,
        name: str = "LAMBOptimizer",
        **kwargs: Any,
    ) -> None:
        """See `AdamWeightDecayOptimizer`.

        Args:
          exclude_from_layer_adaptation: patterns; variables whose name matches one keep r = 1. None takes those that
            are not decayed. Empty, as the published zh models were trained, it adapts all, which freezes
            zero-initialised biases early.
          name: name of the optimizer's scope.
        """
        super().__init__(*args, **dict(kwargs, name=name))
        if exclude_from_layer_adaptation is None:
            exclude_from_layer_adaptation = self._exclude_from_weight_decay
        self._exclude_from_layer_adaptation = exclude_from_layer_adaptation

    def _has_kernel(self) -> bool:
        return False

    def _ratio(self, update: Tensor, var: Tensor) -> Tensor:
        if matches_any(var.op.name, self._exclude_from_layer_adaptation):
            return 1.0
        weight_norm, update_norm = tf.norm(var), tf.norm(update)
        both_positive = tf.logical_and(weight_norm > 0.0, update_norm > 0.0)
        # Without the inner guard, 0/0 would reach the result through the branch that is not taken.
        safe_norm = tf.where(update_norm > 0.0, update_norm, tf.ones_like(update_norm))
        return tf.where(both_positive, weight_norm / safe_norm, tf.ones_like(weight_norm))
