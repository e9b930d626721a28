"""kill -9 at random moments, and the same command again: the same bytes, and only what was unfinished made again."""

import json
import os
import random
import signal
import subprocess
import sys
import time

import pytest

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.files.record_sets import expand_globs, read_sidecar
from tests.support.data_command import arguments, files_below, long_text, records_of
from tests.support.tiny_corpus import write_text

NUM_SHARDS = 16

# The command, but with a pause at each record: so fast a run would be over before it can be killed.
SLOW_COMMAND = """
import sys, time
from albert.files import complete
write = complete.CompleteFile.write
def write_slowly(self, data):
    time.sleep(0.001)
    write(self, data)
complete.CompleteFile.write = write_slowly
import create_pretraining_data as create
from albert.base.flags import run_command
run_command(create.__doc__, create.declare_flags(), create.main, sys.argv[1:])
"""


class Runs:
    """Runs of one command, some of them killed."""

    def __init__(self, folder):
        write_text(folder, long_text(300))
        self.output = folder / "out"
        self.arguments = arguments(
            folder, num_shards=NUM_SHARDS, num_workers=2, heldout_file=self.output / "dev.tfrecord"
        )
        self.uninterrupted, self.seconds = self.make_whole()

    def start(self):
        """Starts the command and waits until it has claimed its output."""
        command = [sys.executable, "-c", SLOW_COMMAND] + self.arguments
        before = self.journal_time()
        process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, start_new_session=True)
        while process.poll() is None and self.journal_time() == before:
            time.sleep(0.005)
        return process

    def journal_time(self):
        try:
            return os.stat(str(self.output / "zh.tfrecord.partial.jsonl")).st_mtime_ns
        except FileNotFoundError:
            return None

    def make_whole(self):
        """The files of a run that comes to its end, and the seconds from its claim to its end."""
        process = self.start()
        begin = time.monotonic()
        _, errors = process.communicate()
        assert process.returncode == 0, errors.decode()
        return files_below(self.output), time.monotonic() - begin

    def kill(self, after_seconds, with_workers):
        """Runs and kills; returns whether the run came to its end before."""
        process = self.start()
        time.sleep(after_seconds)
        has_ended = process.poll() is not None
        if not has_ended:
            if with_workers:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
        process.communicate()
        return has_ended

    def noted(self):
        """The shards that the journal tells of (all, where it is gone already), and when each was written."""
        if self.journal_time() is None:
            names = records_of(self.uninterrupted)
        else:
            lines = (self.output / "zh.tfrecord.partial.jsonl").read_bytes().splitlines(True)
            names = [json.loads(line.decode("utf-8"))["file"] for line in lines[1:] if line.endswith(b"\n")]
        return {name: os.stat(str(self.output / name)).st_mtime_ns for name in names}


@pytest.mark.parametrize("num_kills", [3, pytest.param(10, marks=pytest.mark.slow)])
def test_killed_at_random_moments(folder, num_kills):
    runs = Runs(folder)
    assert len(runs.uninterrupted) == 2 * NUM_SHARDS + 2
    for path in runs.output.iterdir():
        path.unlink()
    rng = random.Random(num_kills)
    kills, noted = 0, {}
    while kills < num_kills:
        if runs.kill(rng.uniform(0.0, 0.5) * runs.seconds, with_workers=kills % 2 == 0):
            assert files_below(runs.output) == runs.uninterrupted
            noted = {}
            for path in runs.output.iterdir():
                path.unlink()
            continue
        kills += 1
        now = runs.noted()
        assert {name: now.get(name) for name in noted} == noted  # not made again
        noted = now
        for pattern in ("zh*.tfrecord", "dev*.tfrecord", "*-of-*"):
            shards = [os.path.basename(path) for path in found(runs.output / pattern)]
            assert {name: (runs.output / name).read_bytes() for name in shards} == {
                name: runs.uninterrupted[name] for name in shards
            }
    assert runs.make_whole()[0] == runs.uninterrupted
    assert {name: os.stat(str(runs.output / name)).st_mtime_ns for name in noted} == noted
    assert read_sidecar(str(runs.output / "zh.tfrecord"))["settings"]["num_shards"] == NUM_SHARDS


def found(pattern):
    """What training would take for shards."""
    try:
        return expand_globs(str(pattern))
    except UserError:
        return []
