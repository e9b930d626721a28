import os
import signal
import subprocess
import sys
import time

import pytest

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.files import lock as output_lock
from tests.support.data_command import arguments, files_below, long_text, make, refusal
from tests.support.tiny_corpus import write_text

pytestmark = pytest.mark.skipif(output_lock.fcntl is None, reason="this system has no flock")

# Holds the lock of the named files until its input ends; with "fork" a child of its holds it for two seconds more.
HOLDER = """
import os, sys, time
from albert.files.lock import hold_lock
with hold_lock(sys.argv[2:]):
    if sys.argv[1] == "fork" and os.fork() == 0:
        time.sleep(2)
        os._exit(0)
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder():
    """Starts processes that hold locks."""
    processes = []

    def start(*output_files, mode="hold"):
        command = [sys.executable, "-c", HOLDER, mode] + [str(name) for name in output_files]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT)
        processes.append(process)
        assert process.stdout.readline() == b"held\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def test_a_lock_leaves_nothing(tmp_path):
    with output_lock.hold_lock([str(tmp_path / "new" / "a.tfrecord"), str(tmp_path / "b")]):
        assert (tmp_path / "new" / "a.tfrecord.lock").read_text() == "{}\n".format(os.getpid())
        assert (tmp_path / "b.lock").exists()
    assert not files_below(tmp_path)
    with pytest.raises(KeyError), output_lock.hold_lock([str(tmp_path / "a.tfrecord")]):
        raise KeyError
    assert not files_below(tmp_path)


def test_the_second_run_ends_at_once_and_names_the_first(tmp_path, holder):
    path = str(tmp_path / "zh.tfrecord")
    first = holder(path)
    expected = r"another run \(process {}\) is writing .*zh.tfrecord: wait".format(first.pid)
    with pytest.raises(UserError, match=expected), output_lock.hold_lock([path]):
        pass
    assert os.listdir(str(tmp_path)) == ["zh.tfrecord.lock"]
    first.communicate()
    assert not os.listdir(str(tmp_path))
    with output_lock.hold_lock([path]):
        pass


@pytest.mark.parametrize(
    "name", ["dev.tfrecord", "sub/../dev.tfrecord", "link/dev.tfrecord", "dev-00001-of-00004.tfrecord"]
)
def test_all_names_of_a_data_set_share_a_lock(tmp_path, holder, name):
    (tmp_path / "sub").mkdir()
    (tmp_path / "link").symlink_to(tmp_path)
    holder(tmp_path / "zh.tfrecord", tmp_path / "dev.tfrecord")  # as one run's --heldout_file
    with pytest.raises(UserError, match="another run"), output_lock.hold_lock(
        [str(tmp_path / "a"), str(tmp_path / name)]
    ):
        pass
    assert not (tmp_path / "a.lock").exists()
    with output_lock.hold_lock([str(tmp_path / "other.tfrecord")]):
        pass


def test_a_lock_ends_with_its_process(tmp_path, holder):
    path = str(tmp_path / "zh.tfrecord")
    first = holder(path)
    first.kill()
    first.wait()
    assert (tmp_path / "zh.tfrecord.lock").exists()
    with output_lock.hold_lock([path]):
        assert (tmp_path / "zh.tfrecord.lock").read_text() == "{}\n".format(os.getpid())
    assert not os.listdir(str(tmp_path))


def test_the_workers_of_a_killed_run_are_waited_for(tmp_path, holder, monkeypatch):
    path = str(tmp_path / "zh.tfrecord")
    first = holder(path, mode="fork")
    first.kill()
    first.wait()
    with monkeypatch.context() as patch:
        patch.setattr("albert.files.lock._ORPHAN_SECONDS", 0.2)
        expected = "another run .process {}. is writing".format(first.pid)
        with pytest.raises(UserError, match=expected), output_lock.hold_lock([path]):
            pass
    with output_lock.hold_lock([path]):
        pass


# Takes and gives back a lock over and over; two at once inside would leave a file that the other one meets.
CONTENDER = """
import os, sys, time
from albert.base.errors import UserError
from albert.files.lock import hold_lock
taken = 0
end = time.monotonic() + 2
while time.monotonic() < end:
    try:
        with hold_lock([sys.argv[1]]):
            os.close(os.open(sys.argv[1], os.O_CREAT | os.O_EXCL))
            os.remove(sys.argv[1])
            taken += 1
    except UserError:
        pass
print(taken)
"""


def test_a_lock_that_is_removed_and_made_again_excludes(tmp_path):
    command = [sys.executable, "-c", CONTENDER, str(tmp_path / "zh")]
    contenders = [subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) for _ in range(3)]
    taken = [int(contender.communicate()[0]) for contender in contenders]
    assert [contender.returncode for contender in contenders] == [0, 0, 0]
    assert sum(taken) > 100
    assert not os.listdir(str(tmp_path))


def test_another_file_in_the_place_of_a_lock_is_kept(tmp_path):
    (tmp_path / "zh.lock").write_text("今天\n", encoding="utf-8")
    with pytest.raises(UserError, match="zh.lock is no lock"), output_lock.hold_lock([str(tmp_path / "zh")]):
        pass
    assert (tmp_path / "zh.lock").read_text(encoding="utf-8") == "今天\n"


def test_a_file_system_without_locks(tmp_path, monkeypatch, caplog):
    def flock(file, operation):
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(output_lock.fcntl, "flock", flock)
    with output_lock.hold_lock([str(tmp_path / "zh")]):
        assert "cannot be locked (Operation not supported)" in caplog.text
    monkeypatch.setattr(output_lock, "fcntl", None)
    with output_lock.hold_lock([str(tmp_path / "zh")]):
        assert not os.listdir(str(tmp_path))


def test_two_commands_at_once(folder, capsys, holder):
    make(folder)
    holder(folder / "out" / "zh.tfrecord")
    error, status = refusal(folder, capsys, overwrite=True, max_seq_length=64)
    assert "another run (process " in error and status == 1
    error, _ = refusal(folder, capsys, output_file=folder / "a", heldout_file=folder / "out" / "zh.tfrecord")
    assert "is writing {}".format(folder / "out" / "zh.tfrecord") in error
    make(folder, output_file=folder / "out" / "other.tfrecord")


def test_a_run_holds_its_lock_while_it_works(folder):
    write_text(folder, long_text(400))
    command = [sys.executable, os.path.join(ROOT, "create_pretraining_data.py")]
    command += arguments(folder, dupe_factor=1000, num_workers=2, num_shards=2)
    first = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    journal = folder / "out" / "zh.tfrecord.partial.jsonl"
    while not journal.exists() and first.poll() is None:
        time.sleep(0.05)
    second = subprocess.run(command, stderr=subprocess.PIPE)
    first.send_signal(signal.SIGINT)
    first.wait()
    assert (
        second.stderr.decode()
        == "error: another run (process {}) is writing {}: wait until it ends, or name another file\n".format(
            first.pid, folder / "out" / "zh.tfrecord"
        )
    )
    assert first.returncode == 130
    assert not os.listdir(str(folder / "out"))
