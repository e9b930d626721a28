"""Objectives of sentence vectors: by hand from the model's own vectors, and in slices of a batch."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.checkpoints import families
from albert.finetuning.interleaved import interleave
from albert.finetuning.sentence_vectors.model import (
    TEACHER_VECTORS,
    DistillationLoss,
    PairLoss,
    VectorModel,
    distillation_objective,
    pair_objective,
)
from albert.text.sequences import EncodedPair, pad_batch
from albert.training.step import Division, batch_gradients
from tests.support import tiny_model

SIZE, ROWS = 5, 4
RANDOM = np.random.RandomState(2)
FAMILIES = sorted(families.FAMILIES)


def sequence():
    ids = RANDOM.randint(5, tiny_model.SIZES["vocab_size"], RANDOM.randint(3, 8)).tolist()
    return EncodedPair(ids, [0] * len(ids), False)


SENTENCES = pad_batch([sequence() for _ in range(ROWS)], 0)
PAIRS = pad_batch([interleave([sequence(), sequence()], 0) for _ in range(ROWS)], 0)
TEACHER = RANDOM.randn(ROWS, SIZE).astype(np.float32)
SCORES = np.array([[0.0], [1.0], [1.0], [0.0]], np.float32)


def run(name, objective_of, arrays, num_slices=1, pooling="mean", more=lambda model, features: tf.constant(0)):
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(3)
        tf.train.create_global_step()
        family = families.FAMILIES[name]
        config = family.config_class.from_dict(dict(tiny_model.SIZES, num_hidden_layers=1))
        model = VectorModel(family, config, SIZE, pooling)
        features = {key: tf.constant(value) for key, value in arrays.items()}
        found = batch_gradients(objective_of(model), features, Division(num_slices), seed=1, step=tf.constant(0))
        with tf.variable_scope(tf.get_variable_scope(), reuse=True):
            beside = more(model, features)
        session.run(tf.global_variables_initializer())
        gradients = {v.op.name: g for v, g in zip(found.variables, found.gradients)}
        return session.run([found.loss, found.watched, gradients, beside])


def distillation(loss=DistillationLoss(1.0, 10.0, 2)):  # noqa: B008 (immutable)
    return lambda model: distillation_objective(model, loss)


@pytest.mark.parametrize("pooling", ["mean", "max", "cls"])
@pytest.mark.parametrize("name", FAMILIES)
def test_the_loss_of_a_distillation(name, pooling):
    arrays = dict(SENTENCES, **{TEACHER_VECTORS: TEACHER})
    vectors_of = lambda model, features: model.build(features, is_training=False)[1]  # noqa: E731
    loss, watched, _, vectors = run(name, distillation(), arrays, pooling=pooling, more=vectors_of)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), np.ones(ROWS), rtol=1e-5)
    teacher = TEACHER / np.linalg.norm(TEACHER, axis=1, keepdims=True)
    cosine = np.mean(np.sum(vectors * teacher, axis=1))
    structure = np.mean([(a @ a.T - b @ b.T) ** 2 for a, b in zip(np.split(vectors, 2), np.split(teacher, 2))])
    assert watched["cosine"] == pytest.approx(cosine, abs=1e-5)
    assert loss == pytest.approx(1 - cosine + 10 * structure, rel=1e-4)


@pytest.mark.parametrize(
    "objective, arrays",
    [
        (distillation(), dict(SENTENCES, **{TEACHER_VECTORS: TEACHER})),
        (lambda model: pair_objective(model, PairLoss(1.0, 0.5, 1.0, 2)), dict(PAIRS, score=SCORES)),
    ],
)
def test_slices_add_up_to_the_batch(objective, arrays):
    whole, sliced = (run("zh", objective, arrays, num_slices) for num_slices in (1, 2))
    assert sliced[0] == pytest.approx(whole[0], rel=1e-5)
    assert sorted(sliced[2]) == sorted(whole[2])
    for name, gradient in whole[2].items():
        np.testing.assert_allclose(sliced[2][name], gradient, atol=1e-5, rtol=1e-3, err_msg=name)


def test_similarities_are_cosines_of_the_sentences_of_a_pair():
    more = lambda model, features: model.similarities(features)  # noqa: E731
    objective = lambda model: pair_objective(model, PairLoss(1.0, 0.0, 1.0, 4))  # noqa: E731
    loss, watched, _, similarities = run("google", objective, dict(PAIRS, score=SCORES), more=more)
    assert similarities.shape == (ROWS,) and np.all(np.abs(similarities) <= 1 + 1e-6)
    lower, higher = similarities[[0, 3]], similarities[[1, 2]]
    expected = np.log(1 + np.sum(np.exp(20 * (lower[:, None] - higher[None, :]))))
    assert loss == pytest.approx(expected, rel=1e-4)
    assert watched["ranking"] == pytest.approx(expected, rel=1e-4)


def test_a_map_to_the_hidden_size_begins_as_the_identity():
    with tf.Graph().as_default(), tf.Session() as session:
        family = families.FAMILIES["zh"]
        config = family.config_class.from_dict(dict(tiny_model.SIZES, num_hidden_layers=1))
        model = VectorModel(family, config, config.hidden_size, "mean")
        encoder, vectors = model.build({key: tf.constant(value) for key, value in SENTENCES.items()}, False)
        session.run(tf.global_variables_initializer())
        mean, found = session.run([encoder.get_mean_output(), vectors])
    np.testing.assert_allclose(found, mean / np.linalg.norm(mean, axis=1, keepdims=True), rtol=1e-5)
