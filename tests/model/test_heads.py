"""The heads beyond the fixtures: padding, missing pairs, the classifier, the published node name."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.files.features import NO_SENTENCE_ORDER
from albert.model import heads
from tests.support import model_fixtures


def build_model(name="zh_postln"):
    arrays = model_fixtures.load(name)
    config = model_fixtures.config_of(name, arrays)
    ids = tf.constant(np.random.RandomState(1).randint(1, config.vocab_size, [5, 7]), tf.int32)
    return model_fixtures.FAMILY_OF[name].model_class(config, False, ids, scope="bert")


def test_masked_lm_loss_has_its_published_name_and_formula():
    positions, ids = np.array([[1, 2], [3, 0], [4, 4], [0, 6], [5, 1]]), np.arange(10).reshape(5, 2)
    weights = np.array([[1, 0], [1, 1], [0, 0], [1, 0], [1, 1]], np.float32)
    with tf.Graph().as_default() as graph, tf.Session() as session:
        output = heads.masked_lm(build_model(), tf.constant(positions), tf.constant(ids), tf.constant(weights))
        session.run(tf.global_variables_initializer())
        logits, loss = session.run([output.logits, output.loss])
        assert graph.get_tensor_by_name("cls/predictions/truediv:0") is output.loss
    logits = logits.astype(np.float64)
    nll = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(10), ids.ravel()]
    assert loss == pytest.approx((nll * weights.ravel()).sum() / (weights.sum() + 1e-5), rel=1e-5)


def test_a_batch_without_predictions_has_loss_zero():
    with tf.Graph().as_default(), tf.Session() as session:
        zeros = tf.zeros([5, 2], tf.int32)
        output = heads.masked_lm(build_model(), zeros, zeros, tf.zeros([5, 2]))
        session.run(tf.global_variables_initializer())
        assert session.run(output.loss) == 0.0


def test_examples_without_a_pair_weigh_nothing_in_sentence_order():
    labels = [[0], [NO_SENTENCE_ORDER], [1], [NO_SENTENCE_ORDER], [1]]
    with tf.Graph().as_default(), tf.Session() as session:
        output = heads.sentence_order(build_model(), tf.constant(labels))
        session.run(tf.global_variables_initializer())
        logits, losses, loss = session.run([output.logits, output.example_loss, output.loss])
    logits = logits.astype(np.float64)
    nll = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(5), [0, 0, 1, 0, 1]]
    assert losses[1] == losses[3] == 0.0
    assert loss == pytest.approx(nll[[0, 2, 4]].mean(), rel=1e-5)


def test_a_batch_without_pairs_has_sentence_order_loss_zero():
    with tf.Graph().as_default(), tf.Session() as session:
        output = heads.sentence_order(build_model(), tf.fill([5, 1], NO_SENTENCE_ORDER))
        session.run(tf.global_variables_initializer())
        assert session.run(output.loss) == 0.0


@pytest.mark.parametrize(
    "name,more",
    [("zh_postln", set()), ("google_g1", set()), ("zh_preln", {"loss/LayerNorm/beta", "loss/LayerNorm/gamma"})],
)
def test_classifier_variables_stand_at_the_root(name, more):
    with tf.Graph().as_default():
        heads.classifier(build_model(name), 3, is_training=False, labels=None)
        names = {v.op.name: v.shape.as_list() for v in tf.trainable_variables() if not v.op.name.startswith("bert/")}
    assert set(names) == {"output_weights", "output_bias"} | more
    assert names["output_weights"] == [3, 48] and names["output_bias"] == [3]


def test_classifier_equals_a_numpy_reference():
    labels = np.array([0, 2, 1, 1, 0])
    with tf.Graph().as_default(), tf.Session() as session:
        model = build_model()
        output = heads.classifier(model, 3, is_training=False, labels=tf.constant(labels))
        session.run(tf.global_variables_initializer())
        weights = next(v for v in tf.trainable_variables() if v.op.name == "output_weights")
        pooled, w, logits, loss = session.run([model.get_pooled_output(), weights, output.logits, output.loss])
    expected = pooled.astype(np.float64) @ w.T.astype(np.float64)
    np.testing.assert_allclose(logits, expected, atol=1e-5)
    nll = np.log(np.exp(expected).sum(axis=1)) - expected[np.arange(5), labels]
    assert loss == pytest.approx(nll.mean(), rel=1e-5)
