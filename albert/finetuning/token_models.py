"""Token models: tags of tokens, and spans that answer questions."""

from __future__ import annotations

from typing import NamedTuple, Tuple

import tensorflow.compat.v1 as tf

from albert.checkpoints.families import Family, build_encoder
from albert.files.features import NO_TAG
from albert.finetuning.model_fn import flat
from albert.model import heads
from albert.model.config import ModelConfig
from albert.model.encoder import TransformerModel
from albert.model.spread import spread_sums
from albert.model.types import Tensor
from albert.training.step import Features, Objective, Scalars


class TokenModel(NamedTuple):
    """Model that answers for each token: an encoder with all its outputs.

    Attributes:
      family: of the encoder.
      config: its configuration.
      use_one_hot_embeddings: look words up by a product with one-hot rows (TPU).
    """

    family: Family
    config: ModelConfig
    use_one_hot_embeddings: bool = False

    def span_logits(self, features: Features) -> Tensor:
        """[B, 2, S]: see `heads.span_logits`; without dropout."""
        return heads.span_logits(self.encoder(features, is_training=False), features["input_mask"])

    def tag_log_probabilities(self, features: Features, num_tags: int) -> Tensor:
        """Builds the natural logarithms of the probabilities of tags, [B, S, tags]."""
        encoder = self.encoder(features, is_training=False)
        return tf.nn.log_softmax(heads.tag_logits(encoder, num_tags, is_training=False))

    def encoder(self, features: Features, is_training: bool) -> TransformerModel:
        """Builds the encoder over a batch."""
        return build_encoder(
            self.family, self.config, features, is_training, use_one_hot_embeddings=self.use_one_hot_embeddings
        )


def span_objective(model: TokenModel) -> Objective:
    """Objective of spans: mean over windows of the cross-entropies of first and last token, halved as in BERT."""

    def totals(features: Features) -> Scalars:
        return {"rows": tf.cast(tf.size(features["start_positions"]), tf.float32)}

    def terms(features: Features, totals: Scalars) -> Tuple[Tensor, Scalars]:
        encoder = model.encoder(features, is_training=True)
        logits = heads.span_logits(encoder, features["input_mask"])
        labels = tf.concat([features["start_positions"], features["end_positions"]], axis=1)  # [B, 2]
        length = tf.shape(logits)[2]
        example_loss = heads.cross_entropy(tf.reshape(logits, [-1, length]), flat(labels))  # [B*2]
        hits = tf.reduce_all(tf.equal(_predicted(logits), labels), axis=1)
        return tf.reduce_sum(example_loss) / (2.0 * totals["rows"]), {
            "accuracy": tf.reduce_sum(tf.cast(hits, tf.float32)) / totals["rows"],
            "tokens": tf.reduce_sum(tf.cast(features["input_mask"], tf.float32)),
            **spread_sums(encoder),
        }

    return Objective(totals, terms)


def tag_objective(model: TokenModel, num_tags: int) -> Objective:
    """Objective of tags: the mean cross-entropy of the tokens that have a tag."""

    def is_tagged(features: Features) -> Tensor:
        return tf.cast(tf.not_equal(features["label_ids"], NO_TAG), tf.float32)

    def totals(features: Features) -> Scalars:
        return {"tags": tf.reduce_sum(is_tagged(features))}

    def terms(features: Features, totals: Scalars) -> Tuple[Tensor, Scalars]:
        encoder = model.encoder(features, is_training=True)
        logits = heads.tag_logits(encoder, num_tags, is_training=True)
        labels, weights = tf.maximum(features["label_ids"] - 1, 0), is_tagged(features)
        example_loss = heads.cross_entropy(tf.reshape(logits, [-1, num_tags]), flat(labels))
        hits = tf.cast(tf.equal(_predicted(logits), labels), tf.float32)
        count = tf.maximum(totals["tags"], 1.0)
        return tf.reduce_sum(example_loss * flat(weights)) / count, {
            "accuracy": tf.reduce_sum(hits * weights) / count,
            "tokens": tf.reduce_sum(tf.cast(features["input_mask"], tf.float32)),
            **spread_sums(encoder),
        }

    return Objective(totals, terms)


def _predicted(logits: Tensor) -> Tensor:
    return tf.argmax(logits, axis=-1, output_type=tf.int32)
