"""A training of one weight under everything that watches: what is saved, measured, drawn, and when it ends."""

import json
import os
import resource
import signal

import pytest
import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.checkpoints.training_folder import saved_checkpoints
from albert.checkpoints.values import read_weights, step_of
from albert.monitor.figures import read_records
from albert.monitor.observer import ObserverSettings, TrainingObserver
from albert.training.run import explained_errors
from tests.support.events import events_in, scalars_in

STEPS = 6


class Evaluator:
    """Notes what it is asked to evaluate, and how many graphs the training built by then."""

    def __init__(self):
        self.evaluated = []

    def evaluate(self, prefix):
        self.evaluated.append(step_of(prefix))

    def known(self):
        return [{"global_step": step} for step in self.evaluated]


class Training:
    """One weight that grows by one a step; `bad` is the step at which a scalar is no number."""

    more_weights = 0

    def __init__(self, folder, bad=None, scalar="loss", value=float("nan"), **changes):
        self.folder, self.bad, self.scalar, self.value = str(folder), bad, scalar, value
        self.graphs = 0
        self.evaluator = Evaluator()
        self.settings = ObserverSettings(
            str(folder), STEPS, warmup_steps=0, batch_size=2, save_checkpoints_steps=2, log_every_steps=1
        )._replace(**changes)

    def model_fn(self, features, labels, mode):
        self.graphs += 1
        step = tf.train.get_or_create_global_step()
        weight = tf.get_variable("weight", initializer=0.0)
        if self.more_weights:
            tf.get_variable("more", [self.more_weights])
        tensors = {"loss": 10.0 - weight, "gradient_norm": tf.constant(1.0), "tokens": tf.constant(7.0)}
        if self.bad:
            is_bad = tf.equal(step, self.bad - 1)
            tensors[self.scalar] = tf.where(is_bad, self.value, tensors[self.scalar])
        with tf.control_dependencies([features, *tensors.values()]):
            train_op = tf.group(weight.assign_add(1.0), step.assign_add(1))
        hooks = self.observer.make_hooks(tensors)
        return tf.estimator.EstimatorSpec(mode, loss=tensors["loss"], train_op=train_op, training_hooks=hooks)

    def run(self, steps=STEPS, num_batches=-1):
        settings = self.settings._replace(total_steps=steps)
        self.observer = TrainingObserver(
            settings, advice="train slower", collapse_cause="too large a step", evaluator=self.evaluator
        )
        config = tf.estimator.RunConfig(
            model_dir=self.folder, save_checkpoints_steps=2, log_step_count_steps=None, keep_checkpoint_max=9
        )
        estimator = tf.estimator.Estimator(self.model_fn, config=config)
        with explained_errors(self.folder, "train slower"):
            self.observer.train(estimator, lambda: tf.data.Dataset.from_tensors(1.0).repeat(num_batches))
        return self

    def saved_steps(self):
        return [int(prefix.rpartition("-")[2]) for prefix in saved_checkpoints(self.folder)]

    def records(self):
        return read_records(os.path.join(self.folder, "metrics.jsonl"))


def test_checkpoints_are_evaluated_as_they_are_saved_by_one_training_graph(tmp_path, caplog):
    caplog.set_level("INFO")
    training = Training(tmp_path).run(steps=5)
    assert training.saved_steps() == [0, 2, 4, 5]
    assert training.evaluator.evaluated == [2, 4, 5]
    assert training.graphs == 1
    training.observer.say_what_was_done()
    assert "Trained to step 5 in 0:00:" in caplog.text and "Loss: first 10.0000, last 6.0000" in caplog.text
    assert [record["step"] for record in training.records()] == [1, 2, 3, 4, 5]
    assert training.records()[-1]["tokens_per_second"] == pytest.approx(
        training.records()[-1]["examples_per_second"] * 7 / 2
    )


def test_a_resumed_run_goes_on_in_tensorboard_where_its_checkpoint_is(tmp_path):
    Training(tmp_path, log_every_steps=3).run(steps=4)
    Training(tmp_path, log_every_steps=3).run(steps=6)
    starts = [event.step for event in events_in(tmp_path) if event.session_log.status == tf.SessionLog.START]
    assert starts[-1] == 5
    reports = [(step, scalars["loss"]) for step, scalars in scalars_in(tmp_path) if "gradient_norm" in scalars]
    assert reports == [(r["step"], r["loss"]) for r in Training(tmp_path).records()]


@pytest.mark.parametrize("every_steps,expected", [(0, []), (4, [4]), (3, [4])])
def test_evaluations_are_as_rare_as_asked(tmp_path, every_steps, expected):
    assert Training(tmp_path, eval_every_steps=every_steps).run().evaluator.evaluated == expected


@pytest.mark.parametrize(
    "scalar,value,what",
    [
        ("loss", float("nan"), "the loss is nan at step 4"),
        ("loss", float("inf"), "the loss is inf at step 4"),
        ("gradient_norm", float("nan"), "the gradient norm is nan at step 4"),
    ],
)
def test_a_step_that_is_no_number_ends_the_run_and_is_never_saved(tmp_path, scalar, value, what):
    training = Training(tmp_path, bad=4, scalar=scalar, value=value)  # a checkpoint is due at that very step
    with pytest.raises(UserError) as error:
        training.run()
    assert str(error.value) == (
        "{}, and that step was not saved: train slower; so changed, the same command goes on from the last good "
        "checkpoint, {}".format(what, tmp_path / "model.ckpt-2")
    )
    assert training.saved_steps() == [0, 2]
    assert [record["step"] for record in training.records()] == [1, 2, 3]
    assert (tmp_path / "training_curves.png").exists()  # it shows how it came
    resumed = Training(tmp_path).run()
    assert [record["step"] for record in resumed.records()] == [1, 2, 3, 4, 5, 6]
    assert read_weights(tf.train.latest_checkpoint(str(tmp_path))) == {}  # a scalar is no weight of a model


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_run_with_its_step_saved(tmp_path, number):
    class Told(Evaluator):
        def evaluate(self, prefix):
            super().evaluate(prefix)
            os.kill(os.getpid(), number)

    before = signal.getsignal(number)
    training = Training(tmp_path)
    training.evaluator = Told()
    with pytest.raises(KeyboardInterrupt) as error:
        training.run()
    assert str(error.value) == "stopped by {} after step 3, which is saved: the same command goes on from {}".format(
        number.name, tmp_path / "model.ckpt-3"
    )
    assert training.saved_steps() == [0, 2, 3]
    assert training.evaluator.evaluated == [2]  # the checkpoint of the end has no time for it
    assert signal.getsignal(number) is before
    resumed = Training(tmp_path).run()
    assert [record["step"] for record in resumed.records()] == [1, 2, 3, 4, 5, 6]


@pytest.fixture
def limit_files():
    """Limits the size of any file that is written from now on, in bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_checkpoint_over_the_limit_of_files_is_no_silent_end(tmp_path, limit_files, monkeypatch):
    training = Training(tmp_path)
    training.more_weights = 100000
    monkeypatch.setattr(training.evaluator, "evaluate", lambda prefix: limit_files(200000))  # from step 2 on
    with pytest.raises(UserError) as error:
        training.run()
    assert str(error.value) == (
        "training ended before its last step, 6: a file became larger than allowed (see `ulimit -f`), or the data came "
        "to an end; the same command goes on from the last good checkpoint, {}".format(tmp_path / "model.ckpt-2")
    )
    limit_files(resource.RLIM_INFINITY)
    resumed = Training(tmp_path)
    resumed.more_weights = 100000
    assert resumed.run().saved_steps() == [0, 2, 4, 6]


def test_data_that_end_are_no_silent_end(tmp_path):
    with pytest.raises(UserError, match="ended before its last step, 6: .*the data came to an end; .*/model.ckpt-3$"):
        Training(tmp_path).run(num_batches=3)


def test_a_timeline_of_one_step_is_written_where_it_is_asked_for(tmp_path, caplog):
    caplog.set_level("INFO")
    Training(tmp_path, profile=True).run()
    with open(str(tmp_path / "timeline-4.json")) as file:
        events = json.load(file)["traceEvents"]
    assert any("weight" in json.dumps(event) for event in events)
    assert "Timeline of step 4: {}".format(tmp_path / "timeline-4.json") in caplog.text
    assert "ui.perfetto.dev" in caplog.text
    Training(tmp_path, profile=True).run(steps=7)
    assert sorted(path.name for path in tmp_path.glob("timeline*")) == ["timeline-4.json", "timeline-7.json"]


def test_a_run_that_has_nothing_to_do_says_nothing(tmp_path, caplog):
    Training(tmp_path).run(steps=2)
    caplog.set_level("INFO")
    again = Training(tmp_path).run(steps=2)
    again.observer.say_what_was_done()
    assert "Trained" not in caplog.text and [record["step"] for record in again.records()] == [1, 2]


class WorseAndWorse(Evaluator):
    """Finds the first checkpoint the best."""

    def evaluations_since_best(self):
        return max(0, len(self.evaluated) - 1)


def test_training_ends_early_and_stays_ended(tmp_path, caplog):
    caplog.set_level("INFO")
    training = Training(tmp_path, early_stopping_evals=1)
    training.evaluator = WorseAndWorse()
    training.run(steps=20)
    assert training.evaluator.evaluated == [2, 4] and training.saved_steps() == [0, 2, 4]
    assert "Early stop: the last 1 evaluations brought nothing better." in caplog.text
    training.run(steps=20)
    assert training.graphs == 1 and training.saved_steps() == [0, 2, 4]


def test_early_stopping_needs_evaluations(tmp_path):
    with pytest.raises(UserError, match="--early_stopping_evals needs evaluations while training"):
        Training(tmp_path, early_stopping_evals=1, eval_every_steps=0).run()
