"""Layers that keep nothing but their input for the backward pass, which computes them again (arXiv 1604.06174).

TensorFlow has this as tf.recompute_grad, in some versions only and for resource variables only. Here the weights of a
layer are handed to its gradient as tensors, so that any variable will do, shared or not, in a loop or outside of one.
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Iterator, List, Sequence

import tensorflow.compat.v1 as tf

from albert.model import compute


class LayerStack:
    """Applies the layers of an encoder one after the other; to be made anew for each graph of a model."""

    def __init__(self) -> None:
        self._weights: Dict[str, Any] = {}  # by variable, as the latest layer passed them on

    def apply(self, layer: Callable[[Any], Any], x: Any) -> Any:
        """layer(x); where the scope of `compute` says so, with a gradient that computes it again.

        Args:
          layer: builds the layer's graph for an input; it draws its dropout by the scope's keys, and nothing that it
            uses beside its variables takes a gradient.
          x: a tensor.
        """
        held = compute.current()
        if not held.recompute:
            return layer(x)
        if held.dropout_keys is None:
            raise ValueError("recomputation needs dropout keys: other masks would be drawn the second time")
        keys, scope = held.dropout_keys.copy(), tf.get_variable_scope()
        variables: Dict[str, Any] = {}
        with _variables_from(scope, lambda name, get: variables.setdefault(name, get())):
            y = tf.stop_gradient(layer(x))  # the gradient below is the only way back

        def again(x: Any, weights: Sequence[Any]) -> Any:
            of_name = dict(zip(variables, weights))
            computes = held._replace(dropout_keys=keys.copy())
            with compute.scope(**computes._asdict()), _variables_from(scope, lambda name, _: of_name[name]):
                return layer(x)

        for name, variable in variables.items():
            self._weights.setdefault(name, tf.identity(variable))
        y, *passed_on = _with_gradient(again, y, x, [self._weights[name] for name in variables])
        self._weights.update(zip(variables, passed_on))
        return y


def _with_gradient(again: Callable[[Any, Sequence[Any]], Any], y: Any, x: Any, weights: Sequence[Any]) -> List[Any]:
    """[y, *weights], with the gradients of [again(x, weights), *weights].

    Each layer passes its weights on to the next, so that the gradients of shared ones are added up layer by layer on
    the way back: as a sum of all layers' gradients, TensorFlow would keep them all until the last one is there.
    """

    @tf.custom_gradient
    def identity(x: Any, *weights: Any) -> Any:
        def gradient(d_y: Any, *d_weights: Any) -> List[Any]:
            # Everything waits for the gradient that comes in. Otherwise it could run at once, and would be merged with
            # the first pass, whose results then had to be kept after all.
            with tf.control_dependencies([d_y]):
                inputs = [tf.stop_gradient(tensor) for tensor in (x, *weights)]
                d_x, *d_own = tf.gradients(again(inputs[0], inputs[1:]), inputs, grad_ys=d_y)
            sums = [later + own for later, own in zip(d_weights, d_own)]
            with tf.control_dependencies(sums):  # a layer is done before the one below it begins
                return [tf.identity(d_x), *sums]

        return [y, *weights], gradient

    return identity(x, *weights)


@contextlib.contextmanager
def _variables_from(scope: Any, get: Callable[[str, Callable[[], Any]], Any]) -> Iterator[None]:
    """Lets tf.get_variable return get(full name, the usual way to get it)."""

    def custom_getter(getter: Callable[..., Any], name: str, *args: Any, **kwargs: Any) -> Any:
        return get(name, lambda: getter(name, *args, **kwargs))

    with tf.variable_scope(scope, custom_getter=custom_getter, auxiliary_name_scope=False):
        yield
