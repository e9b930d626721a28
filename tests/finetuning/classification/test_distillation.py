"""The loss of a teacher beside the labels: by hand in float64, its gradient, its slices, and what guessing reaches."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.checkpoints import families
from albert.finetuning.classification.distillation import (
    TEACHER_PROBABILITIES,
    Distillation,
    distilled_loss,
    guessing_loss,
)
from albert.finetuning.classification.model import Classifier, classification_objective
from albert.model import heads
from albert.training.step import Division, batch_gradients
from tests.support import tiny_model

RANDOM = np.random.RandomState(4)
LOGITS = RANDOM.standard_normal([5, 3]) * 3
TEACHER = RANDOM.standard_normal([5, 3]) * 3
LABELS = np.array([0, 2, 1, 1, 0])


def log_softmax(values):
    return values - np.log(np.exp(values).sum(axis=1, keepdims=True))


def expected_losses(logits, teacher, labels, weight, temperature):
    """(1 - w) · cross-entropy + w · T² · Σ p·ln(p/q), in float64."""
    log_teacher, log_student = log_softmax(teacher / temperature), log_softmax(logits / temperature)
    divergence = (np.exp(log_teacher) * (log_teacher - log_student)).sum(axis=1)
    label_loss = -log_softmax(logits)[np.arange(len(labels)), labels]
    return (1 - weight) * label_loss + weight * temperature**2 * divergence


def by_differences(function, point, step=1e-5):
    """Gradient of a function of an array, from both sides of each element."""
    gradient = np.zeros_like(point)
    for place in np.ndindex(*point.shape):
        change = np.zeros_like(point)
        change[place] = step
        gradient[place] = (function(point + change) - function(point - change)) / (2 * step)
    return gradient


@pytest.mark.parametrize("weight,temperature", [(0.5, 2.0), (0.9, 1.0), (0.25, 5.0), (1.0, 3.0), (0.0, 2.0)])
def test_the_loss_and_its_gradient_are_those_of_the_formula(weight, temperature):
    with tf.Graph().as_default(), tf.Session() as session:
        logits = tf.constant(LOGITS, tf.float32)
        softened = tf.constant(np.exp(log_softmax(TEACHER / temperature)), tf.float32)
        label_loss = heads.cross_entropy(logits, tf.constant(LABELS))
        losses = distilled_loss(label_loss, logits, softened, Distillation(weight, temperature))
        found, gradient = session.run([losses, tf.gradients(losses, logits)[0]])
    np.testing.assert_allclose(found, expected_losses(LOGITS, TEACHER, LABELS, weight, temperature), rtol=1e-5)
    sum_of = lambda point: expected_losses(point, TEACHER, LABELS, weight, temperature).sum()  # noqa: E731
    np.testing.assert_allclose(gradient, by_differences(sum_of, LOGITS), atol=2e-5)


def test_certain_teachers_and_equal_students_give_finite_losses():
    softened = np.array([[1, 0, 0], [0.5, 0.5, 0]], np.float32)
    logits = np.array([[0, -200, -200], [1, 1, -100]], np.float32)
    with tf.Graph().as_default(), tf.Session() as session:
        logits_tensor = tf.constant(logits)
        losses = distilled_loss(tf.zeros([2]), logits_tensor, tf.constant(softened), Distillation(1.0, 2.0))
        found, gradient = session.run([losses, tf.gradients(losses, logits_tensor)[0]])
    np.testing.assert_allclose(found, 0, atol=1e-6)
    np.testing.assert_allclose(gradient, 0, atol=1e-6)


def test_guessing_reaches_the_loss_of_the_best_constant():
    labels = np.repeat([0, 1], [30, 70])
    softened = np.array([0.9, 0.1] * 30 + [0.0, 1.0] * 70).reshape(-1, 2)
    entropy = -sum(share * np.log(share) for share in (0.3, 0.7))
    with np.errstate(divide="ignore", invalid="ignore"):
        logs = np.where(softened > 0, np.log(softened), 0)
    for weight, temperature in ((0.0, 2.0), (1.0, 2.0), (0.4, 1.0)):
        tried = []
        for logit in np.linspace(-3, 3, 2001):
            plain, soft = (log_softmax(np.array([[0, logit / t]]))[0] for t in (1.0, temperature))
            divergence = (softened * (logs - soft)).sum(axis=1).mean()
            tried.append((1 - weight) * -plain[labels].mean() + weight * temperature**2 * divergence)
        found = guessing_loss(entropy, softened, Distillation(weight, temperature))
        assert found <= min(tried) + 1e-9
        assert found == pytest.approx(min(tried), rel=2e-2)


@pytest.fixture
def no_dropout(monkeypatch):
    monkeypatch.setattr(heads, "CLASSIFIER_DROPOUT", 0.0)


def gradients(num_slices, distillation, *, has_choices=False, label_ids=(0, 1, 1, 0)):
    """Loss and gradients of four rows of a tiny model."""
    random = np.random.RandomState(5)
    batch = {
        "input_ids": random.randint(5, tiny_model.SIZES["vocab_size"], [4, 6]),
        "input_mask": np.ones([4, 6], int),
        "segment_ids": np.zeros([4, 6], int),
        "label_ids": np.array(label_ids).reshape(-1, 1),
    }
    features = {name: np.asarray(value, np.int32) for name, value in batch.items()}
    features[TEACHER_PROBABILITIES] = random.dirichlet([1.0, 1.0], 4).astype(np.float32)
    config = families.ZH.config_class.from_dict(dict(tiny_model.SIZES, num_hidden_layers=1))
    objective = classification_objective(Classifier(families.ZH, config, 2, has_choices=has_choices), distillation)
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(2)
        constants = {name: tf.constant(value) for name, value in features.items()}
        found = batch_gradients(objective, constants, Division(num_slices), seed=1, step=tf.constant(0))
        session.run(tf.global_variables_initializer())
        names = [variable.op.name for variable in found.variables]
        loss, values = session.run([found.loss, found.gradients])
    return loss, dict(zip(names, values))


def assert_same(found, expected):
    assert found[0] == pytest.approx(expected[0], rel=1e-5)
    for name, value in expected[1].items():
        np.testing.assert_allclose(found[1][name], value, atol=2e-6, err_msg=name)


@pytest.mark.parametrize("has_choices", [False, True])
def test_slices_add_up_to_the_whole_batch(no_dropout, has_choices):
    whole, sliced = (gradients(n, Distillation(0.6, 2.0), has_choices=has_choices) for n in (1, 2))
    assert max(np.abs(value).max() for value in whole[1].values()) > 1e-3
    assert_same(sliced, whole)


def test_all_weight_on_the_teacher_leaves_labels_out_and_none_leaves_the_teacher_out(no_dropout):
    of_teacher = gradients(1, Distillation(1.0, 2.0))
    assert_same(gradients(1, Distillation(1.0, 2.0), label_ids=(1, 0, 0, 1)), of_teacher)
    of_labels = gradients(1, None)
    assert_same(gradients(1, Distillation(0.0, 2.0)), of_labels)
    assert abs(of_teacher[0] - of_labels[0]) > 1e-3
