"""Memory of a training step as a function of the batch, from the buffers that TensorFlow allocated in two steps.

One step cannot show what a larger batch needs: its peak may come when gradients of weights pile up, while that of a
larger batch comes when activations do. So each buffer of a step is known with its time and its law `constant +
per example · batch`, and the step is replayed for any batch.
"""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Dict, List, NamedTuple, Sequence, Tuple, Union

if TYPE_CHECKING:
    import tensorflow.compat.v1 as tf
    from tensorflow.core.framework.step_stats_pb2 import AllocationRecord

Key = Tuple[Union[str, int], ...]

_FOREVER = float("inf")


class Allocation(NamedTuple):
    """Buffer of a step.

    Attributes:
      key: identifies the buffer in every step of the same graph: op, allocator, number.
      start, end: the time while it was allocated, in microseconds.
      num_bytes: its size.
    """

    key: Key
    start: int
    end: float
    num_bytes: int


def allocations(run_metadata: tf.RunMetadata) -> List[Allocation]:
    """Reads the buffers of a step that ran with FULL_TRACE: those of the GPU if there is one, else of the host."""
    by_allocator: Dict[bool, List[Allocation]] = {True: [], False: []}
    for device in run_metadata.step_stats.dev_stats:
        for node in device.node_stats:
            for number, memory in enumerate(node.memory):
                is_gpu = memory.allocator_name.startswith("GPU_")
                by_allocator[is_gpu] += _of_records((node.node_name, number), memory.allocation_records)
    return by_allocator[True] or by_allocator[False]


def _of_records(key: Key, records: Sequence[AllocationRecord]) -> List[Allocation]:
    """Pairs each allocation with its release: the records are +bytes and -bytes."""
    freed: Dict[int, List[int]] = collections.defaultdict(list)
    for record in sorted(records, key=lambda record: -record.alloc_micros):
        if record.alloc_bytes < 0:
            freed[-record.alloc_bytes].append(record.alloc_micros)
    found: List[Allocation] = []
    for record in records:
        if record.alloc_bytes > 0:
            ends = freed[record.alloc_bytes]
            end = ends.pop() if ends else _FOREVER  # the new value of a variable outlives the step
            found.append(Allocation((*key, len(found)), record.alloc_micros, end, record.alloc_bytes))
    return found


class _Law(NamedTuple):
    """Bytes as a function of the batch: constant + per_example · batch."""

    constant: float
    per_example: float


class StepMemory:
    """Memory that a training step needs, for any batch."""

    def __init__(
        self, resident_bytes: int, first: Sequence[Allocation], second: Sequence[Allocation], batches: Tuple[int, int]
    ) -> None:
        """Fits the laws.

        Args:
          resident_bytes: memory that stays allocated between steps: weights and the optimizer's slots.
          first, second: the allocations of two steps of one graph. Ops run in a different order each time; the peak
            is that of the order that needs more.
          batches: the batch sizes of the two steps; the second is the larger one.
        """
        self._resident_bytes = resident_bytes
        sizes = {allocation.key: allocation.num_bytes for allocation in first}
        laws = {
            allocation.key: _law(sizes[allocation.key], allocation.num_bytes, batches)
            for allocation in second
            if allocation.key in sizes
        }
        self._moments = _moments(first, batches[0], laws) + _moments(second, batches[1], laws)

    def peak_bytes(self, batch: int) -> int:
        """Peak memory of a step on `batch` examples, with weights and slots."""
        peak = max(moment.constant + moment.per_example * batch for moment in self._moments)
        return int(self._resident_bytes + peak)

    def bytes_per_example(self, batch: int) -> int:
        """Bytes that one example more than `batch` adds to the peak."""
        return self.peak_bytes(batch + 1) - self.peak_bytes(batch)

    def largest_batch(self, budget_bytes: float) -> int:
        """Largest batch whose peak is within the budget; 0 if there is none."""
        rising = [moment for moment in self._moments if moment.per_example > 0]
        if self.peak_bytes(1) > budget_bytes or not rising:
            return 0
        room = budget_bytes - self._resident_bytes
        return int(min((room - moment.constant) // moment.per_example for moment in rising))


def _law(first_bytes: int, second_bytes: int, batches: Tuple[int, int]) -> _Law:
    per_example = max(second_bytes - first_bytes, 0) / (batches[1] - batches[0])
    return _Law(second_bytes - per_example * batches[1], per_example)


def _moments(step: Sequence[Allocation], batch: int, laws: Dict[Key, _Law]) -> List[_Law]:
    """Sums of the laws of all allocated buffers, after each allocation and release."""
    # Whether an op writes into its input's buffer can differ from step to step. A buffer of one step only is given the
    # law of buffers of its size.
    of_size: Dict[int, collections.Counter] = collections.defaultdict(collections.Counter)
    for allocation in step:
        if allocation.key in laws:
            of_size[allocation.num_bytes][laws[allocation.key]] += 1
    events = []
    for allocation in step:
        law = laws.get(allocation.key)
        if law is None:
            alike = of_size.get(allocation.num_bytes)
            law = alike.most_common(1)[0][0] if alike else _Law(0.0, allocation.num_bytes / batch)
        events += [(allocation.start, 1, law), (allocation.end, -1, law)]
    # At the same microsecond, releases come before allocations.
    events.sort(key=lambda event: event[:2])
    constant = per_example = 0.0
    moments = []
    for _, sign, law in events:
        constant, per_example = constant + sign * law.constant, per_example + sign * law.per_example
        moments.append(_Law(constant, per_example))
    return moments
