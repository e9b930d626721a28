"""Evaluation of checkpoints: each once, remembered, the best kept."""

import os
import shutil

import numpy as np
import pytest

from albert.base.errors import UserError
from albert.checkpoints import families, folder
from albert.checkpoints.description import ModelFolder, read_description, write_description
from albert.checkpoints.files import find_checkpoint
from albert.checkpoints.folder import write_best
from albert.checkpoints.model import open_checkpoint
from albert.checkpoints.values import read_weights, step_of, write_values
from albert.monitor import evaluation
from albert.monitor.evaluation import (
    EarlyStopping,
    EvaluationListener,
    Evaluator,
    evaluate_missed,
    last_evaluated_step,
    train_in_turns,
)
from albert.monitor.figures import drop_after, read_records
from albert.monitor.goal import Baseline, Goal
from tests.support import tiny_model
from tests.support.events import scalars_in
from tests.support.marks import slow
from tests.support.published_checkpoints import model_values

ACCURACY = Goal("accuracy", is_higher_better=True)
LOSS = Goal("loss", is_higher_better=False)


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """The weights of a tiny model, and its config's path."""
    place = tmp_path_factory.mktemp("model")
    config = families.ZH.config_class.from_json_file(tiny_model.write_config(place))
    return model_values(families.ZH, config), str(place / "tiny.json")


class Run:
    """A folder with checkpoints whose accuracy is a table's."""

    def __init__(self, folder, weights, accuracies):
        self.folder, self.accuracies, self.measured = str(folder), accuracies, []
        self.weights, config = weights
        shutil.copy(config, str(folder))
        for step in accuracies:
            self.save(step)

    def save(self, step, shift=0.0):
        values = {name: value + np.float32(step + shift) for name, value in self.weights.items()}
        write_values(dict(values, global_step=np.int64(step)), self.prefix(step))

    def prefix(self, step):
        return os.path.join(self.folder, "model.ckpt-{}".format(step))

    def measure(self, prefix):
        step = step_of(prefix)
        self.measured.append(step)
        return {"accuracy": np.float32(self.accuracies[step]), "loss": 1.0, "global_step": np.int64(step)}

    def evaluator(self, goal=ACCURACY, data="dev", **more):
        return Evaluator(self.folder, name="dev", data=data, goal=goal, measure=self.measure, **more)

    def kept_step(self):
        return step_of(find_checkpoint(os.path.join(self.folder, "best")))


def test_a_checkpoint_is_measured_once_also_by_a_later_process(tmp_path, weights):
    run = Run(tmp_path, weights, {1: 0.5, 2: 0.25})
    first = [run.evaluator().evaluate(run.prefix(step)) for step in (1, 2)]
    assert [run.evaluator().evaluate(run.prefix(step)) for step in (1, 2)] == first
    assert run.measured == [1, 2]
    assert first[0] == {"accuracy": 0.5, "loss": 1.0, "global_step": 1}
    records = read_records(str(tmp_path / "metrics.jsonl"), "eval")
    assert [(r["step"], r["accuracy"]) for r in records] == [(1, 0.5), (2, 0.25)]


def test_other_weights_or_other_data_are_measured_anew(tmp_path, weights):
    run = Run(tmp_path, weights, {1: 0.5})
    run.evaluator().evaluate(run.prefix(1))
    run.save(1, shift=0.5)
    run.evaluator().evaluate(run.prefix(1))
    run.evaluator(data="other").evaluate(run.prefix(1))
    assert run.measured == [1, 1, 1]
    assert len(run.evaluator().known()) == 1 and len(run.evaluator(data="other").known()) == 1


def test_the_best_is_kept_and_outlives_its_checkpoint(tmp_path, weights):
    run = Run(tmp_path, weights, {1: 0.5, 2: 0.75, 3: 0.25, 4: 0.75, 5: 0.5})
    kept = []
    for step in (1, 2, 3, 4, 5):
        run.evaluator().evaluate(run.prefix(step))
        kept.append(run.kept_step())
    assert kept == [1, 2, 2, 4, 4]  # of equals the later
    for path in tmp_path.glob("model.ckpt-4*"):
        path.unlink()
    assert run.evaluator().best()["global_step"] == 4
    assert run.evaluator().keep_best() == str(tmp_path / "best" / "model.ckpt-4")
    model = open_checkpoint(str(tmp_path / "best"))
    assert model.config_file == str(tmp_path / "best" / "tiny.json") and model.step == 4
    values = read_weights(model.prefix)
    assert sorted(values) == sorted(run.weights)
    name = "bert/embeddings/word_embeddings"
    np.testing.assert_array_equal(values[name], run.weights[name] + np.float32(4))
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_dir()) == ["best", "eval"]


def test_only_what_is_better_than_something_trained_is_called_the_best_so_far(tmp_path, weights, caplog):
    caplog.set_level("INFO")
    run = Run(tmp_path, weights, {0: 0.5, 1: 0.5, 2: 0.5, 3: 0.75, 4: 0.25})
    baseline = Baseline("the commonest label", 0.5)
    for step in run.accuracies:
        run.evaluator(find_baseline=lambda: baseline).evaluate(run.prefix(step))
    figures = "accuracy {} (the commonest label: 50.0 %), loss 1.0000"
    assert [record.message for record in caplog.records if record.name == "albert.monitor.evaluation"] == [
        "dev, step 0: " + figures.format("50.0 %"),
        "dev, step 1: " + figures.format("50.0 %"),
        "dev, step 2: " + figures.format("50.0 %"),
        "dev, step 3: " + figures.format("75.0 %") + ", the best so far",
        "dev, step 4: " + figures.format("25.0 %"),
    ]


def test_the_best_is_described_with_the_weights_and_again_after_a_kill_between_record_and_folder(
    tmp_path, weights, monkeypatch
):
    run = Run(tmp_path, weights, {1: 0.5, 2: 0.75, 3: 0.25})
    (tmp_path / "vocab.txt").write_text("a\n")
    of_run = ModelFolder("topics", ("a",), "zh", "tiny.json", "vocab.txt", True, 8, thresholds=(0.5,))
    write_description(run.folder, of_run)

    def evaluator():
        return run.evaluator(describe=lambda prefix: of_run._replace(thresholds=(step_of(prefix) / 8,)))

    def kept_threshold():
        return read_description(str(tmp_path / "best")).thresholds

    evaluator().evaluate(run.prefix(1))
    assert kept_threshold() == (0.125,)
    with monkeypatch.context() as patch:
        patch.setattr(Evaluator, "_keep", lambda *arguments: None)
        evaluator().evaluate(run.prefix(2))
    assert kept_threshold() == (0.125,) and run.kept_step() == 1
    evaluator().evaluate(run.prefix(3))
    evaluator().keep_best()
    assert kept_threshold() == (0.25,) and run.kept_step() == 2


def test_what_is_untrained_is_the_best_only_while_it_is_alone(tmp_path, weights):
    run = Run(tmp_path, weights, {0: 0.75, 1: 0.5})
    run.evaluator().evaluate(run.prefix(0))
    assert run.kept_step() == 0
    run.evaluator().evaluate(run.prefix(1))
    assert run.kept_step() == 1 and run.evaluator().best()["global_step"] == 1


def test_every_evaluation_is_an_event_of_the_run_eval(tmp_path, weights):
    run = Run(tmp_path, weights, {1: 0.5, 2: 0.25})
    evaluator = run.evaluator()
    for step in (1, 2, 1):
        evaluator.evaluate(run.prefix(step))
    assert scalars_in(tmp_path / "eval") == [(1, {"accuracy": 0.5, "loss": 1.0}), (2, {"accuracy": 0.25, "loss": 1.0})]


def test_the_best_has_a_card_with_its_figures(tmp_path, weights):
    run = Run(tmp_path, weights, {1: 0.5})
    run.evaluator(find_baseline=lambda: Baseline("the commonest label", 0.25)).evaluate(run.prefix(1))
    card = (tmp_path / "best" / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "| dev accuracy | 50.0 % (the commonest label: 25.0 %) |" in card and "| dev loss | 1.0000 |" in card


def test_the_best_by_loss_is_the_lowest_and_what_is_no_number_never(tmp_path, weights):
    run = Run(tmp_path, weights, {1: 0.0, 2: 0.0, 3: 0.0})
    losses = {1: 2.0, 2: 1.0, 3: float("nan")}
    evaluator = Evaluator(
        run.folder, name="dev", data=0, goal=LOSS,
        measure=lambda prefix: {"loss": losses[step_of(prefix)], "global_step": step_of(prefix)},
    )  # fmt: skip
    for step in (1, 2, 3):
        evaluator.evaluate(run.prefix(step))
    assert evaluator.best()["global_step"] == 2 and run.kept_step() == 2
    assert evaluator.known()[-1]["loss"] is None


def test_a_best_folder_of_a_lost_future_is_put_right(tmp_path, weights):
    run = Run(tmp_path, weights, {1: 0.5, 2: 0.75})
    for step in (1, 2):
        run.evaluator().evaluate(run.prefix(step))
    drop_after(str(tmp_path / "metrics.jsonl"), 1)  # training went on from step 1
    run.evaluator().keep_best()
    assert run.kept_step() == 1


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path, weights):
    run = Run(tmp_path, weights, {1: 0.5})
    (tmp_path / "best").mkdir()
    (tmp_path / "best" / "thesis.txt").write_text("mine")
    with pytest.raises(UserError, match="best holds something else than a model: move it away"):
        write_best(run.folder, run.prefix(1))
    assert (tmp_path / "best" / "thesis.txt").read_text() == "mine"


def test_a_half_written_best_does_not_hide_the_old_one(tmp_path, weights, monkeypatch):
    run = Run(tmp_path, weights, {1: 0.5, 2: 0.75})
    run.evaluator().evaluate(run.prefix(1))

    def fail(prefix, target):
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "write_weights", fail)
    with pytest.raises(KeyboardInterrupt):
        run.evaluator().evaluate(run.prefix(2))
    assert run.kept_step() == 1
    monkeypatch.undo()
    assert run.evaluator().keep_best() == str(tmp_path / "best" / "model.ckpt-2")
    assert run.kept_step() == 2


@pytest.mark.parametrize("every_steps,expected", [(None, [3, 4, 6]), (2, [4, 6]), (3, [6])])
def test_the_listener_takes_checkpoints_as_they_come_but_the_first(tmp_path, weights, every_steps, expected):
    run = Run(tmp_path, weights, {})
    evaluated = []
    evaluator = run.evaluator()
    evaluator.evaluate = lambda prefix: evaluated.append(int(prefix.rpartition("-")[2]))
    listener = EvaluationListener(evaluator, run.folder, every_steps)
    for step in (2, 3, 4, 6):
        listener.after_save(None, np.int64(step))
    assert evaluated == expected


class Noted:
    """Stands for an evaluator: notes the steps that it is to evaluate."""

    def __init__(self):
        self.steps = []

    def evaluate(self, prefix):
        self.steps.append(step_in(prefix))

    def known(self):
        return [{"global_step": step} for step in self.steps]


def step_in(prefix):
    return int(prefix.rpartition("-")[2])


@pytest.mark.parametrize("killed_at", range(1, 13))
@pytest.mark.parametrize("every_steps", [None, 2, 5])
def test_a_kill_between_saving_and_evaluating_changes_no_evaluation(monkeypatch, every_steps, killed_at):
    """The steps are checkpoints; the process is killed when one of them is saved and not yet evaluated."""
    monkeypatch.setattr(evaluation, "step_of", step_in)
    whole, resumed = Noted(), Noted()
    train_from(whole, 0, 12, every_steps)
    train_from(resumed, 0, killed_at - 1, every_steps)
    train_from(resumed, killed_at, 12, every_steps)
    assert resumed.steps == whole.steps and whole.steps


def train_from(evaluator, first, last, every_steps):
    """Saves the checkpoints from one to another, as an observer does; the first is that with which it begins."""
    if first:
        evaluate_missed(evaluator, "model.ckpt-{}".format(first), every_steps)
    listener = EvaluationListener(evaluator, "folder", every_steps, last_step=last_evaluated_step(evaluator, first))
    for step in range(first, last + 1):
        listener.after_save(None, np.int64(step))


def test_what_was_evaluated_is_not_evaluated_again_when_a_run_goes_on(tmp_path, weights):
    run = Run(tmp_path, weights, {1: 0.5, 3: 0.6})
    for _ in range(2):
        evaluate_missed(run.evaluator(), run.prefix(3), None)
        assert run.measured == [3]
    evaluate_missed(run.evaluator(), run.prefix(1), 2)  # not due
    assert run.measured == [3] and [last_evaluated_step(run.evaluator(), until) for until in (2, 7)] == [0, 3]


def test_on_a_tpu_training_and_evaluation_take_turns():
    done = []

    class Fake:
        def evaluate(self, prefix):
            done.append(prefix)

    train_in_turns(
        done.append, Fake(), first_step=3, last_step=12, every_steps=4, latest=lambda: "ckpt-{}".format(done[-1])
    )
    assert done == [7, "ckpt-7", 11, "ckpt-11", 12, "ckpt-12"]


@pytest.mark.parametrize(
    ("accuracies", "since"),
    [
        ([0.5, 0.4, 0.45], 2),
        ([float("nan"), 0.1, 0.0], 1),
        slow([0.5], 0),
        slow([0.5, 0.4, 0.6], 0),
        slow([0.5, 0.5, 0.5], 2),
    ],
)
def test_evaluations_without_a_better_one_are_counted(tmp_path, weights, accuracies, since):
    run = Run(tmp_path, weights, dict(enumerate(accuracies, start=1)))
    evaluator = run.evaluator()
    assert evaluator.evaluations_since_best() == 0
    for step in run.accuracies:
        evaluator.evaluate(run.prefix(step))
    assert evaluator.evaluations_since_best() == since
    assert run.evaluator().evaluations_since_best() == since  # so it is for a later process


def test_the_untrained_checkpoint_takes_no_part_in_early_stopping(tmp_path, weights):
    run = Run(tmp_path, weights, {0: 0.9, 1: 0.25, 2: 0.5})
    for step in run.accuracies:
        run.evaluator().evaluate(run.prefix(step))
    assert run.evaluator().evaluations_since_best() == 0


def test_patience_ends_training_by_the_listener_and_in_turns(tmp_path, weights):
    accuracies = {1: 0.5, 2: 0.6, 3: 0.6, 4: 0.55, 5: 0.9}
    run = Run(tmp_path, weights, accuracies)
    evaluator = run.evaluator()
    listener = EvaluationListener(evaluator, run.folder, early_stopping=EarlyStopping(evaluator, 2))
    assert [listener.after_save(None, step) for step in (0, 1, 2, 3, 4)] == [False, False, False, False, True]
    assert run.measured == [1, 2, 3, 4] and run.kept_step() == 3  # of equals, the later one
    trained = []

    def train(until):
        train_in_turns(
            trained.append,
            evaluator,
            first_step=4,
            last_step=until,
            every_steps=1,
            latest=lambda: run.prefix(trained[-1]),
            early_stopping=EarlyStopping(evaluator, 2),
        )

    train(until=5)
    assert trained == []
