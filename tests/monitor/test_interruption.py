"""Signals while something runs: the first is noted, the second ends it, ignored ones stay ignored."""

import os
import signal
import threading

import pytest

from albert.monitor.interruption import Interruption, UninterruptedListener


def send(number):
    os.kill(os.getpid(), number)


@pytest.fixture
def hang_up():
    """Sets what a hang-up does."""
    before = signal.getsignal(signal.SIGHUP)
    yield lambda handler: signal.signal(signal.SIGHUP, handler)
    signal.signal(signal.SIGHUP, before)


@pytest.mark.parametrize("first,second", [(signal.SIGTERM, signal.SIGINT), (signal.SIGHUP, signal.SIGHUP)])
def test_the_first_signal_is_noted_and_the_second_ends_it(first, second):
    before = signal.getsignal(first)
    message = "stopped by two signals: the same command goes on"
    with pytest.raises(KeyboardInterrupt, match=message), Interruption() as interruption:
        assert interruption.name is None
        send(first)
        assert interruption.name == first.name
        send(second)
    assert signal.getsignal(first) is before


def test_a_signal_that_is_ignored_stays_so(hang_up):
    hang_up(signal.SIG_IGN)  # as under nohup
    with Interruption() as interruption:
        send(signal.SIGHUP)
    assert interruption.name is None


def test_another_thread_leaves_signals_alone(hang_up):
    came = []
    hang_up(lambda number, frame: came.append(number))

    def watch():
        with Interruption() as interruption:
            send(signal.SIGHUP)
            came.append(interruption.name)

    thread = threading.Thread(target=watch)
    thread.start()
    thread.join(20)
    assert sorted(came, key=str) == [signal.SIGHUP, None]


def test_checkpoints_are_handed_on_until_a_signal_comes():
    class Listener:
        def after_save(self, session, step):
            return step == 2

    interruption = Interruption()
    listener = UninterruptedListener(Listener(), interruption)
    assert [listener.after_save(None, step) for step in (1, 2)] == [False, True]
    interruption.name = "SIGINT"
    assert listener.after_save(None, 2) is None
