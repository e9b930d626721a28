"""The optimizers against the published trajectories and a float64 reference; the schedule against its formula."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import optimization
from albert.optimizers.adamw import AdamWeightDecayOptimizer
from lamb_optimizer import LAMBOptimizer
from optimization import OptimizerSettings
from tests.support import model_fixtures
from tests.support.marks import slow

# The learning rate stays constant where the decay has no power.
CONSTANT = {"num_train_steps": 1, "poly_power": 0.0}


def train_step(loss, settings):
    return optimization.apply_gradients(*optimization.dense_gradients(loss), settings)


@pytest.mark.parametrize(
    "name,optimizer,learning_rate",
    [
        ("zh_postln", "lamb", 0.01),
        ("google_g1", "adamw", 0.002),
        slow("zh_postln", "adamw", 0.002),
        slow("google_g1", "lamb", 0.01),
        slow("zh_preln", "lamb", 0.01),
        slow("zh_preln", "adamw", 0.002),
        slow("google_g2", "lamb", 0.01),
        slow("google_g2", "adamw", 0.002),
    ],
)
def test_trajectory_equals_the_published_one(name, optimizer, learning_rate):
    arrays = model_fixtures.load(name)
    expected = model_fixtures.load("{}_{}".format(name, optimizer))
    # The published zh LAMB adapts every variable, the google one leaves norms and biases out.
    adapt_all = {"exclude_from_layer_adaptation": ()} if name.startswith("zh") else {}
    settings = OptimizerSettings(learning_rate=learning_rate, optimizer=optimizer, **CONSTANT, **adapt_all)
    with tf.Graph().as_default(), tf.Session() as session:
        graph = model_fixtures.build(name, arrays)
        step = train_step(graph.total_loss, settings)
        model_fixtures.set_variables(session, model_fixtures.variables_of(arrays))
        losses, norms = [], []
        for _ in range(len(expected["losses"])):
            loss, norm, _ = session.run([graph.total_loss, step.gradient_norm, step.train_op], graph.feed)
            losses.append(loss)
            norms.append(norm)
        final = session.run({v.op.name: v for v in tf.trainable_variables()})
        assert session.run(tf.train.get_global_step()) == len(losses)
    np.testing.assert_allclose(losses, expected["losses"], atol=1e-4)
    np.testing.assert_allclose(norms, expected["global_norms"], rtol=2e-3)
    for variable, value in final.items():
        if variable.endswith("key/bias"):
            continue  # softmax does not see it: its true gradient is 0, and rounding noise is what moves it
        np.testing.assert_allclose(value, expected["final/" + variable], atol=2e-3, err_msg=variable)


def reference_step(w, g, m, v, lr, *, decay, adapt, correction_step=None):
    """One AdamW or LAMB step in float64."""
    m = 0.9 * m + 0.1 * g
    v = 0.999 * v + 0.001 * g * g
    m_hat, v_hat = m, v
    if correction_step:
        m_hat, v_hat = m / (1 - 0.9**correction_step), v / (1 - 0.999**correction_step)
    u = m_hat / (np.sqrt(v_hat) + 1e-6) + (0.01 * w if decay else 0)
    ratio = 1.0
    if adapt and np.linalg.norm(w) > 0 and np.linalg.norm(u) > 0:
        ratio = np.linalg.norm(w) / np.linalg.norm(u)
    return w - lr * ratio * u, m, v


@pytest.mark.parametrize("use_resource", [False, True])
@pytest.mark.parametrize("correct_bias", [False, True])
@pytest.mark.parametrize("optimizer_class", [AdamWeightDecayOptimizer, LAMBOptimizer])
def test_steps_equal_a_float64_reference(optimizer_class, correct_bias, use_resource):
    random = np.random.RandomState(7)
    start = {"layer/kernel": random.randn(3, 5), "layer/bias": np.zeros(5), "x/LayerNorm/gamma": random.randn(2)}
    gradients = [{name: random.randn(*value.shape) for name, value in start.items()} for _ in range(3)]
    state = {name: (value, 0.0, 0.0) for name, value in start.items()}
    adapts = optimizer_class is LAMBOptimizer
    with tf.Graph().as_default(), tf.Session() as session:
        variables = {
            name: tf.get_variable(name, initializer=value.astype(np.float32), use_resource=use_resource)
            for name, value in start.items()
        }
        feeds = {name: tf.placeholder(tf.float32, value.shape) for name, value in start.items()}
        count = tf.placeholder(tf.int32, [])
        optimizer = optimizer_class(0.1, bias_correction_step=count if correct_bias else None)
        train_op = optimizer.apply_gradients([(feeds[name], variables[name]) for name in sorted(start)])
        session.run(tf.global_variables_initializer())
        for index, step in enumerate(gradients):
            session.run(train_op, {count: index + 1, **{feeds[name]: g for name, g in step.items()}})
            for name, g in step.items():
                w, m, v = state[name]
                inside = name == "layer/kernel"
                correction = index + 1 if correct_bias else None
                state[name] = reference_step(
                    w, g, m, v, 0.1, decay=inside, adapt=adapts and inside, correction_step=correction
                )
        values = session.run(variables)
        names = {v.op.name for v in tf.global_variables()}
    for name, (w, _, _) in state.items():
        np.testing.assert_allclose(values[name], w, rtol=1e-4, atol=1e-5)
        assert {name + "/adam_m", name + "/adam_v"} <= names


@pytest.mark.parametrize(
    "settings",
    [
        OptimizerSettings(learning_rate=0.5, num_train_steps=40, num_warmup_steps=7),
        OptimizerSettings(learning_rate=0.5, num_train_steps=40, num_warmup_steps=0, poly_power=2.0),
        OptimizerSettings(learning_rate=0.5, num_train_steps=40, num_warmup_steps=5, start_warmup_step=11),
    ],
)
def test_schedule_equals_its_formula(settings):
    def reference(step):
        shifted = step - settings.start_warmup_step
        if settings.num_warmup_steps and shifted < settings.num_warmup_steps:
            return settings.learning_rate * max(shifted, 0) / settings.num_warmup_steps
        return settings.learning_rate * (1 - min(step, 40) / 40.0) ** settings.poly_power

    with tf.Graph().as_default(), tf.Session() as session:
        step = tf.placeholder(tf.int64, [])
        rate = optimization.learning_rate_at(step, settings)
        rates = [session.run(rate, {step: number}) for number in range(45)]
    np.testing.assert_allclose(rates, [reference(number) for number in range(45)], atol=1e-7)


def test_learning_rate_belongs_to_the_update_about_to_be_made():
    """With AdamW on a constant gradient the first update has learning rate 0 (warm-up) and moves nothing."""
    settings = OptimizerSettings(learning_rate=0.5, num_train_steps=10, num_warmup_steps=2)
    with tf.Graph().as_default(), tf.Session() as session:
        weight = tf.get_variable("weight", initializer=1.0)
        step = train_step(3.0 * weight, settings)
        session.run(tf.global_variables_initializer())
        seen = []
        for _ in range(4):
            rate, _ = session.run([step.learning_rate, step.train_op])
            seen.append((rate, session.run(weight)))
    np.testing.assert_allclose([rate for rate, _ in seen], [0.0, 0.25, 0.4, 0.35], atol=1e-6)
    assert seen[0][1] == 1.0
    assert seen[1][1] < 1.0


def test_unknown_optimizer_is_refused():
    settings = OptimizerSettings(learning_rate=0.5, num_train_steps=10, optimizer="sgd")
    with pytest.raises(ValueError, match="one of lamb, adamw, not 'sgd'"):
        optimization.optimizer_of(settings, 0.1, 0)
