import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest
from data_command import arguments, long_text, make
from tiny_corpus import write_text, write_vocab

import create_pretraining_data
import worker_pool
from corpus import plan_shards
from errors import UserError
from masking import MaskingSettings
from pretraining_chunks import ChunkSettings
from pretraining_shards import BuildSettings, ShardTask
from record_files import read_sidecar

ROOT = os.path.dirname(os.path.abspath(create_pretraining_data.__file__))


@pytest.fixture
def folder(tmp_path):
    write_text(tmp_path)
    write_vocab(tmp_path)
    return tmp_path


def endless_tasks(folder):
    """Two shards that take minutes, and their settings."""
    path = write_text(folder, long_text(400))
    tasks = [
        ShardTask(str(folder / "zh-{}.tfrecord".format(number)), number, ranges, False)
        for number, ranges in enumerate(plan_shards([path], 2))
    ]
    settings = BuildSettings(
        vocab_file=write_vocab(folder),
        spm_model_file=None,
        do_lower_case=True,
        whole_words=None,
        user_dictionary=None,
        random_seed=1,
        dupe_factor=2000,
        heldout_share=0.0,
        dynamic_masking=False,
        chunks=ChunkSettings(128, 0.1),
        masking=MaskingSettings(),
    )
    return tasks, settings


def unfinished(folder):
    """Path and process of each file that is being written."""
    found = [name.split(".unfinished-") for name in os.listdir(str(folder)) if ".unfinished-" in name]
    return {str(folder / name): int(process) for name, process in found}


def build_until(folder, stop):
    """Builds endless shards; `stop` is called as soon as both are being written."""

    def on_progress(totals):
        if totals.examples and len(unfinished(folder)) == 2:
            stop()

    tasks, settings = endless_tasks(folder)
    worker_pool.build_shards(tasks, settings, 2, on_finished=lambda result: None, on_progress=on_progress)


def test_a_killed_worker_ends_the_run(tmp_path):
    victim = []

    def kill_one():
        if not victim:
            victim.append(sorted(unfinished(tmp_path))[1])
            os.kill(unfinished(tmp_path)[victim[0]], signal.SIGKILL)

    with pytest.raises(UserError) as error:
        build_until(tmp_path, kill_one)
    assert "while making {}: ".format(victim[0]) in str(error.value)
    assert not [name for name in os.listdir(str(tmp_path)) if name.endswith(".tfrecord")]
    assert not multiprocessing.active_children()


def test_an_interrupt_ends_the_workers(tmp_path):
    def interrupt():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_until(tmp_path, interrupt)
    assert not unfinished(tmp_path)
    assert not [name for name in os.listdir(str(tmp_path)) if name.endswith(".tfrecord")]
    assert not multiprocessing.active_children()


def test_workers_end_when_their_parent_was_killed(folder):
    write_text(folder, long_text(400))
    command = [sys.executable, os.path.join(ROOT, "create_pretraining_data.py")]
    killed = subprocess.Popen(
        command + arguments(folder, dupe_factor=2000, num_shards=2, num_workers=2), stderr=subprocess.DEVNULL
    )
    wait_until(lambda: (folder / "out").is_dir() and len(unfinished(folder / "out")) == 2)
    workers = list(unfinished(folder / "out").values())
    killed.kill()
    killed.wait()
    wait_until(lambda: not any(is_running(worker) for worker in workers))
    write_text(folder)
    make(folder, overwrite=True, num_shards=2)
    assert not unfinished(folder / "out")
    assert read_sidecar(str(folder / "out" / "zh.tfrecord"))["counts"]["documents"] == 5


def wait_until(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("waited half a minute in vain")


def is_running(process):
    try:
        with open("/proc/{}/stat".format(process)) as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
