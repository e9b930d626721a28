"""The progress line and the training records."""

import io
import itertools
import math
import time

import pytest
import tensorflow.compat.v1 as tf

from albert.base.terminal import StatusLine
from albert.monitor.events import EventLog
from albert.monitor.figures import read_records
from albert.monitor.log import Rate, TrainingLogHook, progress_text
from tests.support.events import scalars_in

TOKENS_OF_A_STEP = 24.0


class Pause(tf.train.SessionRunHook):
    """Something long between two steps, such as an evaluation."""

    def __init__(self, now, seconds):
        self._now, self._seconds = now, seconds

    def after_run(self, run_context, run_values):
        self._now[0] += self._seconds


def run_steps(
    path,
    *,
    first_step=0,
    last_step,
    every_steps=1,
    pause=0.0,
    stream=None,
    has_tokens=True,
    events=None,
    is_real=False,
):
    """Runs a counter under the hook, half a second a step; the loss of step n is n, and so are other scalars."""
    now = [100.0]

    def clock():
        now[0] += 0.5
        return now[0]

    clocks = {} if is_real else {"clock": clock}

    with tf.Graph().as_default():
        step = tf.train.get_or_create_global_step()
        loss = tf.cast(step + 1, tf.float32)
        with tf.control_dependencies([loss]):
            train_op = step.assign_add(1)
        tensors = {"loss": loss, "accuracy": tf.constant(0.25), "learning_rate": tf.constant(1e-3)}
        tensors.update(masked_lm_accuracy=loss / 16, masked_lm_loss=loss, gradient_norm=loss, token_spread=loss)
        hook = TrainingLogHook(
            dict(tensors, tokens=tf.constant(TOKENS_OF_A_STEP)) if has_tokens else tensors,
            total_steps=last_step,
            examples_per_step=8,
            every_steps=every_steps,
            metrics_path=str(path),
            line=StatusLine(stream or io.StringIO()),
            events=events,
            **clocks,
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


def test_losses_and_accuracies_are_means_and_the_rest_is_of_the_step(tmp_path):
    entries, _ = run_steps(tmp_path / "m", last_step=8, every_steps=4)
    assert [entry["masked_lm_accuracy"] for entry in entries] == [1 / 16, 3 / 16, 6.5 / 16]
    assert [entry["masked_lm_loss"] for entry in entries] == [1.0, 3.0, 6.5]
    for name in ("gradient_norm", "token_spread"):
        assert [entry[name] for entry in entries] == [1.0, 4.0, 8.0]


def test_every_record_is_an_event_with_the_same_values(tmp_path):
    entries, _ = run_steps(tmp_path / "m", last_step=8, every_steps=4, events=EventLog(str(tmp_path / "events")))
    assert [step for step, _ in scalars_in(tmp_path / "events")] == [1, 4, 8]
    for entry, (_, scalars) in zip(entries, scalars_in(tmp_path / "events")):
        record = {name: value for name, value in entry.items() if name not in ("kind", "step", "time")}
        assert scalars == pytest.approx(record)
    assert "tokens" not in scalars and {"examples_per_second", "tokens_per_second"} <= set(scalars)


def test_rates_are_of_steps_whatever_stands_between_them(tmp_path):
    for pause in (0.0, 1000.0):
        entries, hook = run_steps(tmp_path / str(pause), last_step=6, every_steps=2, pause=pause)
        assert entries[-1]["examples_per_second"] == pytest.approx(8 / 0.5)
        assert entries[-1]["tokens_per_second"] == pytest.approx(TOKENS_OF_A_STEP / 0.5)
        assert hook.total == Rate(5, 2.5, 5 * TOKENS_OF_A_STEP)
        assert "tokens" not in entries[-1]


def test_a_time_of_day_that_is_set_back_changes_no_rate(tmp_path, monkeypatch):
    days = itertools.count(1e9, -86400.0)
    monkeypatch.setattr(time, "time", lambda: next(days))
    stream = io.StringIO()
    entries, hook = run_steps(tmp_path / "m", last_step=4, stream=stream, is_real=True)
    assert hook.total.steps == 3 and 0.0 < hook.total.seconds < 60.0
    assert entries[-1]["examples_per_second"] > 0.0 and entries[-1]["time"] < entries[0]["time"] <= 1e9
    assert "step 4/4" in stream.getvalue()


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


FINE_TUNING = {"loss": 0.51234, "accuracy": 0.781, "learning_rate": 4.5e-5, "token_spread": 0.634}
PRETRAINING = {
    "loss": 5.1234, "masked_lm_accuracy": 0.123, "sentence_order_accuracy": 0.56, "learning_rate": 1e-4,
    "masked_lm_loss": 4.4, "gradient_norm": 1.0,
}  # fmt: skip


@pytest.mark.parametrize(
    "figures, step, total_steps, room, expected",
    [
        (FINE_TUNING, 1500, 5000, None,
         "step 1,500/5,000 | loss 0.5123 | acc 78.1% | lr 4.5e-05 | spread 0.63 | 32 ex/s | 3,277 tok/s | ETA 1:56:40"),
        (FINE_TUNING, 1500, 5000, 79,
         "step 1,500/5,000 | loss 0.5123 | acc 78.1% | lr 4.5e-05 | 32 ex/s | ETA 1:56:40"),
        (FINE_TUNING, 1500, 5000, 40, "step 1,500/5,000 | loss 0.5123"),
        (FINE_TUNING, 1500, 5000, 9, "step 1,500/5,000"),
        (PRETRAINING, 1500, 5000, 79,
         "step 1,500/5,000 | loss 5.1234 | mlm 12.3% | sop 56.0% | 32 ex/s | ETA 1:56:40"),
    ],
)  # fmt: skip
def test_the_progress_line_leaves_out_what_matters_least(figures, step, total_steps, room, expected):
    text = progress_text(
        step, total_steps, figures, rate=Rate(10, 20.0, 65536.0), examples_per_step=64, room=room
    )  # fmt: skip
    assert text == expected


def test_a_spread_that_was_not_measured_is_not_shown():
    assert progress_text(2, 5, {"loss": 2.5, "token_spread": math.nan}) == "step 2/5 | loss 2.5000"


@pytest.mark.parametrize(
    "learning_rate, is_warm_up, expected", [(0.0, True, "lr 0 (warm-up)"), (1e-6, True, "lr 1.0e-06")]
)
def test_a_rate_of_0_at_the_start_says_why(learning_rate, is_warm_up, expected):
    figures = {"loss": 2.5, "learning_rate": learning_rate}
    assert progress_text(1, 5, figures, is_warm_up=is_warm_up) == "step 1/5 | loss 2.5000 | " + expected
