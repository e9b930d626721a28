"""Training step of a model_fn in a session, fed with NumPy batches: no Estimator, no input pipeline."""

from __future__ import annotations

import collections
import re
from typing import Any, Callable, Dict, List, NamedTuple, Sequence

import numpy as np
import tensorflow.compat.v1 as tf

from benchmarks.batch_files import Batch

ModelFn = Callable[..., Any]  # in the form that TPUEstimator takes


class OpKind(NamedTuple):
    """Time and calls of all ops of a kind in a step."""

    kind: str
    milliseconds: float
    calls: float


class StepSession:
    """Training step that a model_fn builds, in a session."""

    def __init__(self, model_fn: ModelFn, batches: Sequence[Batch], seed: int = 1) -> None:
        """Builds the step and initializes the weights.

        Args:
          model_fn: a model_fn of TPUEstimator.
          batches: the batches that the step will be fed with. Dimensions in which they differ are None in the graph.
          seed: seed of the initial weights.
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
        """Runs one update; returns the loss."""
        feed = {self._inputs[name]: value for name, value in batch.items()}
        return float(self._session.run(self._fetches, feed, **options)[0])

    def profile(self, batch: Batch, steps: int) -> List[OpKind]:
        """Measures the time of each kind of op per step, the costliest first; ops that run in parallel all count."""
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


def _placeholder(name: str, values: Sequence[np.ndarray]) -> tf.Tensor:
    shapes = {value.shape for value in values}
    shape = [sizes[0] if len(set(sizes)) == 1 else None for sizes in zip(*shapes)]
    return tf.placeholder(values[0].dtype, shape, name)


def _kind_of(node: Any) -> str:
    """Type of an op, from a label such as "name = MatMul(a, b)"; without such a label, its name."""
    match = re.search(r"= (\w+)\(", node.timeline_label)
    return match.group(1) if match else node.node_name
