"""An update in slices, on replicas, in rounded products: against the update of the whole batch."""

import dataclasses

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

import optimization
from albert.checkpoints import families
from albert.finetuning.classification.model import Classifier, classification_objective
from albert.model import compute, heads, layers
from albert.optimizers import loss_scale
from albert.pretraining.model_fn import pretraining_objective
from albert.training import step
from albert.training import step as training_step
from albert.training.step import Division, Objective, batch_gradients
from optimization import OptimizerSettings
from tests.support import model_fixtures
from tests.support.marks import slow


def uneven_batch(arrays, rows, seed=0):
    """A fixture's examples again and again, their predictions and pairs weighed unevenly."""
    random = np.random.RandomState(seed)
    inputs = model_fixtures.variables_of(arrays, "in/")
    batch = {key: value[random.randint(0, len(value), rows)] for key, value in inputs.items()}
    batch["masked_lm_weights"] = random.randint(0, 2, batch["masked_lm_weights"].shape).astype(np.float32)
    batch["next_sentence_labels"] = random.randint(-1, 2, [rows, 1]).astype(np.int32)
    return batch


def constants(batch):
    return {key: tf.constant(value) for key, value in batch.items()}


def fixture_objective(name, arrays, num_layers=None):
    """Of the fixture's model, or with its weights in another number of layers that share them."""
    config = model_fixtures.config_of(name, arrays)
    config = dataclasses.replace(config, num_hidden_layers=num_layers or config.num_hidden_layers)
    return pretraining_objective(model_fixtures.FAMILY_OF[name], config)


def gradients_in_slices(name, num_slices, num_layers=None, **scope):
    arrays = model_fixtures.load(name)
    with tf.Graph().as_default(), tf.Session() as session, compute.scope(**scope):
        features = constants(uneven_batch(arrays, 6))
        division = Division(num_slices=num_slices)
        objective = fixture_objective(name, arrays, num_layers)
        batch = batch_gradients(objective, features, division, seed=3, step=tf.constant(5))
        model_fixtures.set_variables(session, model_fixtures.variables_of(arrays))
        names = [variable.op.name for variable in batch.variables]
        loss, watched, gradients = session.run([batch.loss, batch.watched, batch.gradients])
    return loss, watched, dict(zip(names, gradients))


@pytest.mark.parametrize("num_slices", [3, slow(2), slow(6)])
@pytest.mark.parametrize("name,num_layers", [("zh_postln", 1), slow("google_g2", 2)])
def test_slices_add_up_to_the_whole_batch(name, num_layers, num_slices):
    loss, watched, gradients = gradients_in_slices(name, 1, num_layers)
    sliced_loss, sliced_watched, sliced_gradients = gradients_in_slices(name, num_slices, num_layers)
    assert sliced_loss == pytest.approx(loss, rel=1e-5)
    for key, value in watched.items():
        assert sliced_watched[key] == pytest.approx(value, rel=1e-5), key
    assert set(sliced_gradients) == set(gradients)
    for key, value in gradients.items():
        np.testing.assert_allclose(sliced_gradients[key], value, atol=2e-6, err_msg=key)


def test_a_whole_batch_has_the_loss_of_the_heads():
    arrays = model_fixtures.load("zh_postln")
    loss, _, gradients = gradients_in_slices("zh_postln", 1)
    batch = uneven_batch(arrays, 6)
    with tf.Graph().as_default(), tf.Session() as session:
        graph = model_fixtures.build("zh_postln", arrays)
        model_fixtures.set_variables(session, model_fixtures.variables_of(arrays))
        feed = {tensor: batch[tensor.op.name] for tensor in graph.feed}
        assert session.run(graph.total_loss, feed) == pytest.approx(loss, rel=1e-5)
        variables = tf.trainable_variables()
        expected = [tf.convert_to_tensor(gradient) for gradient in tf.gradients(graph.total_loss, variables)]
        assert {variable.op.name for variable in variables} == set(gradients)
        for variable, value in zip(variables, session.run(expected, feed)):
            np.testing.assert_allclose(gradients[variable.op.name], value, atol=2e-6, err_msg=variable.op.name)


def train(optimizer, num_slices, steps=4):
    """The weights after a few clipped updates on batches of 6."""
    arrays = model_fixtures.load("zh_postln")
    settings = OptimizerSettings(
        learning_rate=0.01, num_train_steps=10, num_warmup_steps=2, optimizer=optimizer, clip_norm=0.1
    )
    batches = [uneven_batch(arrays, 6, seed) for seed in range(steps)]
    with tf.Graph().as_default(), tf.Session() as session:
        feeds = {key: tf.placeholder(tf.as_dtype(value.dtype), value.shape) for key, value in batches[0].items()}
        setup = step.TrainingSetup(optimizer=settings, gradient_accumulation_steps=num_slices)
        spec = step.training_spec(fixture_objective("zh_postln", arrays, num_layers=1), feeds, setup)
        model_fixtures.set_variables(session, model_fixtures.variables_of(arrays))
        for batch in batches:
            session.run(spec.train_op, {feeds[key]: value for key, value in batch.items()})
        assert session.run(tf.train.get_global_step()) == steps  # the schedule counts updates, not slices
        return session.run({variable.op.name: variable for variable in tf.trainable_variables()})


@pytest.mark.parametrize("optimizer", ["lamb", slow("adamw")])
def test_accumulated_updates_equal_those_of_the_large_batch(optimizer):
    whole, sliced = train(optimizer, 1), train(optimizer, 3)
    start = model_fixtures.variables_of(model_fixtures.load("zh_postln"))
    assert max(np.max(np.abs(whole[name] - start[name])) for name in whole) > 1e-3
    for name, value in whole.items():
        if name.endswith("key/bias"):
            continue  # softmax does not see it: rounding noise is what moves it
        np.testing.assert_allclose(sliced[name], value, atol=2e-5, err_msg=name)


@pytest.mark.parametrize("family,fixture", [slow(families.ZH, "zh_postln"), (families.GOOGLE, "google_g1")])
@pytest.mark.parametrize("use_pooled_output", [slow(True), False])
def test_fine_tuning_in_slices_adds_up(family, fixture, use_pooled_output, monkeypatch):
    monkeypatch.setattr(heads, "CLASSIFIER_DROPOUT", 0.0)  # slices draw it anew
    config = model_fixtures.config_of(fixture, model_fixtures.load(fixture)).without_dropout()
    config = dataclasses.replace(config, num_hidden_layers=1)
    classifier = Classifier(family, config, 3, use_pooled_output)
    random = np.random.RandomState(1)
    batch = {
        "input_ids": random.randint(0, config.vocab_size, [4, 7]).astype(np.int32),
        "input_mask": np.ones([4, 7], np.int32),
        "segment_ids": np.zeros([4, 7], np.int32),
        "label_ids": np.array([[0], [2], [1], [2]], np.int32),
    }
    results = []
    for num_slices in (1, 2):
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(0)
            found = batch_gradients(
                classification_objective(classifier),
                constants(batch),
                Division(num_slices=num_slices),
                seed=0,
                step=tf.constant(0),
            )
            values = {
                v.op.name: 0.2 * np.random.RandomState(len(v.op.name)).randn(*v.shape.as_list())
                for v in found.variables
            }
            feed = {v.initializer.inputs[1]: values[v.op.name] for v in found.variables}
            session.run(tf.global_variables_initializer(), feed)
            results.append(session.run([found.loss, found.watched["tokens"], *found.gradients]))
    for whole, sliced in zip(*results):
        np.testing.assert_allclose(sliced, whole, rtol=1e-4, atol=1e-5)


def test_replicas_add_up_before_clipping():
    def objective_of(weight):
        return Objective(
            lambda features: {"rows": tf.cast(tf.size(features["x"]), tf.float32)},
            lambda features, totals: (tf.reduce_sum(weight * features["x"]) / totals["rows"], {}),
        )

    with tf.Graph().as_default(), tf.Session() as session:
        weight = tf.get_variable("weight", initializer=2.0)
        # A replica that finds nine others like itself.
        division = Division(num_replicas=10, sum_replicas=lambda tensors: [10.0 * tensor for tensor in tensors])
        batch = batch_gradients(
            objective_of(weight), {"x": tf.constant([1.0, 3.0])}, division, seed=0, step=tf.constant(0)
        )
        settings = OptimizerSettings(learning_rate=0.5, num_train_steps=10, clip_norm=0.5)
        update = optimization.apply_gradients(batch.variables, batch.gradients, settings)
        session.run(tf.global_variables_initializer())
        loss, norm = session.run([batch.loss, update.gradient_norm])
    assert loss == pytest.approx(4.0)  # the mean of 2·1 and 2·3, over 20 rows
    assert norm == pytest.approx(2.0)  # of the summed gradient, before clipping to 0.5


def test_an_overflow_moves_nothing_but_the_scale():
    with tf.Graph().as_default(), tf.Session() as session:
        weight = tf.get_variable("weight", initializer=[1.0, 2.0])
        gradient = tf.placeholder(tf.float32, [2])
        scale = loss_scale.create_loss_scale()
        settings = OptimizerSettings(learning_rate=0.5, num_train_steps=10)
        update = optimization.apply_gradients([weight], [gradient], settings, scale)
        session.run(tf.global_variables_initializer())
        state = [v for v in tf.global_variables() if "weight" in v.op.name]
        before = session.run(state)
        session.run(update.train_op, {gradient: [np.inf, 1.0]})
        for old, new in zip(before, session.run(state)):
            np.testing.assert_array_equal(new, old)
        assert session.run(scale.scale) == loss_scale.FIRST_SCALE / 2
        session.run(update.train_op, {gradient: [1.0, 1.0]})
        assert np.all(session.run(weight) < [1.0, 2.0])
        session.run(scale.good_steps.assign(loss_scale.GROWTH_STEPS - 1))
        session.run(update.train_op, {gradient: [1.0, 1.0]})
        assert session.run([scale.scale, scale.good_steps]) == [loss_scale.FIRST_SCALE, 0]
        assert session.run(tf.train.get_global_step()) == 3


@pytest.mark.parametrize("dtype", ["bfloat16", slow("float16")])
def test_rounded_products_stay_near_the_exact_gradients(dtype):
    loss, _, exact = gradients_in_slices("zh_postln", 1)
    rounded_loss, _, rounded = gradients_in_slices("zh_postln", 1, matmul_dtype=tf.as_dtype(dtype))
    assert rounded_loss != loss
    assert rounded_loss == pytest.approx(loss, rel=0.01)
    exact, rounded = (np.concatenate([g[name].ravel() for name in sorted(exact)]) for g in (exact, rounded))
    assert np.linalg.norm(rounded - exact) < 0.03 * np.linalg.norm(exact)


def test_a_scaled_loss_gives_the_same_gradients():
    arrays = model_fixtures.load("zh_postln")
    with tf.Graph().as_default(), tf.Session() as session:
        features, objective = constants(uneven_batch(arrays, 6)), fixture_objective("zh_postln", arrays, num_layers=1)
        plain = batch_gradients(objective, features, Division(), seed=0, step=tf.constant(0))
        with tf.variable_scope(tf.get_variable_scope(), reuse=True):
            scaled = batch_gradients(
                objective, features, Division(num_slices=2), seed=0, step=tf.constant(0), loss_scale=tf.constant(1024.0)
            )
        model_fixtures.set_variables(session, model_fixtures.variables_of(arrays))
        for a, b in zip(*session.run([plain.gradients, scaled.gradients])):
            np.testing.assert_allclose(a, b, atol=2e-6)


def test_every_slice_of_every_step_has_dropout_of_its_own():
    def masks(step, num_slices=2, replica=0):
        with tf.Graph().as_default(), tf.Session() as session:
            weight = tf.get_variable("weight", initializer=1.0)

            def terms(features, totals):
                del totals
                mask = layers.dropout_mask([50], 0.5) + 0.0 * tf.reduce_sum(features["x"])
                second = layers.dropout_mask([50], 0.5)
                numbers = tf.cast(tf.range(50), tf.float32) ** 2
                watched = {"first": tf.reduce_sum(mask * numbers), "second": tf.reduce_sum(second * numbers)}
                return weight * watched["first"], watched

            objective = Objective(lambda features: {}, terms)
            division = Division(num_slices=num_slices, replica=replica, num_replicas=2)
            batch = batch_gradients(objective, {"x": tf.zeros([2])}, division, seed=1, step=tf.constant(step))
            session.run(tf.global_variables_initializer())
            return tuple(session.run([batch.watched["first"], batch.watched["second"]]))

    assert masks(0) == masks(0)
    seen = [value for pair in (masks(0), masks(1), masks(0, replica=1), masks(0, num_slices=1)) for value in pair]
    assert len(set(seen)) == len(seen)


def test_slices_of_a_batch_of_unknown_size():
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 2])
        parts = [training_step._slice({"x": x}, tf.constant(index), 3)["x"] for index in range(3)]
        values = np.arange(12.0).reshape(6, 2)
        np.testing.assert_array_equal(np.concatenate(session.run(parts, {x: values})), values)
