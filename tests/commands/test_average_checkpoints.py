"""The mean of the last checkpoints, and that every command takes its folder."""

import os

import numpy as np
import pytest

import average_checkpoints
import run_classifier
import similarity
from albert.base.errors import UserError
from albert.base.flags import run_command
from albert.checkpoints.average import average, mean_weights
from albert.checkpoints.description import read_description
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.training_folder import saved_checkpoints
from albert.checkpoints.values import read_weights, step_of, write_values
from tests.support import tiny_runs


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A fine-tuning run with checkpoints of steps 0, 1, 2 and 3."""
    folder = tiny_runs.write_inputs(tmp_path_factory.mktemp("averages"))
    config = folder / "zh.json"
    os.rename(tiny_runs.tiny_model.write_config(folder), str(config))
    tiny_runs.classify(
        folder, run_classifier, bert_config_file=config, vocab_file=folder / "vocab.txt", num_train_epochs=3,
        save_checkpoints_steps=1, do_eval=False, do_predict=False, learning_rate=0.1,
    )  # fmt: skip
    return folder


def run(*arguments):
    run_command(average_checkpoints.__doc__, average_checkpoints.declare_flags(), average_checkpoints.main, arguments)


def test_the_mean_is_that_of_the_last_ones(trained, tmp_path):
    out = trained / "finetuned"
    folder = average(str(out), 2, str(tmp_path / "mean"))
    prefix = find_checkpoint(folder)
    mean = read_weights(prefix)
    parts = [read_weights(str(out / "model.ckpt-{}".format(step))) for step in (2, 3)]
    assert sorted(mean) == sorted(parts[0]) and step_of(prefix) == 3
    for name in mean:
        np.testing.assert_allclose(mean[name], (parts[0][name] + parts[1][name]) / 2, rtol=1e-6, atol=1e-8)
        assert mean[name].dtype == np.float32
    assert any((parts[0][name] != parts[1][name]).any() for name in mean)


def test_the_folder_is_a_model_for_the_other_commands(trained, tmp_path, capsys):
    out = trained / "finetuned"
    run(str(out), "--last=3")
    printed = capsys.readouterr().out
    assert printed.splitlines()[0] == str(out / "average")
    assert (
        "run_classifier.py --init_checkpoint={} --task_name=lcqmc_pair --data_dir=… --do_eval=True".format(
            out / "average"
        )
        in printed
    )
    assert read_description(str(out / "average")) == read_description(str(out))
    assert similarity.BertSim(model_dir=str(out / "average")).predict_sentences([("好", "不好")]).shape == (1, 2)
    tiny_runs.classify(
        trained, run_classifier, init_checkpoint=out / "average", output_dir=tmp_path / "dev", do_train=False,
        do_predict=False,
    )  # fmt: skip
    assert (tmp_path / "dev" / "eval_results.json").exists()
    run(str(out), "--last=1")  # its own folder may be replaced
    assert saved_checkpoints(str(out))[-1] == str(out / "model.ckpt-3")


@pytest.mark.parametrize(
    "changes,message",
    [
        ({"last": 4}, "holds 3 trained checkpoints, --last=4 asks for more"),
        ({"run_dir": "none"}, "there is no folder none"),
        ({"output": "data"}, "data is there already"),
    ],
)
def test_mistakes_are_one_sentence(trained, changes, message):
    arguments = dict({"run_dir": str(trained / "finetuned"), "last": 2}, **changes)
    if "output" in arguments:
        arguments["output"] = str(trained / arguments["output"])
    with pytest.raises(UserError, match=message):
        average(**arguments)


def test_different_variables_are_named(tmp_path):
    for step, names in ((1, ("a", "b")), (2, ("a", "c"))):
        values = {name: np.ones([2], np.float32) for name in names}
        write_values(values, str(tmp_path / "model.ckpt-{}".format(step)))
    with pytest.raises(UserError, match=r"model.ckpt-1 and .*model.ckpt-2 hold different variables \(b, c\)"):
        mean_weights([str(tmp_path / "model.ckpt-{}".format(step)) for step in (1, 2)])


@pytest.mark.parametrize(
    "arguments, words",
    [
        (
            [],
            "error: RUN_DIR and --last must be given (--help lists all flags)\nexample: python average_checkpoints.py ",
        ),
        (
            ["run"],
            "error: --last must be given (--help lists all flags)\nexample: python average_checkpoints.py RUN_DIR ",
        ),
        (["run", "--last=0"], "error: flag --last=0: "),
        (["run", "--last=2", "--out=x"], "error: unknown flag --out: the nearest known one is --output "),
    ],
)
def test_the_command_line_is_strict(arguments, words, capsys):
    with pytest.raises(SystemExit) as error:
        run(*arguments)
    output = capsys.readouterr().err
    assert error.value.code == 2 and output.startswith(words) and output.count("\n") == words.count("\n") + 1
