"""kill -9 while training, and the same command again: the losses and the weights of a run that was not interrupted."""

import json
import os
import random
import re
import shutil
import signal

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.checkpoints.training_folder import flaw
from albert.files.lock import hold_lock
from albert.files.space import DiskFullError
from albert.monitor import guards
from tests.support import data_command, killed_runs, tiny_corpus, tiny_model
from tests.support.marks import slow

KILLED = -signal.SIGKILL
STEPS = 14


def static(folder):
    for number in range(3):
        tiny_model.write_pretraining_records(folder / "static-{}.tfrecord".format(number), 5 + number, seed=number)
    tiny_model.write_config(folder, num_hidden_layers=1)
    return "run_pretraining", {
        "input_file": folder / "static-*.tfrecord",
        "bert_config_file": folder / "tiny.json",
        "max_seq_length": tiny_model.SEQ_LENGTH,
        "max_predictions_per_seq": tiny_model.PREDICTIONS,
        "train_batch_size": 4,
        "num_train_steps": STEPS,
        "num_warmup_steps": 3,
    }


def dynamic(folder):
    tiny_corpus.write_text(folder, data_command.long_text(30))
    vocab_file = tiny_corpus.write_vocab(folder)
    data_command.make(folder, output_file=folder / "dynamic.tfrecord", dynamic_masking=True, dupe_factor=None)
    with open(vocab_file, encoding="utf-8") as file:
        sizes = {"vocab_size": len(file.readlines()), "max_position_embeddings": 32}
    tiny_model.write_config(folder, num_hidden_layers=1, **sizes)
    return "run_pretraining_google", {
        "input_file": folder / "dynamic*.tfrecord",
        "albert_config_file": folder / "tiny.json",
        "max_seq_length": 32,
        "max_predictions_per_seq": 5,
        "train_batch_size": 16,
        "num_train_steps": STEPS,
        "num_warmup_steps": 3,
    }


def pairs(folder):
    tiny_model.write_pairs(folder / "data", train=29)
    tiny_model.write_vocab(folder)
    tiny_model.write_config(folder, num_hidden_layers=1)
    return "run_classifier", {
        "task_name": "lcqmc_pair",
        "data_dir": folder / "data",
        "vocab_file": folder / "vocab.txt",
        "bert_config_file": folder / "tiny.json",
        "max_seq_length": 16,
        "train_batch_size": 6,
        "num_train_epochs": 6 * STEPS / 29 + 0.01,
    }


def run_of(folder, made, name, kill=None):
    """A run of the command into a folder."""
    command, values = made
    values = dict(
        {"do_train": True, "learning_rate": 0.01, "save_checkpoints_steps": 4, "log_every_steps": 1},
        output_dir=folder / name,
        **values,
    )
    return {
        "command": command,
        "arguments": ["--{}={}".format(name, value) for name, value in values.items()],
        "kill": kill,
        "metrics": folder / name / "metrics.jsonl",
    }


def curve_of(out):
    """Loss, learning rate and gradient norm of each step; of a step that was made again, the last."""
    names = ("loss", "learning_rate", "gradient_norm")
    with open(str(out / "metrics.jsonl"), encoding="utf-8") as file:
        entries = {entry["step"]: entry for entry in map(json.loads, file)}
    return {step: [entry[name] for name in names] for step, entry in entries.items()}


def same_end(folder, one, other):
    assert curve_of(folder / one) == curve_of(folder / other)
    readers = [tf.train.load_checkpoint(tf.train.latest_checkpoint(str(folder / out))) for out in (one, other)]
    for name in readers[0].get_variable_to_shape_map():
        np.testing.assert_array_equal(readers[0].get_tensor(name), readers[1].get_tensor(name))


AFTER_A_STEP, IN_A_SAVE = {"step": 6}, {"save": 8}


@pytest.mark.parametrize(
    "kind,kills",
    [
        (static, [AFTER_A_STEP, IN_A_SAVE]),
        (dynamic, [AFTER_A_STEP]),
        (pairs, [IN_A_SAVE]),
        slow(dynamic, [AFTER_A_STEP, IN_A_SAVE]),
        slow(pairs, [AFTER_A_STEP, IN_A_SAVE]),
    ],
)
def test_a_killed_run_ends_as_one_that_was_not_killed(tmp_path, kind, kills):
    made = kind(tmp_path)
    runs = [run_of(tmp_path, made, "killed", kill) for kill in kills + [None]] + [run_of(tmp_path, made, "whole")]
    statuses, said = killed_runs.run_all(runs)
    assert statuses == [KILLED] * len(kills) + [0, 0], said
    assert said.count("/model.ckpt-4 (weights") == len(kills)
    assert "start over" not in said
    assert sorted(curve_of(tmp_path / "whole")) == list(range(1, STEPS + 1))
    same_end(tmp_path, "killed", "whole")


TERM, INT = {"step": 6, "signal": "SIGTERM"}, {"step": 12, "signal": "SIGINT"}


@pytest.mark.parametrize("kind,stops", [(static, [TERM]), slow(pairs, [TERM, INT])])
def test_a_run_that_is_told_to_stop_saves_its_step(tmp_path, kind, stops):
    made = kind(tmp_path)
    runs = [run_of(tmp_path, made, "stopped", stop) for stop in stops + [None]] + [run_of(tmp_path, made, "whole")]
    statuses, said = killed_runs.run_all(runs)
    assert statuses == [130] * len(stops) + [0, 0], said
    for stop in stops:
        sentence = "error: stopped by {} after step {}, which is saved: the same command goes on from {}\n"
        prefix = tmp_path / "stopped" / "model.ckpt-{}".format(stop["step"])
        assert sentence.format(stop["signal"], stop["step"], prefix) in said
    assert "Traceback" not in said
    same_end(tmp_path, "stopped", "whole")


@pytest.mark.slow
@pytest.mark.parametrize("kind,times", [(static, 8), (dynamic, 4), (pairs, 4)])
def test_a_run_killed_at_random_moments(tmp_path, kind, times):
    made = kind(tmp_path)
    rng = random.Random(1)
    kills = [{"seconds": rng.uniform(0.0, 0.15)} for _ in range(times)]
    runs = [run_of(tmp_path, made, "killed", kill) for kill in kills + [None]] + [run_of(tmp_path, made, "whole")]
    statuses, said = killed_runs.run_all(runs, seconds=900)
    assert statuses[-2:] == [0, 0] and statuses.count(KILLED) > 0, said
    same_end(tmp_path, "killed", "whole")


def test_a_full_disk_ends_a_run_that_goes_on_when_there_is_room(tmp_path, small_disk):
    made = static(tmp_path)
    statuses, said = killed_runs.run_all([run_of(tmp_path, made, "whole")])
    assert statuses == [0], said
    disk = small_disk(1 << 16)
    statuses, said = killed_runs.run_all([run_of(disk, made, "out", kill={"step": 6})])
    assert statuses == [-9], said
    small_disk((shutil.disk_usage(str(disk)).used >> 10) + 1024)  # a graph takes more
    statuses, said = killed_runs.run_all([run_of(disk, made, "out")])
    assert statuses == [1] and "Traceback" not in said
    (line,) = [line for line in said.splitlines() if line.startswith("error: ")]
    found = re.search(r"the last good checkpoint is (\S+/model.ckpt-(\d+)): make room and run the same command", line)
    assert found and flaw(found.group(1), read_all=True) is None
    small_disk(1 << 16)
    statuses, said = killed_runs.run_all([run_of(disk, made, "out")])
    assert statuses == [0] and "Going on from {}".format(found.group(1)) in said
    resumed, whole = (curve_of(folder) for folder in (disk / "out", tmp_path / "whole"))
    # The step whose checkpoint is whole, but for the graph beside it, may have come to an end before it was recorded.
    assert set(whole) - set(resumed) <= {int(found.group(2))}
    assert resumed == {step: whole[step] for step in resumed}


def test_a_disk_without_room_for_one_checkpoint(tmp_path, monkeypatch):
    monkeypatch.setattr(guards, "free_bytes", lambda path: 1999)
    with tf.Graph().as_default():
        tf.get_variable("w", [100, 5])
        tf.get_variable("global_step", [], tf.int64)
        room = guards.CheckpointRoom(str(tmp_path))
        room.begin()
    with pytest.raises(DiskFullError, match="checkpoint of step 0 takes 2.0 KB, and the disk of .* has 2.0 KB free"):
        room.before_save(None, 0)
    monkeypatch.setattr(guards, "free_bytes", lambda path: 2008)
    room.before_save(None, 0)


def test_one_training_in_a_folder_at_a_time(tmp_path):
    made = static(tmp_path)
    (tmp_path / "out").mkdir()
    with hold_lock([str(tmp_path / "out" / "checkpoint")]):
        statuses, said = killed_runs.run_all([run_of(tmp_path, made, "out")])
    assert statuses == [1] and "error: another run (process {}) is writing".format(os.getpid()) in said
