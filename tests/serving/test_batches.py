"""Batches of a model that waits until it is let go, so that what shares a batch is no matter of time."""

import asyncio
import threading

import pytest

from albert.base.errors import UserError
from albert.serving.batches import Batcher, Bounds, QueueFull, Size, Stopped, TooLarge

BOUNDS = Bounds(max_rows=8, max_tokens=1000, max_wait=0.0, max_queue=100)


class Model:
    """Answers a row with its double; remembers its batches; held back until `go`."""

    def __init__(self):
        self.batches = []
        self.began = threading.Semaphore(0)
        self.go = threading.Semaphore(0)

    def answer(self, rows, options):
        self.batches.append((list(rows), options))
        self.began.release()
        assert self.go.acquire(timeout=20)
        if "bad" in rows:
            raise UserError("a bad row")
        if "broken" in rows:
            raise ZeroDivisionError
        return [row * 2 for row in rows]

    def release(self):
        for _ in range(100):
            self.go.release()


def run(scenario, bounds=BOUNDS, **options):
    """Runs a coroutine with a model and a batcher that is busy with the row 0; returns the batches after it."""
    model = Model()

    async def play():
        batcher = Batcher(model.answer, bounds, **options)
        first = batcher.submit([0])
        await asyncio.get_event_loop().run_in_executor(None, model.began.acquire)
        try:
            await asyncio.wait_for(scenario(model, batcher), 20)
            assert await first.future == [0]
        finally:
            model.release()
            await asyncio.get_event_loop().run_in_executor(None, batcher.stop)

    asyncio.run(play())
    return model.batches[1:]


def scenario_of(*requests):
    """Submits rows with options, lets the model go, and checks that each request has its own answers in order."""

    async def scenario(model, batcher):
        jobs = [batcher.submit(rows, options) for rows, options in requests]
        assert batcher.rows_waiting == sum(len(rows) for rows, _ in requests)
        model.release()
        for job, (rows, _) in zip(jobs, requests):
            assert await job.future == [row * 2 for row in rows]
        assert batcher.rows_waiting == 0

    return scenario


def test_what_waits_together_is_answered_together():
    seen = []
    batches = run(scenario_of(([1], None), ([2, 3], None), ([4], None)), observe=seen.append)
    assert batches == [([1, 2, 3, 4], None)]
    assert seen == [1, 4]


def test_a_batch_has_no_more_rows_and_tokens_than_it_may():
    rows = [(([number], None)) for number in (1, 2, 3, 4, 5)]
    assert [batch for batch, _ in run(scenario_of(*rows), BOUNDS._replace(max_rows=2))] == [[1, 2], [3, 4], [5]]
    rows = [([number], None) for number in (2, 50, 3, 7, 1)]
    batches = run(scenario_of(*rows), BOUNDS._replace(max_tokens=10), size_of=lambda row: Size(1, row))
    assert [batch for batch, _ in batches] == [[2], [50], [3, 7], [1]]
    assert [batch for batch, _ in run(scenario_of(([1, 2], None)), BOUNDS._replace(max_rows=1))] == [[1], [2]]


def test_a_row_of_many_sequences_counts_as_many():
    rows = [([number], None) for number in (5, 1, 1, 2, 9)]
    seen = []

    def size_of(row):
        return Size(max(1, row), row)

    async def scenario(model, batcher):
        jobs = [batcher.submit(rows, options) for rows, options in rows]
        assert batcher.rows_waiting == 18
        with pytest.raises(QueueFull):
            batcher.submit([3])
        with pytest.raises(TooLarge) as caught:
            batcher.submit([11, 10])
        assert (caught.value.sequences, caught.value.most) == (21, 20)
        model.release()
        for job in jobs:
            await job.future
        assert batcher.rows_waiting == 0

    bounds = BOUNDS._replace(max_rows=4, max_queue=20)
    batches = run(scenario, bounds, size_of=size_of, observe=seen.append)
    assert [batch for batch, _ in batches] == [[5], [1, 1, 2], [9]]
    assert seen == [1, 5, 4, 9]


def test_only_like_options_share_a_batch():
    requests = [([1], True), ([2], False), ([3], True), ([4], False)]
    assert run(scenario_of(*requests)) == [([1, 3], True), ([2, 4], False)]


def test_a_long_list_lets_others_in_between_its_parts():
    requests = [([1, 2, 3, 4, 5, 6, 7], None), ([10], None), ([11], None)]
    batches = [batch for batch, _ in run(scenario_of(*requests), BOUNDS._replace(max_rows=3))]
    assert batches[0] == [1, 2, 3]
    assert batches[1] == [10, 11, 4]
    assert batches[2:] == [[5, 6, 7]]


def test_a_full_queue_refuses_and_says_when_to_come_again():
    async def scenario(model, batcher):
        jobs = [batcher.submit([1, 2]), batcher.submit([3])]
        with pytest.raises(QueueFull) as caught:
            batcher.submit([4, 5])
        assert caught.value.retry_after == 1
        jobs.append(batcher.submit([6]))
        model.release()
        assert [await job.future for job in jobs] == [[2, 4], [6], [12]]

    run(scenario, BOUNDS._replace(max_queue=4))


def test_what_was_given_up_is_not_computed_and_leaves_its_room():
    async def scenario(model, batcher):
        jobs = [batcher.submit([1]), batcher.submit([2]), batcher.submit([3])]
        jobs[1].cancel()
        model.release()
        assert await jobs[0].future == [2]
        assert await jobs[2].future == [6]
        assert batcher.rows_waiting == 0
        alone = batcher.submit([7])
        alone.cancel()
        assert await batcher.submit([8]).future == [16]

    rows = [row for batch, _ in run(scenario) for row in batch]
    assert set(rows) - {7} == {1, 3, 8}


def test_an_error_reaches_only_the_request_that_caused_it():
    async def scenario(model, batcher):
        jobs = [batcher.submit([row]) for row in (1, "bad", 2, 3, "broken")]
        model.release()
        for job, answer in ((jobs[0], [2]), (jobs[2], [4]), (jobs[3], [6])):
            assert await job.future == answer
        with pytest.raises(UserError, match="a bad row"):
            await jobs[1].future
        with pytest.raises(ZeroDivisionError):
            await jobs[4].future
        assert await batcher.submit([9]).future == [18]

    run(scenario)


def test_the_parts_after_a_bad_one_are_left_out():
    async def scenario(model, batcher):
        job = batcher.submit(["bad", 1, 2, 3])
        model.release()
        with pytest.raises(UserError):
            await job.future
        assert await batcher.submit([4]).future == [8]
        assert batcher.rows_waiting == 0

    run(scenario, BOUNDS._replace(max_rows=1))


def test_parts_that_are_answered_at_the_same_time_come_back_in_their_order():
    second_is_answered = threading.Event()

    def answer(rows, options):
        if 1 in rows:
            assert second_is_answered.wait(timeout=20)
        else:
            second_is_answered.set()
        return [row * 2 for row in rows]

    async def play():
        batcher = Batcher(answer, BOUNDS._replace(max_rows=2), num_threads=2)
        assert await batcher.submit([1, 2, 3, 4]).future == [2, 4, 6, 8]
        await asyncio.get_event_loop().run_in_executor(None, batcher.stop)

    asyncio.run(asyncio.wait_for(play(), 30))


def test_a_batch_that_is_not_full_waits_for_more():
    model = Model()
    model.release()

    async def play():
        batcher = Batcher(model.answer, BOUNDS._replace(max_rows=2, max_wait=15.0))
        first = batcher.submit([1])
        await asyncio.sleep(0.05)
        second = batcher.submit([2])
        assert await first.future + await second.future == [2, 4]
        batcher.submit([3])
        await asyncio.get_event_loop().run_in_executor(None, batcher.stop)  # waits for nothing more

    asyncio.run(asyncio.wait_for(play(), 10))
    assert model.batches == [([1, 2], None), ([3], None)]


def test_the_end_answers_what_waits_and_takes_nothing_more():
    async def scenario(model, batcher):
        jobs = [batcher.submit([1]), batcher.submit([2])]
        end = asyncio.get_event_loop().run_in_executor(None, batcher.stop)
        while True:
            try:
                batcher.submit([3]).cancel()
            except Stopped:
                break
            await asyncio.sleep(0.01)
        model.release()
        assert [await job.future for job in jobs] == [[2], [4]]
        await end

    run(scenario)


def test_what_waits_is_refused_where_nobody_has_the_time():
    async def scenario(model, batcher):
        jobs = [batcher.submit([1, 2]), batcher.submit([3]), batcher.submit([4])]
        jobs[2].cancel()
        assert batcher.refuse_waiting() == 2
        for job in jobs[:2]:
            with pytest.raises(Stopped):
                await job.future
        with pytest.raises(Stopped):
            batcher.submit([5])
        assert batcher.refuse_waiting() == 0
        model.release()

    assert run(scenario) == []  # the row that the model has is answered
