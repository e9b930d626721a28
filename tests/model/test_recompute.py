"""Recomputation of layers: the same numbers with and without it, and nothing kept that need not be."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.checkpoints import families
from albert.model import compute, heads, recompute
from albert.training.step import Division, Objective, batch_gradients
from tests.support import tiny_model
from tests.support.marks import slow

BATCH, SLICES = 6, 3
FAMILIES = {
    "zh postln": (families.ZH, {"ln_type": "postln"}),
    "zh preln": (families.ZH, {"ln_type": "preln"}),
    "google": (families.GOOGLE, {"num_hidden_layers": 3, "num_hidden_groups": 2}),
}


def random_features():
    random = np.random.RandomState(5)
    shape = [BATCH, tiny_model.SEQ_LENGTH]
    positions = [BATCH, tiny_model.PREDICTIONS]
    mask = (np.arange(shape[1]) < random.randint(5, shape[1] + 1, [BATCH, 1])).astype(np.int32)
    return {
        "ids": tf.constant(random.randint(0, tiny_model.SIZES["vocab_size"], shape), tf.int32),
        "mask": tf.constant(mask),
        "positions": tf.constant(random.randint(1, 5, positions), tf.int32),
        "masked_ids": tf.constant(random.randint(0, tiny_model.SIZES["vocab_size"], positions), tf.int32),
        "labels": tf.constant(random.randint(0, 2, BATCH), tf.int32),
    }


def objective_of(family, config):
    def terms(features, totals):
        model = family.model_class(
            config=config,
            is_training=True,
            input_ids=features["ids"],
            input_mask=features["mask"],
            scope="bert",
            kept_positions=features["positions"],
        )
        weights = tf.ones_like(features["positions"], tf.float32)
        masked_lm = heads.masked_lm(model, features["positions"], features["masked_ids"], weights)
        order = heads.sentence_order(model, features["labels"])
        return (tf.reduce_sum(masked_lm.example_loss) + tf.reduce_sum(order.example_loss)) / totals["rows"], {}

    return Objective(lambda features: {"rows": tf.cast(tf.shape(features["ids"])[0], tf.float32)}, terms)


def loss_and_gradients(name, slices, use_resource, *, dropout=0.3, **scope):
    """Of the same weights and examples, by variable."""
    family, changes = FAMILIES[name]
    sizes = dict(tiny_model.SIZES, hidden_dropout_prob=dropout, attention_probs_dropout_prob=dropout, **changes)
    objective = objective_of(family, family.config_class.from_dict(sizes))
    with tf.Graph().as_default(), tf.Session() as session, compute.scope(**scope):
        with tf.variable_scope("", use_resource=use_resource, reuse=tf.AUTO_REUSE):
            batch = batch_gradients(objective, random_features(), Division(num_slices=slices), seed=3, step=7)
        random = np.random.RandomState(1)
        values = {v.initializer.inputs[1]: random.randn(*v.shape.as_list()) * 0.2 for v in tf.trainable_variables()}
        session.run(tf.global_variables_initializer(), values)
        gradients = {v.op.name: gradient for v, gradient in zip(batch.variables, batch.gradients)}
        return session.run([batch.loss, gradients])


@pytest.mark.parametrize(
    "name,slices,use_resource",
    [
        ("zh postln", SLICES, False),
        slow("zh postln", 1, False),
        slow("zh preln", SLICES, True),
        slow("google", 1, False),
    ],
)
def test_no_gradient_changes(name, slices, use_resource):
    loss, gradients = loss_and_gradients(name, slices, use_resource)
    loss_again, gradients_again = loss_and_gradients(name, slices, use_resource, recompute=True)
    np.testing.assert_allclose(loss_again, loss, rtol=1e-6)
    assert gradients_again.keys() == gradients.keys() and len(gradients) > 20
    for variable, gradient in gradients.items():
        np.testing.assert_allclose(gradients_again[variable], gradient, rtol=1e-4, atol=2e-6, err_msg=variable)


def test_other_masks_would_show():
    losses = [loss_and_gradients("zh postln", 1, False, dropout=dropout)[0] for dropout in (0.3, 0.0)]
    assert abs(losses[0] - losses[1]) > 1e-3


def test_recomputation_without_keys_is_refused():
    with tf.Graph().as_default(), compute.scope(recompute=True), pytest.raises(ValueError, match="dropout keys"):
        recompute.LayerStack().apply(tf.identity, tf.constant(1.0))
