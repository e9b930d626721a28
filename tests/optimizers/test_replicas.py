"""A small training divided among parts of the CPU, against the same on one; the TPU's step, compiled by XLA."""

import itertools

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.checkpoints import families
from albert.devices.divided_training import DividedTraining
from albert.devices.selection import CPU, Devices
from albert.finetuning.classification.model import Classifier, classification_objective
from albert.model import heads, layers
from albert.optimizers import replicas
from albert.pretraining.model_fn import pretraining_objective
from albert.training.step import Objective, TrainingSetup, training_spec
from optimization import OptimizerSettings
from tests.support import tiny_model
from tests.support.marks import slow

STEPS = 4


def objective():
    """Least squares, each row weighed; a row of zeros stands for padding."""

    def terms(features, totals):
        weights = layers.weight("kernel", [3, 2], 0.5)
        bias = tf.get_variable("LayerNorm/beta", [2], initializer=tf.zeros_initializer())
        errors = tf.reduce_sum(tf.square(tf.matmul(features["x"], weights) + bias - features["y"]), axis=1)
        rows = tf.reduce_sum(features["weight"])
        return tf.reduce_sum(errors * features["weight"]) / totals["weight"], {"rows": rows}

    return Objective(lambda features: {"weight": tf.reduce_sum(features["weight"])}, terms)


def input_fn(params):
    random = np.random.RandomState(5)
    rows = {
        "x": random.randn(STEPS * 12, 3).astype(np.float32),
        "y": 3.0 * random.randn(STEPS * 12, 2).astype(np.float32),
        "weight": random.randint(0, 2, STEPS * 12).astype(np.float32),
    }
    return tf.data.Dataset.from_tensor_slices(rows).batch(params["batch_size"], drop_remainder=True)


def settings_of(optimizer, learning_rate=0.1, num_warmup_steps=2):
    return OptimizerSettings(learning_rate, STEPS, num_warmup_steps, optimizer, clip_norm=0.5)


def setup_of(optimizer, hooks=None, **changes):
    make_hooks = replicas.once_per_graph(lambda tensors: hooks) if hooks else None
    return TrainingSetup(optimizer=settings_of(optimizer), make_hooks=make_hooks, **changes)


def trained(folder, num_devices, setup):
    """What the last checkpoint holds."""

    def model_fn(features, labels, mode, params):
        return training_spec(objective(), features, setup)

    training = DividedTraining(
        Devices(CPU, num_devices), model_fn, output_dir=str(folder), batch_size=12, seed=3, keep_checkpoint_max=1,
        save_checkpoints_steps=100, last_checkpoint=lambda: None,
    )  # fmt: skip
    training.train(input_fn, max_steps=STEPS)
    reader = tf.train.load_checkpoint(str(folder))
    return {name: reader.get_tensor(name) for name in reader.get_variable_to_shape_map()}


@pytest.mark.parametrize("optimizer,num_devices,num_slices", [("lamb", 2, 1), ("adamw", 3, 2)])
def test_devices_and_slices_train_as_one(optimizer, num_devices, num_slices, tmp_path):
    expected = trained(tmp_path / "one", 1, setup_of(optimizer))
    assert expected["global_step"] == STEPS
    setup = setup_of(optimizer, gradient_accumulation_steps=num_slices)
    found = trained(tmp_path / "divided", num_devices, setup)
    assert set(found) == set(expected)
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-4, atol=1e-6, err_msg=name)


class Counted(tf.train.SessionRunHook):
    def __init__(self):
        self.runs = 0

    def before_run(self, run_context):
        self.runs += 1


def test_hooks_see_each_update_once(tmp_path):
    hook = Counted()
    trained(tmp_path, 2, setup_of("adamw", [hook]))
    assert hook.runs == STEPS


def test_a_scaled_loss_is_the_same_on_every_replica(tmp_path):
    expected = trained(tmp_path / "one", 1, setup_of("adamw"))
    found = trained(tmp_path / "two", 2, setup_of("adamw", precision="float16"))
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-2, atol=1e-2, err_msg=name)
    assert set(found) - set(expected) == {"loss_scale/scale", "loss_scale/good_steps"}
    assert found["loss_scale/good_steps"] == STEPS


def test_initial_weights_follow_from_seed_and_name():
    def initial(seed, *before):
        with tf.Graph().as_default(), tf.Session() as session:
            tf.set_random_seed(seed)
            for name in before:
                layers.weight(name, [2, 3], 0.5)
            with tf.variable_scope("scope"):
                weights = layers.weight("kernel", [2, 3], 0.5)
            session.run(tf.global_variables_initializer())
            return session.run(weights)

    np.testing.assert_array_equal(initial(1), initial(1, "kernel", "other"))
    assert np.abs(initial(1) - initial(2)).max() > 0.01
    with tf.Graph().as_default(), tf.Session() as session:
        pair = [layers.weight(name, [4, 5], 0.5) for name in ("first", "second")]
        session.run(tf.global_variables_initializer())
        first, second = session.run(pair)
    assert np.abs(first - second).max() > 0.01


@pytest.fixture
def one_tpu_core(monkeypatch):
    monkeypatch.setattr(tf.tpu, "cross_replica_sum", lambda tensor: tensor)
    monkeypatch.setattr(heads, "CLASSIFIER_DROPOUT", 0.0)  # XLA draws other numbers


def step_of_a_tpu(objective, batch, num_slices, is_compiled):
    """Loss and weights of one step of a TPU's graph, compiled by XLA or not."""
    with tf.Graph().as_default() as graph, tf.Session() as session, tf.variable_scope("", use_resource=True):
        tf.set_random_seed(4)
        feeds = {key: tf.placeholder(tf.as_dtype(value.dtype), value.shape) for key, value in batch.items()}
        names = sorted(feeds)

        def step(*values):
            settings = settings_of("adamw", learning_rate=0.01, num_warmup_steps=0)
            setup = TrainingSetup(settings, use_tpu=True, gradient_accumulation_steps=num_slices)
            spec = training_spec(objective, dict(zip(names, values)), setup)
            with tf.control_dependencies([spec.train_op]):
                return tf.identity(spec.loss)

        inputs = [feeds[name] for name in names]
        loss = tf.xla.experimental.compile(step, inputs)[0] if is_compiled else step(*inputs)
        assert_static_shapes(graph)
        session.run(tf.global_variables_initializer())
        before = session.run(tf.trainable_variables())
        found = session.run(loss, {feeds[key]: value for key, value in batch.items()})
        after = session.run({variable.op.name: variable for variable in tf.trainable_variables()})
        assert max(np.abs(a - b).max() for a, b in zip(before, after.values())) > 1e-3
    return found, after


def assert_static_shapes(graph):
    if int(tf.__version__.split(".")[0]) < 2:
        return  # it infers fewer shapes; that XLA compiles it says enough
    tensors = itertools.chain.from_iterable(op.outputs for op in graph.get_operations())
    assert [tensor.name for tensor in tensors if not tensor.shape.is_fully_defined()] == []


def assert_compiles(objective, batch, num_slices):
    """By XLA, to the step that it is without: XLA takes no shape that is known only later."""
    (loss, weights), (plain_loss, plain_weights) = (
        step_of_a_tpu(objective, batch, num_slices, is_compiled) for is_compiled in (True, False)
    )
    assert loss == pytest.approx(plain_loss, rel=1e-5)
    for name, value in plain_weights.items():
        if "key/bias" not in name:  # moved by rounding noise alone
            np.testing.assert_allclose(weights[name], value, atol=2e-3, err_msg=name)


def config_of(family, **changes):
    sizes = dict(dict(tiny_model.SIZES, num_hidden_layers=1), **changes)
    return family.config_class.from_dict(sizes).without_dropout()


def sequences(rows, length=7):
    random = np.random.RandomState(1)
    return {
        "input_ids": random.randint(0, len(tiny_model.VOCABULARY), [rows, length]).astype(np.int32),
        "input_mask": np.ones([rows, length], np.int32),
        "segment_ids": np.zeros([rows, length], np.int32),
    }


@pytest.mark.parametrize(
    "family,num_slices,changes",
    [
        slow(families.ZH, 2, {}),
        slow(families.ZH, 1, {"num_hidden_layers": 2, "ln_type": "preln"}),
        slow(families.GOOGLE, 1, {}),
        slow(families.GOOGLE, 2, {"num_hidden_layers": 2, "num_hidden_groups": 2}),
    ],
)
def test_the_pretraining_step_of_a_tpu_compiles(family, num_slices, changes, one_tpu_core):
    batch = dict(
        sequences(4),
        masked_lm_positions=np.array([[1, 3], [2, 6], [0, 0], [5, 4]], np.int32),
        masked_lm_ids=np.array([[5, 6], [7, 8], [9, 5], [6, 5]], np.int32),
        masked_lm_weights=np.array([[1, 1], [1, 0], [0, 0], [1, 1]], np.float32),
        next_sentence_labels=np.array([[0], [1], [-1], [1]], np.int32),
    )
    assert_compiles(pretraining_objective(family, config_of(family, **changes)), batch, num_slices)


@pytest.mark.parametrize(
    "family,num_slices", [(families.GOOGLE, 1), pytest.param(families.ZH, 2, marks=pytest.mark.slow)]
)
def test_the_fine_tuning_step_of_a_tpu_compiles(family, num_slices, one_tpu_core):
    classifier = Classifier(family, config_of(family), 3, True)
    batch = dict(sequences(4), label_ids=np.array([[0], [2], [1], [2]], np.int32))
    assert_compiles(classification_objective(classifier), batch, num_slices)
