"""The progress line and the JSON-lines file."""

import io
import json

import pytest
import tensorflow.compat.v1 as tf

import training_log
from training_log import TrainingLogHook, progress_text


def run_steps(path, *, first_step, last_step, every_steps, seconds_per_step=0.5, stream=None):
    """Runs a counter under the hook; the loss of step n is n."""
    now = [100.0]

    def clock():
        now[0] += seconds_per_step
        return now[0]

    with tf.Graph().as_default():
        step = tf.train.get_or_create_global_step()
        loss = tf.cast(step + 1, tf.float32)
        with tf.control_dependencies([loss]):
            train_op = step.assign_add(1)
        hook = TrainingLogHook(
            {"loss": loss, "accuracy": tf.constant(0.25), "learning_rate": tf.constant(1e-3)},
            total_steps=last_step,
            examples_per_step=8,
            every_steps=every_steps,
            metrics_path=str(path),
            stream=stream or io.StringIO(),
            clock=clock,
        )
        go_to_first_step = step.assign(first_step)
        scaffold = tf.train.Scaffold(init_fn=lambda _, session: session.run(go_to_first_step))
        with tf.train.SingularMonitoredSession(hooks=[hook], scaffold=scaffold) as session:
            for _ in range(last_step - first_step):
                session.run(train_op)
    with open(str(path)) as file:
        return [json.loads(line) for line in file]


def test_first_due_and_last_steps_are_logged_with_the_mean_loss(tmp_path):
    entries = run_steps(tmp_path / "metrics.jsonl", first_step=0, last_step=11, every_steps=4)
    assert [entry["step"] for entry in entries] == [1, 4, 8, 11]
    assert [entry["loss"] for entry in entries] == [1.0, 3.0, 6.5, 10.0]
    assert entries[-1]["accuracy"] == pytest.approx(0.25)
    assert "examples_per_second" not in entries[0]  # the first step builds and warms up
    assert entries[-1]["examples_per_second"] == pytest.approx(8 / 0.5)


def test_a_resumed_run_goes_on_in_the_same_file(tmp_path):
    run_steps(tmp_path / "metrics.jsonl", first_step=0, last_step=4, every_steps=2)
    entries = run_steps(tmp_path / "metrics.jsonl", first_step=4, last_step=6, every_steps=2)
    assert [entry["step"] for entry in entries] == [1, 2, 4, 5, 6]


def test_lines_off_a_terminal_are_ten_seconds_apart_and_the_last_is_shown(tmp_path):
    stream = io.StringIO()
    run_steps(tmp_path / "m", first_step=0, last_step=60, every_steps=1, seconds_per_step=0.5, stream=stream)
    steps = [int(line.split()[1].split("/")[0]) for line in stream.getvalue().splitlines()]
    assert steps == [1, 21, 41, 60]


def test_progress_text_says_step_loss_rate_and_time_left():
    text = progress_text(1500, 5000, {"loss": 2.5, "accuracy": 0.5, "learning_rate": 1e-4}, 0.5, 64)
    assert text == "step 1,500/5,000 | loss 2.5000 | accuracy 50.0% | lr 1.00e-04 | 32.0 examples/s | ETA 1:56:40"


def test_terminal_lines_overwrite_each_other(tmp_path):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    run_steps(tmp_path / "m", first_step=0, last_step=3, every_steps=1, stream=stream)
    assert stream.getvalue().count("\r") == 3 and stream.getvalue().endswith("\n")
    assert training_log.METRICS_FILE == "metrics.jsonl"
