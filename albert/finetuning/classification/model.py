"""Classifier: an encoder of either family under a softmax over a task's labels, or over a row's choices.

A row with choices holds a sequence for each (`interleaved.interleave`). The head says of every sequence
whether it is the right one, as of any pair with the labels 0 and 1; what is trained, evaluated and predicted is the
softmax of these scores over the choices of a row. So a row is one decision everywhere.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Tuple

import tensorflow.compat.v1 as tf

from albert.checkpoints.families import Family, build_encoder
from albert.finetuning.classification.distillation import TEACHER_PROBABILITIES, Distillation, distilled_loss
from albert.finetuning.interleaved import separate
from albert.finetuning.model_fn import flat
from albert.inference.graph import nothing_but_first_tokens
from albert.model import heads
from albert.model.config import ModelConfig
from albert.model.encoder import TransformerModel
from albert.model.spread import spread_sums
from albert.model.types import Tensor
from albert.training.step import Features, Objective, Scalars


class Classifier(NamedTuple):
    """Classifier: encoder, labels or choices, and the head on them.

    Attributes:
      family: of the encoder.
      config: its configuration.
      num_labels: the task's classes, or the choices of a row.
      use_pooled_output: whether the head reads the pooler's first token, or the mean of the tokens.
      use_one_hot_embeddings: look words up by a product with one-hot rows (TPU).
      has_choices: whether a row is `num_labels` sequences of which one is to be chosen.
    """

    family: Family
    config: ModelConfig
    num_labels: int
    use_pooled_output: bool = True
    use_one_hot_embeddings: bool = False
    has_choices: bool = False

    def build(self, features: Features, is_training: bool) -> Tuple[TransformerModel, heads.ClassifierOutput]:
        """Builds the encoder and its head over a batch of `features.CLASSIFICATION_FEATURES`."""
        labels = flat(features["label_ids"])
        inputs = separate(features, self.num_labels) if self.has_choices else features
        model = self._encoder(inputs, is_training)
        head = heads.chooser if self.has_choices else heads.classifier
        return model, head(model, self.num_labels, is_training, labels, self.use_pooled_output)

    def log_probabilities(self, features: Features) -> Tensor:
        """Builds the natural logarithms of the probabilities of labels or choices, float32 [B, labels]."""
        return tf.nn.log_softmax(self.build(features, is_training=False)[1].logits)

    def _encoder(self, features: Features, is_training: bool) -> Any:
        # The head needs only the first token of the last layer.
        kept_positions = nothing_but_first_tokens(features) if self.use_pooled_output else None
        return build_encoder(
            self.family,
            self.config,
            features,
            is_training,
            use_one_hot_embeddings=self.use_one_hot_embeddings,
            kept_positions=kept_positions,
        )


def classification_objective(classifier: Classifier, distillation: Optional[Distillation] = None) -> Objective:
    """Objective of classification: the mean cross-entropy of a batch's rows, or their mean `distilled_loss`."""

    def terms(features: Features, totals: Scalars) -> Tuple[Tensor, Scalars]:
        model, output = classifier.build(features, is_training=True)
        hits = tf.equal(_predicted(output.logits), flat(features["label_ids"]))
        losses = output.example_loss
        if distillation:
            losses = distilled_loss(losses, output.logits, features[TEACHER_PROBABILITIES], distillation)
        return (
            tf.reduce_sum(losses) / totals["rows"],
            {
                "accuracy": tf.reduce_sum(tf.cast(hits, tf.float32)) / totals["rows"],
                "tokens": tf.reduce_sum(tf.cast(features["input_mask"], tf.float32)),
                **spread_sums(model),
            },
        )

    return Objective(_totals, terms)


def _predicted(logits: Tensor) -> Tensor:
    return tf.argmax(logits, axis=-1, output_type=tf.int32)


def _totals(features: Features) -> Scalars:
    return {"rows": tf.cast(tf.size(features["label_ids"]), tf.float32)}
