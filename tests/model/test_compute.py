"""The gradients of few passes, and the scope they are built in: against the gradients of the plain formulas."""

import threading

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.model import compute, layers
from tests.support import model_fixtures
from tests.support.marks import slow

B, N, Q, S, D = 2, 3, 2, 5, 4  # the letters of `layers`; Q queries


def plain_attention(query, key, value, bias, keep):
    probabilities = tf.nn.softmax(tf.matmul(query, key, transpose_b=True) + bias)
    return tf.matmul(probabilities if keep is None else probabilities * keep, value)


@pytest.mark.parametrize("rate", [0.0, 0.4])
def test_attention_and_its_gradients_equal_the_plain_formula(rate):
    random = np.random.RandomState(0)
    values = [random.randn(B, N, length, D).astype(np.float32) for length in (Q, S, S)]
    bias = np.where(random.rand(B, 1, 1, S) < 0.3, layers.MASKED_SCORE, 0.0).astype(np.float32)
    direction = random.randn(B, N, Q, D).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = [tf.constant(value) for value in values]

        def keys():
            return compute.DropoutKeys(seed=1, turn=tf.constant(2))

        with compute.scope(is_training=True, dropout_keys=keys()):
            context = layers.attend(*inputs, tf.constant(bias), rate)
        with compute.scope(dropout_keys=keys()):
            keep = layers.dropout_mask([B, N, Q, S], rate) if rate else None
            expected = plain_attention(*inputs, tf.constant(bias), keep)
        results = []
        for output in (context, expected):
            results.append(session.run([output, *tf.gradients(tf.reduce_sum(output * direction), inputs)]))
    for found, wanted in zip(*results):
        np.testing.assert_allclose(found, wanted, atol=1e-5)


def test_gelu_of_few_passes_equals_the_plain_one():
    x = np.concatenate([np.linspace(-12.0, 12.0, 401), [-100.0, 100.0]]).astype(np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        tensor = tf.constant(x)
        plain = layers.gelu(tensor)
        with compute.scope(is_training=True):
            fast = layers.gelu(tensor)
        (plain, plain_slope), (fast, fast_slope) = session.run([[y, tf.gradients(y, tensor)[0]] for y in (plain, fast)])
    u = np.sqrt(2.0 / np.pi) * (x.astype(np.float64) + 0.044715 * x.astype(np.float64) ** 3)
    np.testing.assert_allclose(fast, 0.5 * x * (1.0 + np.tanh(u)), atol=1e-6)
    np.testing.assert_allclose(fast, plain, atol=1e-6)
    np.testing.assert_allclose(fast_slope, plain_slope, atol=1e-5)


@pytest.mark.parametrize("name", ["google_g1", slow("google_g2"), "zh_postln", slow("zh_preln")])
def test_training_gradients_at_kept_positions_equal_the_published_ones(name):
    arrays = model_fixtures.load(name)
    with tf.Graph().as_default(), tf.Session() as session, compute.scope(is_training=True):
        graph = model_fixtures.build(name, arrays, dynamic_shape=False, keeps_predictions_only=True)
        model_fixtures.set_variables(session, model_fixtures.variables_of(arrays))
        assert graph.model.get_sequence_output().shape.as_list()[1] == arrays["in/masked_lm_positions"].shape[1] + 1
        variables = tf.trainable_variables()
        gradients = [tf.convert_to_tensor(g) for g in tf.gradients(graph.total_loss, variables)]
        loss, *values = session.run([graph.total_loss, *gradients], graph.feed)
    assert loss == pytest.approx(float(arrays["out/total_loss"]), abs=2e-5)
    expected = model_fixtures.variables_of(arrays, "grad/")
    assert {variable.op.name for variable in variables} == set(expected)
    for variable, value in zip(variables, values):
        np.testing.assert_allclose(value, expected[variable.op.name], atol=2e-5, err_msg=variable.op.name)


def test_a_model_of_kept_positions_refuses_what_it_has_not_computed():
    arrays = model_fixtures.load("zh_postln")
    with tf.Graph().as_default():
        model = model_fixtures.build("zh_postln", arrays, keeps_predictions_only=True).model
        with pytest.raises(ValueError, match="other positions"):
            model.get_output_at(tf.constant([[1], [2]]))
        with pytest.raises(ValueError, match="every token"):
            model.get_mean_output()


def test_scopes_nest_and_belong_to_their_thread():
    assert compute.current() == compute.Compute()
    seen = []
    with compute.scope(is_training=True) as outer:
        with compute.scope(matmul_dtype=tf.bfloat16) as inner:
            assert inner == outer._replace(matmul_dtype=tf.bfloat16) == compute.current()
            thread = threading.Thread(target=lambda: seen.append(compute.current()))
            thread.start()
            thread.join()
        assert compute.current() == outer
    assert seen == [compute.Compute()]


def test_dropout_keeps_the_share_it_should_and_repeats_by_its_keys():
    def draw(turn, calls=1):
        with compute.scope(dropout_keys=compute.DropoutKeys(seed=5, turn=tf.constant(turn))):
            return [layers.dropout(tf.ones([100, 100]), 0.3) for _ in range(calls)]

    with tf.Graph().as_default(), tf.Session() as session:
        first, second, again, later = session.run([*draw(1, calls=2), draw(1)[0], draw(2)[0]])
    np.testing.assert_array_equal(first, again)
    assert np.mean(first != second) > 0.3 and np.mean(first != later) > 0.3
    assert set(np.unique(first)) == {np.float32(0.0), np.float32(1.0) / np.float32(1.0 - 0.3)}
    assert abs(np.mean(first == 0.0) - 0.3) < 0.02  # over four standard deviations
