"""Losses of labels in float64 by hand, their gradients, what guessing reaches, and slices that add up to the batch."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.checkpoints import families
from albert.finetuning.classification import losses
from albert.finetuning.classification.losses import LabelLoss
from albert.finetuning.classification.model import Classifier, classification_objective
from albert.model import heads
from albert.training.step import Division, batch_gradients
from tests.support import tiny_model

RANDOM = np.random.RandomState(6)
LOGITS = RANDOM.standard_normal([5, 3]) * 3
LABEL_IDS = np.array([0, 2, 1, 1, 0])
LABELS = RANDOM.randint(0, 2, [5, 3])
WEIGHTS = (0.5, 3.0, 1.25)


def log_softmax(values):
    return values - np.log(np.exp(values).sum(axis=1, keepdims=True))


def expected_softmax(logits, smoothing):
    targets = np.eye(3)[LABEL_IDS] * (1 - smoothing) + smoothing / 3
    return -(targets * log_softmax(logits)).sum(axis=1)


def expected_sigmoid(logits, smoothing, weights=(1.0, 1.0, 1.0)):
    targets = LABELS * (1 - smoothing) + smoothing / 2
    positive, negative = np.log1p(np.exp(-logits)), np.log1p(np.exp(logits))
    return (np.array(weights) * targets * positive + (1 - targets) * negative).mean(axis=1)


def by_differences(function, point, step=1e-5):
    gradient = np.zeros_like(point)
    for place in np.ndindex(*point.shape):
        change = np.zeros_like(point)
        change[place] = step
        gradient[place] = (function(point + change).sum() - function(point - change).sum()) / (2 * step)
    return gradient


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.6])
@pytest.mark.parametrize("weights", [None, WEIGHTS])
@pytest.mark.parametrize("is_multilabel", [False, True])
def test_losses_and_gradients_are_those_of_the_formula(is_multilabel, weights, smoothing):
    label_ids = LABELS if is_multilabel else LABEL_IDS[:, np.newaxis]
    loss = LabelLoss(is_multilabel, smoothing, weights)
    with tf.Graph().as_default(), tf.Session() as session:
        logits = tf.constant(LOGITS, tf.float32)
        rows = loss.of_rows(logits, {"label_ids": tf.constant(label_ids, tf.int32)})
        row_weights = loss.row_weights({"label_ids": tf.constant(label_ids, tf.int32)})
        found, gradient, row_weights = session.run([rows, tf.gradients(rows, logits)[0], row_weights])
    if is_multilabel:
        function = lambda point: expected_sigmoid(point, smoothing, weights or (1, 1, 1))  # noqa: E731
    else:
        function = lambda point: expected_softmax(point, smoothing)  # noqa: E731
    np.testing.assert_allclose(found, function(LOGITS), rtol=1e-5, atol=2e-6)  # the logits are rounded to float32
    np.testing.assert_allclose(gradient, by_differences(function, LOGITS), atol=2e-5)
    is_weighed = weights is not None and not is_multilabel
    np.testing.assert_allclose(row_weights, np.array(WEIGHTS)[LABEL_IDS] if is_weighed else np.ones(5))
    assert loss.has_row_weights == is_weighed


@pytest.mark.parametrize("loss", [LabelLoss(), LabelLoss(smoothing=0.2), LabelLoss(False, 0.1, WEIGHTS)])
def test_guessing_one_label_reaches_the_loss_of_the_best_constant(loss):
    counts = np.array([5, 0, 15])
    weights = np.array(loss.weights or (1, 1, 1))

    def mean_loss(logs):
        of_labels = -(1 - loss.smoothing) * logs - loss.smoothing * logs.mean()
        return (weights * counts * of_labels).sum() / (weights * counts).sum()

    found = losses.guessing_softmax_loss(counts, loss)
    random = np.random.RandomState(1)
    tried = min(mean_loss(np.log(random.dirichlet([0.3] * 3) + 1e-12)) for _ in range(4000))
    assert found <= tried + 1e-6 and tried == pytest.approx(found, abs=0.05)


@pytest.mark.parametrize("loss", [LabelLoss(True), LabelLoss(True, 0.2), LabelLoss(True, 0.1, (4.0, 1.0, 0.5))])
def test_guessing_several_labels_reaches_the_loss_of_the_best_constant(loss):
    shares = np.array([0.1, 0.5, 1.0])
    targets = shares * (1 - loss.smoothing) + loss.smoothing / 2
    weights = np.array(loss.weights or (1, 1, 1))[:, np.newaxis]
    logits = np.linspace(-12, 12, 4001)
    curves = weights * targets[:, np.newaxis] * np.log1p(np.exp(-logits))
    curves += (1 - targets)[:, np.newaxis] * np.log1p(np.exp(logits))
    assert losses.guessing_sigmoid_loss(shares, loss) == pytest.approx(curves.min(axis=1).mean(), abs=1e-4)


@pytest.fixture
def no_dropout(monkeypatch):
    monkeypatch.setattr(heads, "CLASSIFIER_DROPOUT", 0.0)


def gradients(num_slices, loss):
    """Loss and gradients of four records of a tiny model, and the logits of the same weights."""
    random = np.random.RandomState(5)
    label_ids = [[1, 0, 1], [0, 0, 0], [1, 1, 1], [0, 1, 0]] if loss.is_multilabel else [[0], [1], [1], [2]]
    batch = {
        "input_ids": random.randint(5, tiny_model.SIZES["vocab_size"], [4, 6]),
        "input_mask": np.ones([4, 6], int),
        "segment_ids": np.zeros([4, 6], int),
        "label_ids": label_ids,
        losses.NUM_WINDOWS: [[1], [3], [3], [3]],
    }
    config = families.ZH.config_class.from_dict(dict(tiny_model.SIZES, num_hidden_layers=1))
    classifier = Classifier(families.ZH, config, 3, is_multilabel=loss.is_multilabel)
    objective = classification_objective(classifier, None, loss)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(2)
        constants = {name: tf.constant(value, tf.int32) for name, value in batch.items()}
        found = batch_gradients(objective, constants, Division(num_slices), seed=1, step=tf.constant(0))
        with tf.variable_scope(tf.get_variable_scope(), reuse=True):
            logits = classifier.build(constants, is_training=False)[1].logits
        session.run(tf.global_variables_initializer())
        return session.run([found.loss, found.gradients, logits, constants["label_ids"]])


@pytest.mark.parametrize(
    "loss",
    [
        LabelLoss(False, 0.1, WEIGHTS, has_windows=True),
        LabelLoss(True, 0.1, WEIGHTS, has_windows=True),
    ],
)
def test_slices_add_up_to_the_weighted_mean_of_the_whole_batch(no_dropout, loss):
    (whole, of_whole, logits, label_ids), (sliced, of_slices, _, _) = (gradients(n, loss) for n in (1, 2))
    assert sliced == pytest.approx(whole, rel=1e-5)
    for one, other in zip(of_whole, of_slices):
        np.testing.assert_allclose(other, one, atol=2e-6)
    weights = 1 / np.array([1, 3, 3, 3]) if loss.has_windows else np.ones(4)
    if loss.is_multilabel:
        targets = label_ids * (1 - loss.smoothing) + loss.smoothing / 2
        rows = np.array(WEIGHTS) * targets * np.log1p(np.exp(-logits)) + (1 - targets) * np.log1p(np.exp(logits))
        rows = rows.mean(axis=1)
    else:
        targets = np.eye(3)[label_ids[:, 0]] * (1 - loss.smoothing) + loss.smoothing / 3
        rows, weights = -(targets * log_softmax(logits)).sum(axis=1), weights * np.array(WEIGHTS)[label_ids[:, 0]]
    assert whole == pytest.approx((rows * weights).sum() / weights.sum(), rel=1e-5)
