"""Watch of the spread: one warning that names the cause, where token vectors fall together."""

import pytest
import tensorflow.compat.v1 as tf

from albert.monitor.figures import append_record
from albert.monitor.spread import SpreadWatch, collapse_cause


def watch(spreads, metrics_path, every_steps=2, first_step=0):
    with tf.Graph().as_default():
        step = tf.train.get_or_create_global_step()
        spread = tf.gather(tf.constant(spreads, tf.float32), tf.identity(step) - first_step)
        with tf.control_dependencies([spread]):
            train_op = step.assign_add(1)
        hook = SpreadWatch(spread, every_steps=every_steps, metrics_path=str(metrics_path), cause="too large a step")
        scaffold = tf.train.Scaffold(init_op=tf.group(step.assign(first_step)))
        with tf.train.SingularMonitoredSession(hooks=[hook], scaffold=scaffold) as session:
            for _ in spreads:
                session.run(train_op)


@pytest.mark.parametrize(
    "spreads,step",
    [
        ([0.6, 0.5, 0.3, 0.06, 0.05, 0.04], 4),  # once, at the first look
        ([0.6, 0.05, 0.05], 2),
        ([0.6, 0.5, 0.05, 0.3], None),  # between two looks
        ([0.6, 0.4, 0.2, 0.07], None),
    ],
)
def test_a_tenth_of_the_start_is_said_once(spreads, step, tmp_path, caplog):
    watch(spreads, tmp_path / "metrics.jsonl")
    hints = [record.getMessage() for record in caplog.records if "fall together" in record.getMessage()]
    assert len(hints) == (step is not None)
    if step:
        assert "at step {} and was 0.60 at the start".format(step) in hints[0] and "too large a step" in hints[0]


def test_a_resumed_run_knows_the_spread_of_its_start(tmp_path, caplog):
    path = tmp_path / "metrics.jsonl"
    append_record(str(path), "train", 1, 0.0, {"loss": 9.0, "token_spread": 0.7})
    watch([0.065, 0.065], path, first_step=10)
    assert "was 0.70 at the start" in caplog.text


@pytest.mark.parametrize(
    "optimizer,is_corrected,is_published,wanted,unwanted",
    [
        ("adamw", False, False, "--bias_correction=True", "--initial_weights"),
        ("adamw", True, True, "--initial_weights=balanced", "--bias_correction"),
        (
            "lamb",
            False,
            False,
            "--learning_rate than 0.001, or a warm-up of more than 1,000 steps",
            "--bias_correction",
        ),
    ],
)
def test_the_cause_is_named_by_the_settings(optimizer, is_corrected, is_published, wanted, unwanted):
    words = collapse_cause(
        optimizer=optimizer,
        has_bias_correction=is_corrected,
        learning_rate=0.001,
        warmup_steps=1000,
        is_from_published_start=is_published,
    )
    assert wanted in words and unwanted not in words
