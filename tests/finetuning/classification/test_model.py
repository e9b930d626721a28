"""The choices of a row: the model makes one decision of them."""

import numpy as np
import tensorflow.compat.v1 as tf

from albert.checkpoints import families
from albert.finetuning.classification import model as classification
from albert.finetuning.interleaved import interleave, separate
from albert.text.sequences import EncodedPair, pad_batch
from tests.support import tiny_model

CHOICES = [
    [EncodedPair([2, 5, 3, 6, 3], [0, 0, 0, 1, 1], False), EncodedPair([2, 5, 3], [0, 0, 0], False)],
    [
        EncodedPair([2, 7, 8, 3, 3], [0, 0, 0, 0, 1], False),
        EncodedPair([2, 7, 3, 9, 9, 8, 3], [0] * 3 + [1] * 4, False),
    ],
    [EncodedPair([2, 3, 3], [0, 0, 1], False), EncodedPair([2, 3, 3], [0, 0, 1], False)],
]
LABELS = [1, 0, 1]
ROWS = len(CHOICES)


def constants(batch):
    return {name: tf.constant(values) for name, values in batch.items()}


def batch_of_rows():
    batch = pad_batch([interleave(choices, 0) for choices in CHOICES], 0)
    label_ids = np.array(LABELS, np.int32).reshape(-1, 1)
    return dict(batch, label_ids=label_ids, row_index=np.arange(ROWS, dtype=np.int32).reshape(-1, 1))


def build(family):
    """The values of a classifier with choices, and those of one that sees each sequence alone, by the same weights."""
    config = family.config_class(**tiny_model.SIZES)
    chooser = classification.Classifier(family, config, 2, has_choices=True)
    classifier = classification.Classifier(family, config, 2)
    alone = []
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        with tf.variable_scope(tf.get_variable_scope(), reuse=tf.AUTO_REUSE):
            _, together = chooser.build(constants(batch_of_rows()), is_training=False)
            for sequence in [sequence for choices in CHOICES for sequence in choices]:
                label_ids = np.zeros([1, 1], np.int32)
                features = constants(dict(pad_batch([sequence], 0), label_ids=label_ids))
                alone.append(classifier.build(features, is_training=False)[1].logits)
        session.run(tf.global_variables_initializer())
        # Larger weights, so that the choices differ.
        session.run([tf.assign(variable, 3.0 * variable) for variable in tf.trainable_variables()])
        return session.run([together, tf.concat(alone, axis=0)])


def test_a_row_is_a_softmax_over_what_its_choices_score_alone():
    for family in (families.ZH, families.GOOGLE):
        together, alone = build(family)
        scores = (alone[:, 1] - alone[:, 0]).reshape(ROWS, 2)
        assert np.abs(scores[:2, 0] - scores[:2, 1]).min() > 1e-3
        np.testing.assert_allclose(together.logits, scores, atol=1e-5)
        likelihoods = np.exp(scores[range(ROWS), LABELS]) / np.exp(scores).sum(axis=1)
        np.testing.assert_allclose(together.example_loss, -np.log(likelihoods), atol=1e-5)
        np.testing.assert_allclose(together.loss, -np.log(likelihoods).mean(), atol=1e-5)
        np.testing.assert_allclose(together.logits[2, 0], together.logits[2, 1], atol=1e-6)  # equal choices


def test_more_than_two_choices():
    rows = [interleave([choices[0], choices[1], choices[0]], 0) for choices in CHOICES]
    batch = pad_batch(rows, 0)
    with tf.Graph().as_default(), tf.Session() as session:
        parted = session.run(separate(constants(batch), 3))
    assert parted["input_ids"].shape == (9, 7)
    for number, sequence in enumerate(s for choices in CHOICES for s in (choices[0], choices[1], choices[0])):
        length = len(sequence.input_ids)
        assert parted["input_ids"][number, :length].tolist() == sequence.input_ids
        assert parted["segment_ids"][number, :length].tolist() == sequence.segment_ids
        assert parted["input_mask"][number].tolist() == [1] * length + [0] * (7 - length)
