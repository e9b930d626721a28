"""The heads that answer for each token: their losses by hand, padding, slices of a batch."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.checkpoints import families
from albert.finetuning import token_models
from albert.finetuning.token_models import TokenModel
from albert.model import heads
from albert.training.step import Division, batch_gradients
from tests.support import tiny_model
from tests.support.marks import slow

NUM_TAGS = 5
LENGTHS = (7, 4, 6, 3)


def batch_of(length, seed=1):
    """Sequences of LENGTHS padded to a length, with the labels of both kinds."""
    random = np.random.RandomState(seed)
    shape = (len(LENGTHS), max(LENGTHS))
    values = {
        "input_ids": random.randint(5, tiny_model.SIZES["vocab_size"], shape),
        "input_mask": (np.arange(shape[1]) < np.array(LENGTHS)[:, None]).astype(int),
        "segment_ids": np.zeros(shape, int),
        "label_ids": random.randint(0, 1 + NUM_TAGS, shape),
    }
    values = {name: value * values["input_mask"] for name, value in values.items()}
    values = {name: np.pad(value, ((0, 0), (0, length - shape[1])), "constant") for name, value in values.items()}
    for name in ("start_positions", "end_positions"):
        values[name] = random.randint(0, 3, (len(LENGTHS), 1))
    return {name: tf.constant(value, tf.int32) for name, value in values.items()}, values


def objective_of(kind, model):
    return token_models.span_objective(model) if kind == "span" else token_models.tag_objective(model, NUM_TAGS)


def run(family, kind, length, num_slices=1):
    """Loss, watched scalars, answers and gradients by variable."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        tf.train.create_global_step()
        features, values = batch_of(length)
        config = family.config_class.from_dict(dict(tiny_model.SIZES, num_hidden_layers=1))
        model = TokenModel(family, config.without_dropout())
        found = batch_gradients(objective_of(kind, model), features, Division(num_slices), seed=1, step=tf.constant(0))
        with tf.variable_scope(tf.get_variable_scope(), reuse=True):
            answers = model.span_logits(features) if kind == "span" else model.tag_log_probabilities(features, NUM_TAGS)
        session.run(tf.global_variables_initializer())
        gradients = {variable.op.name: gradient for variable, gradient in zip(found.variables, found.gradients)}
        return values, session.run([found.loss, found.watched, answers, gradients])


@pytest.fixture(autouse=True)
def no_dropout(monkeypatch):
    monkeypatch.setattr(heads, "CLASSIFIER_DROPOUT", 0.0)


def test_the_loss_of_tags_is_their_mean():
    values, (loss, watched, answers, _) = run(families.ZH, "tag", 9)
    rows, places = np.nonzero(values["label_ids"])
    labels = values["label_ids"][rows, places] - 1
    assert loss == pytest.approx(-answers[rows, places, labels].mean(), rel=1e-5)
    assert watched["accuracy"] == pytest.approx(np.mean(answers[rows, places].argmax(axis=1) == labels))
    assert watched["tokens"] == sum(LENGTHS)


def test_the_loss_of_spans_is_the_mean_of_both_ends():
    values, (loss, watched, answers, _) = run(families.GOOGLE, "span", 9)
    logs = answers - np.log(np.exp(answers).sum(axis=2, keepdims=True))
    labels = np.concatenate([values["start_positions"], values["end_positions"]], axis=1)
    nll = -np.take_along_axis(logs, labels[:, :, None], axis=2)
    assert loss == pytest.approx(nll.mean(), rel=1e-5)
    assert watched["accuracy"] == pytest.approx((answers.argmax(axis=2) == labels).all(axis=1).mean())


@pytest.mark.parametrize(
    "kind,family",
    [
        ("span", families.ZH),
        ("tag", families.GOOGLE),
        slow("tag", families.ZH),
        slow("span", families.GOOGLE),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_neither_padding_nor_slices_change_anything(kind, family):
    _, (loss, _, _, gradients) = run(family, kind, max(LENGTHS))
    for length, num_slices in ((12, 1), (max(LENGTHS), 2)):
        _, (other_loss, _, _, others) = run(family, kind, length, num_slices)
        assert other_loss == pytest.approx(loss, rel=1e-5)
        for name, gradient in gradients.items():
            np.testing.assert_allclose(others[name], gradient, atol=1e-6, err_msg=name)
    assert any(name.startswith("cls/") for name in gradients)


def test_a_batch_without_tags_has_loss_zero():
    with tf.Graph().as_default(), tf.Session() as session:
        features, _ = batch_of(8)
        features["label_ids"] = tf.zeros_like(features["label_ids"])
        objective = token_models.tag_objective(TokenModel(families.ZH, families.ZH.config_class(**tiny_model.SIZES)), 3)
        loss, _ = objective.terms(features, objective.totals(features))
        session.run(tf.global_variables_initializer())
        assert session.run(loss) == 0.0
