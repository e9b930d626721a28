"""Guards: what ends a run, and what is said of its loss."""

import random

import pytest
import tensorflow.compat.v1 as tf

from albert.monitor.guards import DivergenceHint, FiniteGuard, LossTrend, NotFiniteError, divergence_advice

NAN, INF = float("nan"), float("inf")


def run_guarded(hooks_of, **scalars):
    """Runs a counter under hooks; scalar x of step n is scalars[x][n]."""
    with tf.Graph().as_default():
        step = tf.train.get_or_create_global_step()
        now = tf.identity(step)
        tensors = {name: tf.gather(tf.constant(values, tf.float32), now) for name, values in scalars.items()}
        with tf.control_dependencies(list(tensors.values())):
            train_op = step.assign_add(1)
        with tf.train.SingularMonitoredSession(hooks=hooks_of(tensors)) as session:
            for _ in range(len(scalars["loss"])):
                session.run(train_op)


def guards_of(tensors):
    guard = FiniteGuard()
    guard.watch(tensors)
    return [guard]


@pytest.mark.parametrize(
    "loss,norm,message",
    [
        ([1.0, NAN], [1.0, 1.0], "the loss is nan at step 2"),
        ([1.0, INF], [1.0, 1.0], "the loss is inf at step 2"),
        ([1.0, 1.0, 1.0], [1.0, 1.0, NAN], "the gradient norm is nan at step 3"),
        ([1.0], [INF], "the gradient norm is inf at step 1"),
    ],
)
def test_the_first_bad_step_is_named(loss, norm, message):
    with pytest.raises(NotFiniteError, match=message):
        run_guarded(guards_of, loss=loss, gradient_norm=norm)


def test_other_scalars_may_be_what_they_like():
    run_guarded(guards_of, loss=[1.0, 2.0], accuracy=[NAN, NAN])


def test_skipped_updates_are_forgiven_until_a_hundred_in_a_row():
    norms = [INF] * 99 + [1.0] + [INF] * 100
    skipped = [float(norm == INF) for norm in norms]
    run_guarded(guards_of, loss=[1.0] * 200, gradient_norm=norms, update_skipped=skipped)
    with pytest.raises(NotFiniteError, match="at step 201"):
        run_guarded(guards_of, loss=[1.0] * 201, gradient_norm=norms + [INF], update_skipped=skipped + [1.0])


def trouble_of(losses, warmup_steps=0):
    trend = LossTrend(warmup_steps)
    return [found for found in (trend.add(step, loss) for step, loss in enumerate(losses, start=1)) if found]


def noisy(values, deviation=0.3):
    draw = random.Random(5)
    return [value + draw.gauss(0.0, deviation) for value in values]


def test_a_falling_loss_with_noise_is_no_trouble():
    falling = noisy([2.0 + 8.0 * 0.997**step for step in range(3000)])
    assert trouble_of(falling) == []
    assert trouble_of(noisy([0.3] * 499, deviation=0.1)) == []  # flat from the beginning, and not yet late


def test_a_loss_that_jumps_up_climbs():
    losses = noisy([2.0 + 8.0 * 0.99**step for step in range(1000)] + [7.0] * 100)
    found = trouble_of(losses)
    assert found and "The loss climbs" in found[0] and "over the last 50 steps" in found[0]


def test_a_loss_that_never_falls_is_stuck_once_the_warm_up_is_over():
    assert trouble_of(noisy([0.7] * 699, 0.01), warmup_steps=200) == []
    assert "has not fallen" in trouble_of(noisy([0.7] * 700, 0.01), warmup_steps=200)[0]


def test_a_resumed_run_is_not_called_stuck():
    trend = LossTrend(0)
    assert [trend.add(step, 2.0) for step in range(9000, 10000)] == [None] * 1000


def test_the_hint_is_one_line(caplog):
    losses = [10.0] * 60 + [1.0] * 60 + [9.0] * 100
    run_guarded(lambda tensors: [DivergenceHint(tensors["loss"], warmup_steps=0, advice="do this")], loss=losses)
    hints = [record.getMessage() for record in caplog.records if "Hint" in record.getMessage()]
    assert len(hints) == 1
    assert hints[0].startswith("Hint: The loss climbs: ") and hints[0].endswith("; do this.")


def test_advice_is_by_size():
    small, large = (
        divergence_advice(hidden_size=size, learning_rate=5e-5, warmup="--num_warmup_steps=7") for size in (768, 1024)
    )
    assert "--preset=recommended" in large and "--preset" not in small
    for text in (small, large):
        assert "now 5e-05" in text and "now --num_warmup_steps=7" in text
