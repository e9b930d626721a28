"""The memory of a step from its allocations: laws of buffers and replay, on made-up steps and on real ones."""

import pytest
import tensorflow.compat.v1 as tf

from albert.memory.step import Allocation, StepMemory, allocations


def metadata(*nodes):
    """RunMetadata of nodes: name, allocator, and (time, ±bytes) records."""
    found = tf.RunMetadata()
    device = found.step_stats.dev_stats.add(device="/device:0")
    for name, allocator, records in nodes:
        memory = device.node_stats.add(node_name=name).memory.add(allocator_name=allocator)
        for micros, num_bytes in records:
            memory.allocation_records.add(alloc_micros=micros, alloc_bytes=num_bytes)
    return found


def test_allocations_pair_what_came_with_what_went():
    found = allocations(
        metadata(("a", "cpu", [(1, 100), (2, 30), (5, -100), (6, 100)]), ("b", "cpu", [(3, 7), (9, -7)]))
    )
    assert found == [
        Allocation(("a", 0, 0), 1, 5, 100),
        Allocation(("a", 0, 1), 2, float("inf"), 30),
        Allocation(("a", 0, 2), 6, float("inf"), 100),
        Allocation(("b", 0, 0), 3, 9, 7),
    ]


def test_of_a_gpu_the_hosts_buffers_do_not_count():
    found = allocations(metadata(("a", "GPU_0_bfc", [(1, 8)]), ("b", "gpu_host_bfc", [(1, 99)])))
    assert [allocation.num_bytes for allocation in found] == [8]


def made_up_step(batch):
    """Activations of 10 an example and 1,000 of gradients: the former are gone when the latter come."""
    return [
        Allocation(("x",), 0, 5, 10 * batch),
        Allocation(("y",), 2, 5, 10 * batch + 4),
        Allocation(("gradient",), 5, 9, 1000),
    ]


def test_the_peak_moves_to_where_a_larger_batch_is_fullest():
    memory = StepMemory(500, made_up_step(1), made_up_step(3), (1, 3))
    for batch in (1, 3, 49, 50, 1000):
        assert memory.peak_bytes(batch) == 500 + max(20 * batch + 4, 1000)
    assert (memory.bytes_per_example(3), memory.bytes_per_example(60)) == (0, 20)


@pytest.mark.parametrize("budget,batch", [(1499, 0), (1504, 50), (1523, 50), (1524, 51), (20504, 1000)])
def test_the_largest_batch(budget, batch):
    assert StepMemory(500, made_up_step(1), made_up_step(3), (1, 3)).largest_batch(budget) == batch


def test_a_buffer_of_one_step_only_is_as_those_of_its_size():
    first, second = made_up_step(1), made_up_step(3)
    second += [Allocation(("z",), 6, 9, 34), Allocation(("another gradient",), 6, 9, 1000)]
    memory = StepMemory(0, first, second, (1, 3))
    assert memory.peak_bytes(3) == 2034 and memory.peak_bytes(100) == 2000 + 10 * 100 + 4


def test_the_order_that_needs_more_counts():
    first, second = made_up_step(1), made_up_step(3)
    first = [allocation._replace(end=7) if allocation.key == ("y",) else allocation for allocation in first]
    assert StepMemory(0, first, second, (1, 3)).peak_bytes(100) == 2004
    assert StepMemory(0, first, second, (1, 3)).peak_bytes(10) == 1104
