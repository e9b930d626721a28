"""Initial weights: balanced word embeddings and a masked-LM bias at the frequencies, in both families."""

import numpy as np
import pytest
import tensorflow.compat.v1 as tf

from albert.checkpoints.families import GOOGLE, ZH
from albert.pretraining.initial_weights import BIAS, PROJECTION, balanced_initializers, starting_from
from albert.pretraining.model_fn import pretraining_objective
from modeling import BertConfig
from modeling_google import AlbertConfig

SIZES = {
    "vocab_size": 40,
    "embedding_size": 16,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 8,
    "max_position_embeddings": 7,
}
BATCH = {
    "input_ids": np.arange(10).reshape(2, 5) + 3,
    "input_mask": np.ones([2, 5]),
    "segment_ids": np.zeros([2, 5]),
    "masked_lm_positions": [[1, 2], [2, 3]],
    "masked_lm_ids": [[7, 7], [8, 9]],
    "next_sentence_labels": [[0], [1]],
}


def start_of(family, config, initializers):
    """The values of all variables before the first step, by name."""
    with tf.Graph().as_default(), tf.Session() as session:
        tf.set_random_seed(1)
        features = {name: tf.constant(value, tf.int32) for name, value in BATCH.items()}
        features["masked_lm_weights"] = tf.ones([2, 2])
        with starting_from(initializers):
            pretraining_objective(family, config).terms(
                features, {"predictions": tf.constant(4.0), "pairs": tf.constant(2.0)}
            )
        session.run(tf.global_variables_initializer())
        return session.run({variable.op.name: variable for variable in tf.trainable_variables()})


@pytest.mark.parametrize("family,config", [(ZH, BertConfig(**SIZES)), (GOOGLE, AlbertConfig(**SIZES))])
def test_only_bias_and_projection_start_otherwise(family, config):
    counts = np.zeros([12])
    counts[7:10] = [60.0, 30.0, 10.0]
    published = start_of(family, config, {})
    balanced = start_of(family, config, balanced_initializers(config, counts))
    assert set(balanced) == set(published)
    changed = {name for name in published if not np.array_equal(published[name], balanced[name])}
    assert changed == ({BIAS, PROJECTION} if family is ZH else {BIAS})
    shares = np.exp(balanced[BIAS])
    assert shares.sum() == pytest.approx(1.0, rel=1e-5)
    np.testing.assert_allclose(shares[7:10], (counts[7:10] + 0.1) / 104.0, rtol=1e-4)
    assert shares[0] == pytest.approx(0.1 / 104.0, rel=1e-4)  # never seen, and not impossible


def test_word_embeddings_are_of_the_size_of_positions():
    balanced = start_of(ZH, BertConfig(**SIZES), balanced_initializers(BertConfig(**SIZES), np.ones([3])))
    words = balanced["bert/embeddings/word_embeddings"] @ balanced[PROJECTION]
    assert words.std() == pytest.approx(balanced["bert/embeddings/position_embeddings"].std(), rel=0.3)
