"""The same training on one device, on two and by two processes; and what happens when one of the two is killed."""

import json
import signal

import numpy as np
import pytest
import tiny_model
import tiny_runs
import worker_runs

import training_checkpoints

pytestmark = pytest.mark.slow  # a minute; test_replicas.py divides a smaller training

STEPS = 10
KILLED = -signal.SIGKILL


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


PHASES = {"pretraining": pretraining, "fine_tuning": fine_tuning}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """The folder in which both phases were trained in three ways, and the exit statuses."""
    folder = tmp_path_factory.mktemp("divided")
    write_inputs(folder)
    stages = []
    for name, phase in PHASES.items():
        one = worker_runs.run(*phase(folder, name + "-one"), log=folder / (name + "-one.log"))
        two = worker_runs.run(
            *phase(folder, name + "-devices", num_devices=2, gradient_accumulation_steps=2),
            log=folder / (name + "-devices.log")
        )  # fmt: skip
        # The flags of the chief's other work are the same for all.
        command, values = phase(folder, name + "-workers", do_eval=True)
        stages += [[one], [two], worker_runs.workers(command, values, folder / (name + "-workers.log"))]
    return folder, worker_runs.run_all([{"runs": runs} for runs in stages])


def said(folder, name):
    return (folder / name).read_text(encoding="utf-8")


def records(folder):
    with open(str(folder / "metrics.jsonl"), encoding="utf-8") as file:
        return [record for record in map(json.loads, file) if record["kind"] == "train"]


def assert_same_training(folder, one, other):
    """The weights of two runs, and the losses on the way there."""
    expected, found = tiny_runs.values_of(folder / one), tiny_runs.values_of(folder / other)
    assert set(found) == set(expected)  # the names do not tell how it was trained
    # What attention does not depend on is moved by rounding noise alone.
    names = [name for name in expected if "key/bias" not in name]
    total = sum(float(np.sum(expected[name], dtype=np.float64)) for name in names)
    assert sum(float(np.sum(found[name], dtype=np.float64)) for name in names) == pytest.approx(total, rel=1e-4)
    for name in names:
        np.testing.assert_allclose(found[name], expected[name], atol=2e-3, err_msg=name)
    losses = [[record["loss"] for record in records(folder / run)] for run in (one, other)]
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-4)
    assert len(losses[0]) == STEPS


@pytest.mark.parametrize("phase", sorted(PHASES))
def test_gradients_were_clipped(trained, phase):
    folder, statuses = trained
    assert statuses == [[0], [0], [0, 0]] * 2, [said(folder, path.name) for path in folder.glob("*.log*")]
    norms = [record["gradient_norm"] for record in records(folder / (phase + "-one"))]
    assert sorted(norms)[STEPS // 2] > 1.0


@pytest.mark.parametrize("phase", sorted(PHASES))
def test_two_devices_with_accumulation_train_as_one(trained, phase):
    assert_same_training(trained[0], phase + "-one", phase + "-devices")


@pytest.mark.parametrize("phase", sorted(PHASES))
def test_two_processes_train_as_one(trained, phase):
    assert_same_training(trained[0], phase + "-one", phase + "-workers")


def test_only_the_chief_shows_and_evaluates(trained):
    folder, _ = trained
    chief, other = (said(folder, "pretraining-workers.log-{}".format(index)) for index in (0, 1))
    assert "step 10/10" in chief and "masked_lm_accuracy" in chief
    assert len(other.splitlines()) == 1
    assert "worker 1" in other and "is done" in other


def test_a_killed_worker_ends_the_other_and_the_rerun_goes_on(tmp_path):
    write_inputs(tmp_path)
    steps = {"num_train_steps": 3000, "num_warmup_steps": 2, "save_checkpoints_steps": 20}
    values = pretraining(tmp_path, "killed", **steps)
    runs = worker_runs.workers(*values, log=tmp_path / "first")
    (statuses,) = worker_runs.run_all(
        [{"runs": runs, "kill": [1, tmp_path / "killed" / "model.ckpt-40.index"]}]
    )  # fmt: skip
    chief = said(tmp_path, "first-0")
    assert statuses == [1, KILLED], chief
    latest = training_checkpoints.latest_checkpoint(str(tmp_path / "killed"))
    sentence = next(line for line in chief.splitlines() if line.startswith("error: "))
    assert "start all workers again" in sentence and latest in sentence
    reached = int(latest.rsplit("-", 1)[1])
    assert training_checkpoints.flaw(latest, read_all=True) is None and reached >= 20
    # Again, a few steps further; and in one process from the same checkpoint.
    values[1]["num_train_steps"] = reached + 5
    again = worker_runs.workers(*values, log=tmp_path / "again")
    assert worker_runs.run_all([{"runs": again}]) == [[0, 0]], said(tmp_path, "again-0")
    assert [record["step"] for record in records(tmp_path / "killed")][-5:] == list(range(reached + 1, reached + 6))
