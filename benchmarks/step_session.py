"""A training step of a model_fn in a session of its own, fed with NumPy batches: no Estimator, no pipeline."""

from __future__ import annotations

import collections
import re
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

import numpy as np
import tensorflow.compat.v1 as tf

Batch = Dict[str, np.ndarray]


class OpKind(NamedTuple):
    """What all ops of a kind took in a step."""

    kind: str
    milliseconds: float
    calls: float


class StepSession:
    """The step that a model_fn builds."""

    def __init__(self, model_fn: Callable[..., Any], batches: Sequence[Batch], seed: int = 1) -> None:
        """Builds the step and fills the weights.

        Args:
          model_fn: as TPUEstimator takes it.
          batches: what the step is to be fed with. A dimension in which they differ is left open in the graph.
          seed: of the initial weights.
        """
        graph = tf.Graph()
        with graph.as_default():
            tf.set_random_seed(seed)
            self._inputs = {name: _placeholder(name, [batch[name] for batch in batches]) for name in batches[0]}
            tf.train.get_or_create_global_step()
            spec = model_fn(self._inputs, None, tf.estimator.ModeKeys.TRAIN, {"batch_size": _rows(batches[0])})
            self._fetches = [spec.loss, spec.train_op]
            initializer = tf.global_variables_initializer()
        self._session = tf.Session(graph=graph)
        self._session.run(initializer)

    def step(self, batch: Batch, **options: Any) -> float:
        """Makes an update; returns the loss."""
        feed = {self._inputs[name]: value for name, value in batch.items()}
        return float(self._session.run(self._fetches, feed, **options)[0])

    def profile(self, batch: Batch, steps: int) -> List[OpKind]:
        """The kinds of ops by what they take in a step, the costliest first; ops that run side by side both count."""
        totals: Dict[str, List[float]] = collections.defaultdict(lambda: [0.0, 0.0])
        for _ in range(steps):
            metadata = tf.RunMetadata()
            options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
            self.step(batch, options=options, run_metadata=metadata)
            for device in metadata.step_stats.dev_stats:
                for node in device.node_stats:
                    total = totals[_kind_of(node)]
                    total[0] += (node.op_end_rel_micros - node.op_start_rel_micros) / 1e3 / steps
                    total[1] += 1.0 / steps
        kinds = [OpKind(kind, *total) for kind, total in totals.items()]
        return sorted(kinds, key=lambda kind: -kind.milliseconds)


def _rows(batch: Batch) -> int:
    return len(next(iter(batch.values())))


def _placeholder(name: str, values: Sequence[np.ndarray]) -> Any:
    shapes = {value.shape for value in values}
    shape = [sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*shapes)]
    return tf.placeholder(values[0].dtype, shape, name)


def _kind_of(node: Any) -> str:
    """The type of an op, off a label such as "name = MatMul(a, b)"; without one, its name."""
    match = re.search(r"= (\w+)\(", node.timeline_label)
    return match.group(1) if match else node.node_name
