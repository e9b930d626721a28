import multiprocessing
import os
import signal
import subprocess
import sys
import time

import pytest

from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.files.record_sets import read_sidecar
from albert.pretraining_data import workers
from albert.pretraining_data.chunks import ChunkSettings
from albert.pretraining_data.masking import MaskingSettings
from albert.pretraining_data.shards import BuildSettings, ShardBuilder, ShardTask
from albert.text.corpus import plan_shards
from tests.support.data_command import arguments, files_below, long_text, make
from tests.support.live_processes import is_running
from tests.support.tiny_corpus import write_text, write_vocab


def endless_tasks(folder, num_shards=2):
    """Some shards that take minutes, and their settings."""
    path = write_text(folder, long_text(400))
    tasks = [
        ShardTask(str(folder / "zh-{}.tfrecord".format(number)), number, ranges, False)
        for number, ranges in enumerate(plan_shards([path], num_shards))
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
        masking=MaskingSettings(ngram=3),
    )
    return tasks, settings


def short_tasks(folder, num_shards):
    """Some shards that take a moment, and their settings."""
    tasks, settings = endless_tasks(folder, num_shards)
    return tasks, settings._replace(dupe_factor=1)


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
    workers.build_shards(tasks, settings, 2, on_finished=lambda result: None, on_progress=on_progress)


def test_a_shard_whose_worker_is_killed_twice_ends_the_run(tmp_path, caplog):
    killed = []

    def kill_the_second():
        path = str(sorted(unfinished(tmp_path))[1])
        process = unfinished(tmp_path)[path]
        if process not in killed:
            killed.append(process)
            os.kill(process, signal.SIGKILL)

    with pytest.raises(UserError) as error:
        build_until(tmp_path, kill_the_second)
    victim = str(tmp_path / "zh-1.tfrecord")
    assert len(killed) == 2
    assert caplog.messages == ["a worker was killed while making {}: it is made again".format(victim)]
    assert "killed twice (out of memory?) while making {}: ".format(victim) in str(error.value)
    assert sorted(os.listdir(str(tmp_path))) == ["text.txt", "vocab.txt"]
    assert not multiprocessing.active_children()


@pytest.mark.parametrize("num_workers", [1, 2])
@pytest.mark.parametrize("victims", [[], [1], [0, 3]])
def test_the_shards_of_a_killed_worker_are_made_again(tmp_path, monkeypatch, num_workers, victims):
    class KilledOnce(ShardBuilder):
        def build(self, task, on_progress):
            mark = "{}.killed".format(task.path)

            def kill(*amounts):
                on_progress(*amounts)
                open(mark, "w").close()
                os.kill(os.getpid(), signal.SIGKILL)

            is_victim = task.shard in victims and not os.path.exists(mark)
            return super().build(task, kill if is_victim else on_progress)

    tasks, settings = short_tasks(tmp_path, 5)
    expected = [ShardBuilder(settings).build(task) for task in tasks]
    contents = {name: content for name, content in files_below(tmp_path).items() if name.endswith(".tfrecord")}
    for task in tasks:
        os.remove(task.path)
    finished, seen = [], []
    monkeypatch.setattr(workers, "ShardBuilder", KilledOnce)
    workers.build_shards(tasks, settings, num_workers, on_finished=finished.append, on_progress=seen.append)
    left = files_below(tmp_path)
    assert sorted(name for name in left if name.endswith(".killed")) == [
        "zh-{}.tfrecord.killed".format(victim) for victim in victims
    ]
    assert sorted(finished) == expected
    assert {name: left[name] for name in contents} == contents and len(contents) == 5
    assert not unfinished(tmp_path)
    assert seen[-1].documents == sum(result.counts["documents"] for result in expected)
    assert seen[-1].examples == sum(result.counts["examples"] for result in expected)


def test_workers_that_cannot_even_begin(tmp_path, monkeypatch):
    def die(*_):
        os.kill(os.getpid(), signal.SIGKILL)

    monkeypatch.setattr(workers, "_start_worker", die)
    tasks, settings = endless_tasks(tmp_path)
    with pytest.raises(UserError, match="killed twice .* while making its first shard"):
        workers.build_shards(tasks, settings, 2, on_finished=None, on_progress=lambda totals: None)
    assert not multiprocessing.active_children()


def test_what_is_finished_is_kept_when_the_run_is_interrupted(tmp_path, monkeypatch):
    monkeypatch.setattr(workers, "_PROGRESS_PERIOD_SECONDS", 0.02)
    tasks, settings = short_tasks(tmp_path, 6)
    settings = settings._replace(dupe_factor=20)
    finished = []

    def interrupt(totals):
        if finished:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        workers.build_shards(tasks, settings, 2, on_finished=finished.append, on_progress=interrupt)
    there = [task.path for task in tasks if os.path.exists(task.path)]
    assert sorted(result.path for result in finished) == there
    assert there


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
    processes = list(unfinished(folder / "out").values())
    killed.kill()
    killed.wait()
    wait_until(lambda: not any(is_running(process) for process in processes))
    write_text(folder)
    make(folder, overwrite=True, num_shards=2)
    assert not unfinished(folder / "out")
    assert read_sidecar(str(folder / "out" / "zh.tfrecord"))["counts"]["documents"] == 5


def wait_until(condition):
    for _ in range(600):
        if condition():
            return
        time.sleep(0.05)
    pytest.fail("waited half a minute for nothing")
