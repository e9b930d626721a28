"""The same training on one device, on two and by two processes, of which one is killed and both are started again."""

import json
import re
import signal

import numpy as np
import pytest

from albert.checkpoints.training_folder import flaw
from tests.support import tiny_model, tiny_runs, worker_runs

STEPS = 10
SAVED = 5  # the last checkpoint before one is killed
KILLED_AFTER = 7
KILLED = -signal.SIGKILL
PHASES = ["pretraining", pytest.param("fine_tuning", marks=pytest.mark.slow)]


def write_inputs(folder):
    """Records and pairs, and a config without dropout whose gradients are so large that they are clipped."""
    for number in range(3):
        tiny_model.write_pretraining_records(folder / "records-{}".format(number), 7 + number, seed=number)
    tiny_model.write_pairs(folder / "data", train=19, dev=4)
    tiny_model.write_vocab(folder)
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    tiny_model.write_config(folder, num_hidden_layers=1, initializer_range=0.8, **no_dropout)


def pretraining(folder, output, **changes):
    values = {
        "input_file": folder / "records-*",
        "bert_config_file": folder / "tiny.json",
        "max_seq_length": tiny_model.SEQ_LENGTH,
        "max_predictions_per_seq": tiny_model.PREDICTIONS,
        "do_train": True,
        "optimizer": "lamb",
        "learning_rate": 0.02,
        "train_batch_size": 8,
        "num_train_steps": STEPS,
        "num_warmup_steps": 2,
        "save_checkpoints_steps": 100,
        "log_every_steps": 1,
        "eval_share": 0.0,
        "output_dir": folder / output,
    }
    return "run_pretraining", dict(values, **changes)


def fine_tuning(folder, output, **changes):
    values = {
        "task_name": "lcqmc_pair",
        "data_dir": folder / "data",
        "vocab_file": folder / "vocab.txt",
        "albert_config_file": folder / "tiny.json",
        "max_seq_length": 16,
        "do_train": True,
        "optimizer": "adamw",
        "learning_rate": 0.002,
        "train_batch_size": 4,
        "num_train_epochs": 2.2,  # 10 steps
        "save_checkpoints_steps": 100,
        "log_every_steps": 1,
        "output_dir": folder / output,
    }
    return "run_classifier_sp_google", dict(values, **changes)


COMMANDS = {"pretraining": pretraining, "fine_tuning": fine_tuning}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """By phase, the folder in which it was trained in one process, on two devices and by two workers."""

    class Folders(dict):
        def __missing__(self, phase):
            self[phase] = train(COMMANDS[phase], tmp_path_factory.mktemp(phase))
            return self[phase]

    return Folders()


def train(phase, folder):
    """The second of two workers is killed, and both are started again."""
    write_inputs(folder)
    divided = {"num_devices": 2, "gradient_accumulation_steps": 2}
    # What the chief alone does is asked of both.
    workers = phase(folder, "workers", save_checkpoints_steps=SAVED, do_eval=True, eval_every_steps=0)
    stages = [
        [
            worker_runs.run(*phase(folder, "one"), log=folder / "one.log"),
            worker_runs.run(*phase(folder, "devices", **divided), log=folder / "devices.log"),
            *worker_runs.workers(*workers, log=folder / "first", kills=(None, KILLED_AFTER)),
        ],
        worker_runs.workers(*workers, log=folder / "again"),
    ]
    statuses = worker_runs.run_all(stages)
    assert statuses == [[0, 0, 1, KILLED], [0, 0]], [said(run["log"]) for stage in stages for run in stage]
    return folder


def said(log):
    with open(str(log), encoding="utf-8") as file:
        return file.read()


def records(folder):
    """Of a step that was made again, the last."""
    with open(str(folder / "metrics.jsonl"), encoding="utf-8") as file:
        found = {record["step"]: record for record in map(json.loads, file) if record["kind"] == "train"}
    assert sorted(found) == list(range(1, STEPS + 1))
    return [found[step] for step in sorted(found)]


def total(values):
    return sum(float(np.sum(value, dtype=np.float64)) for value in values)


def assert_same_training(folder, one, other):
    """The weights of two runs, and the losses on the way there."""
    expected, found = tiny_runs.values_of(folder / one), tiny_runs.values_of(folder / other)
    assert set(found) == set(expected)  # the names do not tell how it was trained
    # What attention does not depend on is moved by rounding noise alone.
    names = [name for name in expected if "key/bias" not in name]
    assert total(found[name] for name in names) == pytest.approx(total(expected[name] for name in names), rel=1e-4)
    for name in names:
        np.testing.assert_allclose(found[name], expected[name], atol=2e-3, err_msg=name)
    losses = [[record["loss"] for record in records(folder / run)] for run in (one, other)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)


@pytest.mark.parametrize("phase", PHASES)
def test_gradients_were_clipped(trained, phase):
    norms = [record["gradient_norm"] for record in records(trained[phase] / "one")]
    assert sorted(norms)[STEPS // 2] > 1.0


@pytest.mark.parametrize("phase", PHASES)
def test_two_devices_with_accumulation_train_as_one(trained, phase):
    assert_same_training(trained[phase], "one", "devices")


@pytest.mark.parametrize("phase", PHASES)
def test_two_processes_train_as_one(trained, phase):
    assert_same_training(trained[phase], "one", "workers")


@pytest.mark.parametrize("phase", PHASES)
def test_a_killed_worker_ends_the_other_in_a_sentence(trained, phase):
    chief = said(trained[phase] / "first-0")
    (sentence,) = [line for line in chief.splitlines() if line.startswith("error: ")]
    latest = trained[phase] / "workers" / "model.ckpt-{}".format(SAVED)
    assert re.match(
        r"error: worker 1 \(127.0.0.1:\d+\) has gone, so training has stopped: start all workers again with the same "
        "commands; they go on from the last good checkpoint, {}$".format(re.escape(str(latest))),
        sentence,
    )
    assert "Traceback" not in chief
    # The rerun kept it: it was whole.
    assert flaw(str(latest), read_all=True) is None
    assert "Going on from {} (".format(latest) in said(trained[phase] / "again-0")


@pytest.mark.parametrize("phase", PHASES)
def test_only_the_chief_shows_and_evaluates(trained, phase):
    chief, other = (said(trained[phase] / "again-{}".format(index)) for index in (0, 1))
    assert "step 10/10" in chief and "accuracy" in chief
    assert not re.search("loss|accuracy|step 10|Curves", other)
    *_, before, last = other.splitlines()
    assert before.startswith("Going on from ")
    assert re.match(r"worker 1 \(.*\) is done; worker 0 \(.*\) keeps what was trained\.$", last)


@pytest.mark.slow
def test_a_killed_chief_ends_the_other_in_a_sentence(tmp_path):
    write_inputs(tmp_path)
    values = pretraining(tmp_path, "out", save_checkpoints_steps=SAVED)
    runs = worker_runs.workers(*values, log=tmp_path / "log", kills=(KILLED_AFTER, None))
    assert worker_runs.run_all([runs]) == [[KILLED, 1]]
    (sentence,) = [line for line in said(tmp_path / "log-1").splitlines() if line.startswith("error: ")]
    assert "start all workers again" in sentence and "model.ckpt-{}".format(SAVED) in sentence
