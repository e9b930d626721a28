"""Layers that keep nothing but their input for the backward pass, which computes them again (arXiv 1604.06174).

TensorFlow has this as tf.recompute_grad, in some versions only and for resource variables only. Here the weights of a
layer are handed to its gradient as tensors, so that any variable will do, shared or not, in a loop or outside of one.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List

import tensorflow.compat.v1 as tf

import compute


def apply_layer(layer: Callable[[Any], Any], x: Any) -> Any:
    """layer(x); where the scope of `compute` says so, with a gradient that computes it again.

    Args:
      layer: builds the layer's graph for an input; it draws its dropout by the scope's keys, and nothing that it uses
        beside its variables takes a gradient.
      x: a tensor.
    """
    held = compute.current()
    if not held.recompute:
        return layer(x)
    if held.dropout_keys is None:
        raise ValueError("recomputation needs dropout keys: other masks would be drawn the second time")
    keys = held.dropout_keys.copy()
    scope = tf.get_variable_scope()
    variables: Dict[str, Any] = {}

    def record(getter: Callable[..., Any], name: str, *args: Any, **kwargs: Any) -> Any:
        variables[name] = getter(name, *args, **kwargs)
        return variables[name]

    with tf.variable_scope(scope, custom_getter=record, auxiliary_name_scope=False):
        y = tf.stop_gradient(layer(x))  # the gradient below is the only way back

    def again(x: Any, weights: List[Any]) -> Any:
        of_name = dict(zip(variables, weights))

        def given(getter: Callable[..., Any], name: str, *args: Any, **kwargs: Any) -> Any:
            del getter, args, kwargs
            return of_name[name]

        with compute.scope(**held._replace(dropout_keys=keys.copy())._asdict()), tf.variable_scope(
            scope, custom_getter=given, auxiliary_name_scope=False
        ):
            return layer(x)

    @tf.custom_gradient
    def with_gradient(x: Any, *weights: Any) -> Any:
        def gradient(d_y: Any) -> List[Any]:
            # Everything waits for the gradient that comes in. Otherwise it could run at once, and would be merged with
            # the first pass, whose results then had to be kept after all.
            with tf.control_dependencies([d_y]):
                inputs = [tf.stop_gradient(tensor) for tensor in (x, *weights)]
                return tf.gradients(again(inputs[0], inputs[1:]), inputs, grad_ys=d_y)

        return y, gradient

    return with_gradient(x, *(tf.convert_to_tensor(variable) for variable in variables.values()))
