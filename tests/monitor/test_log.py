"""The progress line and the training records."""

import io

import pytest
import tensorflow.compat.v1 as tf

from albert.base.terminal import StatusLine
from albert.monitor.figures import read_records
from albert.monitor.log import Rate, TrainingLogHook, progress_text

TOKENS_OF_A_STEP = 24.0


class Pause(tf.train.SessionRunHook):
    """Something long between two steps, such as an evaluation."""

    def __init__(self, now, seconds):
        self._now, self._seconds = now, seconds

    def after_run(self, run_context, run_values):
        self._now[0] += self._seconds


def run_steps(path, *, first_step=0, last_step, every_steps=1, pause=0.0, stream=None, has_tokens=True):
    """Runs a counter under the hook, half a second a step; the loss of step n is n."""
    now = [100.0]

    def clock():
        now[0] += 0.5
        return now[0]

    with tf.Graph().as_default():
        step = tf.train.get_or_create_global_step()
        loss = tf.cast(step + 1, tf.float32)
        with tf.control_dependencies([loss]):
            train_op = step.assign_add(1)
        tensors = {"loss": loss, "accuracy": tf.constant(0.25), "learning_rate": tf.constant(1e-3)}
        hook = TrainingLogHook(
            dict(tensors, tokens=tf.constant(TOKENS_OF_A_STEP)) if has_tokens else tensors,
            total_steps=last_step,
            examples_per_step=8,
            every_steps=every_steps,
            metrics_path=str(path),
            line=StatusLine(stream or io.StringIO()),
            clock=clock,
        )
        go_to_first_step = step.assign(first_step)
        scaffold = tf.train.Scaffold(init_fn=lambda _, session: session.run(go_to_first_step))
        with tf.train.SingularMonitoredSession(hooks=[hook, Pause(now, pause)], scaffold=scaffold) as session:
            for _ in range(last_step - first_step):
                session.run(train_op)
    return read_records(str(path)), hook


def test_first_due_and_last_steps_are_logged_with_the_mean_loss(tmp_path):
    entries, _ = run_steps(tmp_path / "m", last_step=11, every_steps=4)
    assert [entry["step"] for entry in entries] == [1, 4, 8, 11]
    assert [entry["loss"] for entry in entries] == [1.0, 3.0, 6.5, 10.0]
    assert entries[-1]["accuracy"] == pytest.approx(0.25) and entries[-1]["kind"] == "train"
    assert "examples_per_second" not in entries[0]  # the first step builds and warms up


def test_rates_are_of_steps_whatever_stands_between_them(tmp_path):
    for pause in (0.0, 1000.0):
        entries, hook = run_steps(tmp_path / str(pause), last_step=6, every_steps=2, pause=pause)
        assert entries[-1]["examples_per_second"] == pytest.approx(8 / 0.5)
        assert entries[-1]["tokens_per_second"] == pytest.approx(TOKENS_OF_A_STEP / 0.5)
        assert hook.total == Rate(5, 2.5, 5 * TOKENS_OF_A_STEP)
        assert "tokens" not in entries[-1]


def test_without_a_count_of_tokens_there_is_no_rate_of_them(tmp_path):
    entries, _ = run_steps(tmp_path / "m", last_step=3, has_tokens=False)
    assert "examples_per_second" in entries[-1] and "tokens_per_second" not in entries[-1]


def test_a_resumed_run_records_what_an_uninterrupted_one_does(tmp_path):
    whole, _ = run_steps(tmp_path / "whole", last_step=12, every_steps=4)
    run_steps(tmp_path / "m", last_step=11, every_steps=4)  # killed there; its last checkpoint is that of step 8
    entries, _ = run_steps(tmp_path / "m", first_step=8, last_step=12, every_steps=4)
    assert [(e["step"], e["loss"]) for e in entries] == [(e["step"], e["loss"]) for e in whole]


def test_the_first_step_of_a_resumed_run_is_shown_though_it_is_not_recorded(tmp_path):
    stream = io.StringIO()
    entries, _ = run_steps(tmp_path / "m", first_step=8, last_step=12, every_steps=10, stream=stream)
    assert stream.getvalue().startswith("step 9/12 | loss 9.0000")
    assert [(e["step"], e["loss"]) for e in entries] == [(10, 9.5), (12, 11.5)]


def test_progress_text_says_step_loss_rates_and_time_left():
    figures = {"loss": 2.5, "accuracy": 0.5, "learning_rate": 1e-4}
    text = progress_text(1500, 5000, figures, rate=Rate(10, 20.0, 65536.0), examples_per_step=64)
    assert text == (
        "step 1,500/5,000 | loss 2.5000 | accuracy 50.0% | lr 1.00e-04 | 32.0 examples/s | 3,277 tokens/s | ETA 1:56:40"
    )
    assert progress_text(1, 5, {"loss": 2.5}, rate=Rate(0, 0.0, 0.0)) == "step 1/5 | loss 2.5000"
