"""The benchmarks of training, on models of a few numbers: what is compared, how it is counted, and what is refused."""

import json
import os
import sys

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import optimization
import run_classifier
from albert.base.errors import UserError
from albert.base.paths import ROOT
from albert.checkpoints import families
from albert.pretraining.model_fn import build_pretraining_model_fn
from albert.training.step import TrainingSetup
from benchmarks import (
    batch_files,
    environments,
    finetuning,
    finetuning_accuracy,
    lcqmc_like,
    plain_pretraining,
    startup,
    training_variants,
    training_worker,
    turns,
)
from benchmarks import pretraining as pretraining_benchmark
from benchmarks.processes import Measured
from benchmarks.step_session import StepSession
from tests.support import tiny_model


@pytest.fixture
def tiny(tmp_path):
    """Flags that name a tiny model and this Python."""
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    return {
        "bert_config_file": tiny_model.write_config(tmp_path, **no_dropout),
        "vocab_file": tiny_model.write_vocab(tmp_path),
        "pythons": sys.executable,
    }


@pytest.fixture
def in_this_process(monkeypatch):
    """Training workers work here, one after the other."""

    def in_turns(commands, runs):
        results = {}
        for name, command in commands.items():
            assert command[:3] == [sys.executable, "-m", "benchmarks.training_worker"]
            flags = training_worker.declare_flags()
            flags.parse(command[3:])

            def serve(description, work, name=name):
                results[name] = turns.Turns(description, [work() for _ in range(runs)])

            monkeypatch.setattr(training_worker, "serve", serve)
            training_worker.main(flags)
        return results

    monkeypatch.setattr(finetuning, "in_turns", in_turns)
    monkeypatch.setattr(pretraining_benchmark, "in_turns", in_turns)


def parsed(module, **values):
    flags = module.declare_flags()
    flags.parse(["--{}={}".format(name, value) for name, value in values.items()])
    return flags


def cells_of(text):
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|"]


@pytest.mark.slow
def test_the_plain_step_does_the_arithmetic_of_ours(tiny):
    config = families.ZH.config_class.from_json_file(tiny["bert_config_file"])
    settings = optimization.OptimizerSettings(
        1e-4, training_variants.STEPS, optimizer="lamb", exclude_from_layer_adaptation=()
    )
    batch = training_variants.pretraining_batch(np.random.RandomState(0), 3, 11, 4, config.vocab_size)
    batch["input_mask"][1, 7:] = 0
    batch["masked_lm_weights"][2, 3] = 0.0
    ours = StepSession(build_pretraining_model_fn(families.ZH, config, TrainingSetup(optimizer=settings)), [batch])
    plain = StepSession(plain_pretraining.model_fn_of(config), [batch])
    copy_weights(ours._session, plain._session)
    losses = [[session.step(batch) for _ in range(3)] for session in (ours, plain)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert len(set(losses[0])) == 3


def copy_weights(source, target):
    """Gives every variable of a session's graph the value that its namesake has in another's."""
    variables = [{v.op.name: v for v in session.graph.get_collection("variables")} for session in (source, target)]
    trained = {v.op.name for v in target.graph.get_collection("trainable_variables")}
    assert trained == {v.op.name for v in source.graph.get_collection("trainable_variables")}
    with target.graph.as_default():
        for name in trained:
            variables[1][name].load(source.run(variables[0][name]), target)


def test_a_profile_counts_every_product(tiny):
    config = families.ZH.config_class.from_json_file(tiny["bert_config_file"])
    batch = training_variants.pair_batch(np.random.RandomState(0), 3, 7, config.vocab_size)
    kinds = StepSession(training_variants.finetuning(config), [batch]).profile(batch, 2)
    assert [kind.milliseconds for kind in kinds] == sorted((kind.milliseconds for kind in kinds), reverse=True)
    assert sum(kind.calls for kind in kinds if "MatMul" in kind.kind) > 10 * config.num_hidden_layers


def test_batches_come_back_as_they_were(tmp_path):
    written = [{"a": np.arange(number + 2).reshape([1, -1])} for number in range(11)]
    batch_files.write_batches(str(tmp_path / "batches.npz"), written)
    read = batch_files.read_batches(str(tmp_path / "batches.npz"))
    assert [batch["a"].tolist() for batch in read] == [batch["a"].tolist() for batch in written]


def test_made_up_pairs_are_as_long_as_those_of_lcqmc():
    lengths = lcqmc_like.draw_lengths(20000, np.random.RandomState(0))
    assert lengths.mean() == pytest.approx(25, abs=0.5)
    assert np.percentile(lengths, [5, 50, 99]) == pytest.approx([16, 23, 62], abs=1)


def test_spread_batches_are_the_middles_of_equal_parts():
    batches = ({"input_ids": np.zeros([2, length])} for length in (9, 1, 5, 7, 3, 2, 8, 4, 6))
    assert [batch["input_ids"].shape[1] for batch in finetuning.spread(batches, 3)] == [2, 5, 8]
    with pytest.raises(UserError, match="do not fill a batch"):
        finetuning.spread(iter([]), 3)


def test_padding_lengthens_what_has_a_length():
    batch = training_variants.pair_batch(np.random.RandomState(0), 2, 3, 50)
    padded = finetuning.pad(batch, 5)
    assert padded["input_mask"].tolist() == [[1, 1, 1, 0, 0]] * 2
    assert padded["input_ids"][:, :3].tolist() == batch["input_ids"].tolist()
    assert padded["label_ids"].tolist() == batch["label_ids"].tolist()


def test_rates_are_compared_turn_by_turn():
    rates = {
        ("old", finetuning.BUCKETED): [80.0, 30.0, 60.0],
        ("old", finetuning.PADDED): [10.0, 5.0, 6.0],
        ("torch", finetuning.BUCKETED): [40.0, 30.0, 10.0],
    }
    rows = cells_of(finetuning.report(rates))[2:]
    assert rows == [
        ["old", "bucketed", "60.0", "8.00x", "8.00x", "2.00x"],
        ["old", "padded", "6.0", "1.00x", "1.00x", "0.25x"],
        ["torch", "bucketed", "30.0", "", "4.00x", "1.00x"],
    ]


@pytest.mark.slow
def test_the_speed_of_fine_tuning(tiny, in_this_process, capsys):
    sizes = {"rows": 40, "batch_size": 4, "max_seq_length": 15, "batches": 3, "padded_batches": 2, "runs": 2}
    finetuning.main(parsed(finetuning, torch_python="", precision="", **sizes, **tiny))
    rows = cells_of(capsys.readouterr().out)
    environment = "TensorFlow " + tf.__version__
    assert [row[:2] for row in rows[2:]] == [[environment, "bucketed"], [environment, "padded"]]
    assert rows[3][3] == "1.00x" and float(rows[2][2]) > 0


def test_accuracies_are_compared_by_seed(tmp_path, monkeypatch, capsys):
    values = {("bucketed", "1"): 0.5, ("bucketed", "2"): 0.8, ("mixed", "1"): 0.6, ("mixed", "2"): 0.6}
    monkeypatch.setattr(finetuning_accuracy, "train", lambda flags, folder, *run: (values[run], 7.0))
    flags = parsed(finetuning, data_dir=tiny_model.write_pairs(tmp_path / "data"), accuracy=4, seeds="1,2")
    finetuning_accuracy.compare(flags, str(tmp_path))
    assert cells_of(capsys.readouterr().out)[2:] == [
        ["seed 1", "50.00%", "60.00%", "-10.00", "7 / 7"],
        ["seed 2", "80.00%", "60.00%", "+20.00", "7 / 7"],
        ["mean", "65.00%", "60.00%", "+5.00", ""],
    ]
    lines = (tmp_path / "data" / "train.txt").read_bytes().splitlines()
    assert (tmp_path / "train.txt").read_bytes().splitlines() == [lines[n * len(lines) // 4] for n in range(4)]
    assert (tmp_path / "dev.txt").read_bytes() == (tmp_path / "data" / "dev.txt").read_bytes()


@pytest.mark.slow
def test_an_accuracy_is_that_of_the_real_command(tiny, tmp_path, monkeypatch):
    def measure(command):
        assert os.path.basename(command[1]) == "run_classifier.py"
        flags = run_classifier.declare_flags()
        flags.parse(command[2:])
        run_classifier.main(flags)
        return Measured(9.0, 9.0, 1, "")

    monkeypatch.setattr(finetuning_accuracy, "measure", measure)
    folder = tiny_model.write_pairs(tmp_path / "data")
    flags = parsed(finetuning, data_dir=folder, batch_size=3, max_seq_length=9, precision="", **tiny)
    accuracy, seconds = finetuning_accuracy.train(flags, folder, "mixed", "5")
    assert accuracy * 7 == pytest.approx(round(accuracy * 7), abs=1e-4) and seconds == 9.0  # 7 dev rows


@pytest.mark.slow
def test_the_speed_of_pre_training(tiny, in_this_process, capsys):
    sizes = {"max_seq_length": 11, "max_predictions_per_seq": 3, "batch_size": 2, "batches": 2, "runs": 2}
    pretraining_benchmark.main(parsed(pretraining_benchmark, seconds=0, precision="", **sizes, **tiny))
    rows = cells_of(capsys.readouterr().out)
    assert [row[1] for row in rows[2:]] == ["plain_pretraining", "pretraining"]
    assert rows[2][3:] == ["1.00x", "1.00x"]


def test_the_profile(tiny, in_this_process, capsys):
    sizes = {"max_seq_length": 7, "batch_size": 2, "profile_steps": 1, "profile_rows": 2}
    pretraining_benchmark.main(parsed(pretraining_benchmark, profile=True, variant="finetuning", **sizes, **tiny))
    rows = cells_of(capsys.readouterr().out)
    assert rows[0] == ["op", "ms", "share", "calls"]
    assert len(rows) == 5 and rows[-1][0] == "all" and rows[-1][2] == "100.0%"


@pytest.mark.slow
def test_the_parts_of_a_start(tiny, tmp_path):
    """The real command through the probe: its parts follow each other and add up."""
    records = tiny_model.write_pretraining_records(tmp_path / "static.tfrecord", 50)
    flags = parsed(
        startup, max_seq_length=tiny_model.SEQ_LENGTH, max_predictions_per_seq=tiny_model.PREDICTIONS, **tiny
    )
    arguments = startup.arguments_of("run_pretraining", flags, os.path.dirname(records))
    noted = startup.start(sys.executable, "run_pretraining", arguments)
    parts = startup.parts_of(noted["ends"])
    total = parts.pop("in all")
    assert noted["version"] == tf.__version__
    assert list(parts) == ["imports", "data", "graph", "session", "first step"]
    assert min(parts.values()) >= 0 and sum(parts.values()) == pytest.approx(total)


def test_a_missing_environment_is_refused(tiny):
    with pytest.raises(UserError, match="there is no nowhere/python: .* --pythons"):
        environments.pythons(parsed(startup, **dict(tiny, pythons="nowhere/python")))


def test_workers_take_turns(tmp_path):
    """Real processes: they prepare in order, and each turn of one comes before the next turn of the other."""
    log = tmp_path / "log"
    lines = [
        "import sys; sys.path.insert(0, {!r})".format(ROOT),
        "from benchmarks import turns",
        "def work(): open({!r}, 'a').write(sys.argv[1]); print('noise'); return len(sys.argv[1])".format(str(log)),
        "turns.serve({'is': sys.argv[1]}, work)",
    ]
    (tmp_path / "worker.py").write_text("\n".join(lines))
    commands = {name: [sys.executable, str(tmp_path / "worker.py"), name] for name in ("a", "bc")}
    assert turns.in_turns(commands, 3) == {
        "a": turns.Turns({"is": "a"}, [1, 1, 1]),
        "bc": turns.Turns({"is": "bc"}, [2, 2, 2]),
    }
    assert log.read_text() == "abc" * 3


def test_a_worker_that_fails_is_shown(tmp_path):
    code = "import sys; sys.exit({})".format(json.dumps("out of paper"))
    with pytest.raises(SystemExit, match="failed:\nout of paper"):
        turns.in_turns({"a": [sys.executable, "-c", code]}, 1)
