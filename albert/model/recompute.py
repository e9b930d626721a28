"""Recomputation: layers keep only their input, and the backward pass computes them again (arXiv 1604.06174).

TensorFlow's tf.recompute_grad exists in some versions only and works with resource variables only. Here the gradient of
a layer takes its weights as tensors, so any variable will do, shared or not, inside a loop or outside.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Iterator, List, Sequence

import tensorflow.compat.v1 as tf

from albert.model import compute
from albert.model.types import Tensor


class LayerStack:
    """Applies the layers of an encoder one after the other; each graph of a model needs its own."""

    def __init__(self) -> None:
        self._weights: Dict[str, Tensor] = {}  # by variable name, as the latest layer passed them on

    def apply(self, layer: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        """Returns layer(x); with `recompute` in the scope of `compute`, its gradient computes it again.

        Args:
          layer: builds the layer's graph for an input. It draws its dropout by the scope's keys, and beside its
            variables it uses nothing that takes a gradient.
          x: a tensor.
        """
        held = compute.current()
        if not held.recompute:
            return layer(x)
        if held.dropout_keys is None:
            raise ValueError("recomputation needs dropout keys: otherwise the second pass would draw other masks")
        keys, scope = held.dropout_keys.copy(), tf.get_variable_scope()
        variables: Dict[str, Tensor] = {}
        with _variables_from(scope, lambda name, get: variables.setdefault(name, get())):
            y = tf.stop_gradient(layer(x))  # the gradient below is the only way back

        def again(x: Tensor, weights: Sequence[Tensor]) -> Tensor:
            of_name = dict(zip(variables, weights))
            computes = held._replace(dropout_keys=keys.copy())
            with compute.scope(**computes._asdict()), _variables_from(scope, lambda name, _: of_name[name]):
                return layer(x)

        for name, variable in variables.items():
            self._weights.setdefault(name, tf.identity(variable))
        y, *passed_on = _with_gradient(again, y, x, [self._weights[name] for name in variables])
        self._weights.update(zip(variables, passed_on))
        return y


def _with_gradient(
    again: Callable[[Tensor, Sequence[Tensor]], Tensor], y: Tensor, x: Tensor, weights: Sequence[Tensor]
) -> List[Tensor]:
    """Returns [y, *weights] with the gradients of [again(x, weights), *weights].

    Each layer passes its weights on to the next, so that the gradients of shared weights are added up layer by layer on
    the way back. As one sum over all layers, TensorFlow would keep every layer's gradient until the last one exists.
    """

    @tf.custom_gradient
    def identity(x: Tensor, *weights: Tensor) -> Tensor:
        def gradient(d_y: Tensor, *d_weights: Tensor) -> List[Tensor]:
            # Everything waits for the incoming gradient. Otherwise it could run at once, and TensorFlow would merge it
            # with the first pass and keep that pass's results after all.
            with tf.control_dependencies([d_y]):
                inputs = [tf.stop_gradient(tensor) for tensor in (x, *weights)]
                d_x, *d_own = tf.gradients(again(inputs[0], inputs[1:]), inputs, grad_ys=d_y)
            sums = [later + own for later, own in zip(d_weights, d_own)]
            with tf.control_dependencies(sums):  # a layer ends before the one below it begins
                return [tf.identity(d_x), *sums]

        return [y, *weights], gradient

    return identity(x, *weights)


@contextlib.contextmanager
def _variables_from(scope: Any, get: Callable[[str, Callable[[], Tensor]], Tensor]) -> Iterator[None]:
    """Lets tf.get_variable return get(full name, the usual way to get it)."""

    def custom_getter(getter: Callable[..., Any], name: str, *args: Any, **kwargs: Any) -> Any:
        return get(name, lambda: getter(name, *args, **kwargs))

    with tf.variable_scope(scope, custom_getter=custom_getter, auxiliary_name_scope=False):
        yield
