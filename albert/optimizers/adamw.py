"""AdamW optimizer, with and without bias correction, and the base of LAMB (docs/en/optimizers.md)."""

from __future__ import annotations

import re
from typing import List, Optional, Sequence, Tuple

import tensorflow.compat.v1 as tf

from albert.model.types import Tensor

NORMS_AND_BIASES = ("LayerNorm", "layer_norm", "bias")


class AdamWeightDecayOptimizer(tf.train.Optimizer):
    """AdamW: m = β1·m + (1-β1)·g;  v = β2·v + (1-β2)·g²;  w -= lr · (m / (√v + ε) + decay·w).

    Slots are <variable>/adam_m and <variable>/adam_v. Decoupled decay: arXiv 1711.05101.
    """

    def __init__(
        self,
        learning_rate: Tensor,
        weight_decay_rate: float = 0.01,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-6,
        exclude_from_weight_decay: Optional[Sequence[str]] = NORMS_AND_BIASES,
        bias_correction_step: Optional[Tensor] = None,
        is_applied: Optional[Tensor] = None,
        name: str = "AdamWeightDecayOptimizer",
    ) -> None:
        """Creates the optimizer.

        Args:
          learning_rate: a number or a scalar tensor.
          weight_decay_rate: share of a weight taken away per unit of learning rate.
          beta_1, beta_2: decay of the first and second moment.
          epsilon: added to the root of the second moment.
          exclude_from_weight_decay: patterns; variables whose name matches one are not decayed. None decays all.
          bias_correction_step: scalar tensor, the number of the update from 1, by which the moments' bias is corrected;
            None, as the published models were trained, corrects nothing.
          is_applied: boolean scalar tensor; False leaves weights and moments as they are. None always moves them.
          name: name of the optimizer's scope.
        """
        super().__init__(False, name)
        self._learning_rate = learning_rate
        self._weight_decay_rate = weight_decay_rate
        self._beta_1 = beta_1
        self._beta_2 = beta_2
        self._epsilon = epsilon
        self._exclude_from_weight_decay = exclude_from_weight_decay or ()
        self._bias_correction_step = bias_correction_step
        self._is_applied = is_applied

    def _create_slots(self, var_list: List[Tensor]) -> None:
        for variable in var_list:
            self._zeros_slot(variable, "m", "adam_m")
            self._zeros_slot(variable, "v", "adam_v")

    def _apply_dense(self, grad: Tensor, var: Tensor) -> Tensor:
        return self._move(grad, var)

    def _resource_apply_dense(self, grad: Tensor, handle: Tensor) -> Tensor:
        return self._move(grad, handle)

    def _move(self, grad: Tensor, var: Tensor) -> Tensor:
        # It waits for the gradient. Otherwise β·m and the like would be computed early and take memory all along.
        with tf.control_dependencies([grad]):
            return self._moved_by_kernel(grad, var) if self._has_kernel() else self._moved(grad, var)

    def _has_kernel(self) -> bool:
        """Whether a kernel of TensorFlow makes the same step: in three passes over memory instead of fifteen."""
        return self._is_applied is None

    def _moved_by_kernel(self, grad: Tensor, var: Tensor) -> Tensor:
        rate = tf.convert_to_tensor(self._learning_rate, tf.float32)
        decayed = []
        if not matches_any(var.op.name, self._exclude_from_weight_decay):
            decayed = [var.assign(var * (1.0 - rate * self._weight_decay_rate))]
        beta_1_power, beta_2_power = self._beta_powers()
        arguments = {
            "beta1_power": beta_1_power,
            "beta2_power": beta_2_power,
            "lr": rate,
            "beta1": self._beta_1,
            "beta2": self._beta_2,
            # The kernel adds it to the root of the moment before its correction.
            "epsilon": self._epsilon * tf.sqrt(1.0 - beta_2_power),
            "grad": grad,
        }
        slots = [var, self.get_slot(var, "m"), self.get_slot(var, "v")]
        with tf.control_dependencies(decayed):
            if all(hasattr(slot, "handle") for slot in slots):
                names = zip(("var", "m", "v"), (slot.handle for slot in slots))
                return tf.raw_ops.ResourceApplyAdam(**dict(names), **arguments)
            return tf.raw_ops.ApplyAdam(**dict(zip(("var", "m", "v"), slots)), **arguments)

    def _moved(self, grad: Tensor, var: Tensor) -> Tensor:
        m, v = self.get_slot(var, "m"), self.get_slot(var, "v")
        next_m = self._beta_1 * m + (1.0 - self._beta_1) * grad
        next_v = self._beta_2 * v + (1.0 - self._beta_2) * tf.square(grad)
        update = self._direction(next_m, next_v)
        if not matches_any(var.op.name, self._exclude_from_weight_decay):
            update += self._weight_decay_rate * var
        step = self._learning_rate * self._ratio(update, var) * update
        if self._is_applied is not None:
            # Chosen rather than multiplied: an update that is not applied may hold infinities.
            next_m, next_v = self._applied(next_m, m), self._applied(next_v, v)
            step = self._applied(step, tf.zeros_like(step))
        # Every new value is computed before the first is stored.
        with tf.control_dependencies([next_m, next_v, step]):
            return tf.group(m.assign(next_m), v.assign(next_v), var.assign_sub(step))

    def _applied(self, new: Tensor, old: Tensor) -> Tensor:
        return tf.where_v2(self._is_applied, new, old)

    def _direction(self, m: Tensor, v: Tensor) -> Tensor:
        beta_1_power, beta_2_power = self._beta_powers()
        m, v = m / (1.0 - beta_1_power), v / (1.0 - beta_2_power)
        return m / (tf.sqrt(v) + self._epsilon)

    def _beta_powers(self) -> Tuple[Tensor, Tensor]:
        """Powers of β, one less which the moments' sums of weights are; 0 corrects nothing."""
        if self._bias_correction_step is None:
            return tf.constant(0.0), tf.constant(0.0)
        step = tf.cast(self._bias_correction_step, tf.float32)
        return tf.pow(self._beta_1, step), tf.pow(self._beta_2, step)

    def _ratio(self, update: Tensor, var: Tensor) -> Tensor:
        """The factor of this variable's step; LAMB adapts it."""
        del update, var
        return 1.0


def matches_any(name: str, patterns: Sequence[str]) -> bool:
    """Returns whether one of the regular expressions occurs in the variable's name."""
    return any(re.search(pattern, name) for pattern in patterns)
