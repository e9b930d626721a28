"""Workers that meet, that differ, and that go."""

import contextlib
import json
import socket
import threading
import time

import pytest

from albert.base.errors import UserError
from albert.devices import meeting as worker_meeting
from albert.devices import watch as worker_watch
from albert.devices.cluster import WorkerCluster
from albert.devices.watch import WorkerWatch
from tests.support import worker_runs


def clusters(number):
    addresses = tuple("127.0.0.1:{}".format(port) for port in worker_runs.free_ports(number))
    return [WorkerCluster((), addresses, index) for index in range(number)]


def meet_all(found, plans, folders):
    """What each worker was told: None where all agree."""
    told = [None] * len(found)

    def meet(index):
        try:
            worker_meeting.meet_workers(found[index], plans[index], str(folders[index]))
        except UserError as error:
            told[index] = str(error)

    threads = [threading.Thread(target=meet, args=(index,)) for index in range(len(found))]
    for thread in reversed(threads):  # the chief comes last
        thread.start()
        time.sleep(0.1)
    for thread in threads:
        thread.join(60)
    return told


def test_workers_with_one_plan(tmp_path):
    found = clusters(3)
    assert meet_all(found, [{"--seed": 1}] * 3, [tmp_path] * 3) == [None] * 3
    assert json.loads((tmp_path / worker_meeting.WORKERS_FILE).read_text())["workers"] == list(found[0].addresses)
    # The port is free again, and the same workers may meet once more.
    assert meet_all(found, [{"--seed": 1}] * 3, [tmp_path] * 3) == [None] * 3


def test_another_plan_is_told_to_all(tmp_path):
    told = meet_all(clusters(3), [{"--seed": 1}, {"--seed": 1}, {"--seed": 2}], [tmp_path] * 3)
    assert len(set(told)) == 1
    assert told[0].startswith("--seed is 1 for worker 0 (127.0.0.1:") and "and 2 for worker 2" in told[0]


def test_another_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(worker_meeting, "_SHARED_DISK_SECONDS", 0.5)
    (tmp_path / "other").mkdir()
    told = meet_all(clusters(2), [{}, {}], [tmp_path, tmp_path / "other"])
    assert "a disk that all workers share" in told[0] and told[0] == told[1]


def test_strangers_are_no_workers(tmp_path):
    found = clusters(2)
    chief = threading.Thread(target=worker_meeting.meet_workers, args=(found[0], {}, str(tmp_path)))
    chief.start()
    for message in (b"GET / HTTP/1.1\r\n\r\n", b'{"index": 1, "plan": {}}\n', b""):
        for _ in range(100):
            try:
                with socket.create_connection(found[0].endpoint(0), timeout=1) as connection:
                    connection.sendall(message)
                break
            except OSError:
                time.sleep(0.05)
    worker_meeting.meet_workers(found[1], {}, str(tmp_path))
    chief.join(30)
    assert not chief.is_alive()


def test_a_port_in_use(tmp_path):
    found = clusters(2)
    with socket.socket() as other:
        other.bind(found[0].endpoint(0))
        other.listen(1)
        with pytest.raises(UserError, match="the port of worker 0 .* cannot be used"):
            worker_meeting.meet_workers(found[0], {}, str(tmp_path))


def test_who_is_missing_is_said(tmp_path, monkeypatch, caplog):
    monkeypatch.setattr(worker_meeting, "_PATIENCE_SECONDS", 0.1)
    caplog.set_level("INFO")
    found = clusters(2)
    chief = threading.Thread(target=worker_meeting.meet_workers, args=(found[0], {}, str(tmp_path)))
    chief.start()
    while not caplog.messages:
        time.sleep(0.05)
    worker_meeting.meet_workers(found[1], {}, str(tmp_path))
    chief.join(30)
    assert caplog.messages == [
        "Waiting for {}: start the same command there, with its own TF_CONFIG.".format(found[0].name(1))
    ]


@pytest.fixture
def quick_watch(monkeypatch):
    monkeypatch.setattr(worker_watch, "_PERIOD_SECONDS", 0.05)


def watch_of(cluster, said, **seconds):
    return WorkerWatch(cluster, lambda: "out/model.ckpt-7", end_process=said.append, **seconds)


@contextlib.contextmanager
def server(endpoint, answers=True):
    """A server that speaks first, as TensorFlow's; or one that stands still, for which its system opens connections."""

    def speak():
        with contextlib.suppress(OSError):  # it was closed
            while True:
                with contextlib.closing(listener.accept()[0]) as connection:
                    connection.sendall(b"\0")

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(endpoint)
        listener.listen(50)
        thread = threading.Thread(target=speak, daemon=True)
        if answers:
            thread.start()
        yield
        listener.shutdown(socket.SHUT_RDWR)
    if answers:
        thread.join(10)


@pytest.mark.parametrize(("answers", "trouble"), [(True, "has gone"), (False, "does not answer any more")])
def test_a_worker_that_goes_or_stands_still_during_a_step_is_missed(quick_watch, monkeypatch, answers, trouble):
    monkeypatch.setattr(worker_watch, "_ANSWER_SECONDS", 0.1)
    cluster = clusters(2)[0]
    said = []
    with watch_of(cluster, said, gone_seconds=0.0, silent_seconds=1.0, first_contact_seconds=0.0) as watch:
        with server(cluster.endpoint(1), answers):
            watch.after_create_session(None, None)
            watch.before_run(None)
            time.sleep(0.5)
            assert said == []
            if not answers:
                wait_for(said)
        wait_for(said)
    assert len(said) == 1
    assert said[0].startswith("worker 1 (127.0.0.1:") and " {}, so ".format(trouble) in said[0]
    assert "start all workers again" in said[0] and "out/model.ckpt-7" in said[0]


def wait_for(said):
    for _ in range(100):
        if said:
            break
        time.sleep(0.1)


def test_between_steps_nobody_is_missed(quick_watch):
    cluster = clusters(2)[0]
    said = []
    with watch_of(cluster, said, gone_seconds=0.0, first_contact_seconds=0.0) as watch:
        watch.after_create_session(None, None)
        watch.before_run(None)
        watch.after_run(None, None)
        time.sleep(0.5)
    assert said == []


@pytest.mark.parametrize(
    "is_there,what",
    [(True, "the connection to another worker broke"), (False, r"worker 1 \(127.0.0.1:\d+\) has gone")],
)
def test_a_second_session_is_refused(is_there, what):
    cluster = clusters(2)[0]
    watch = watch_of(cluster, [])
    watch.after_create_session(None, None)
    refused = pytest.raises(UserError, match="^" + what + ", so training has stopped: start all workers again")
    with server(cluster.endpoint(1)) if is_there else contextlib.ExitStack(), refused:
        watch.after_create_session(None, None)
