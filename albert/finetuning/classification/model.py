"""Classifier: an encoder of either family under a softmax over a task's labels or a row's choices, or under sigmoids.

A row with choices holds a sequence for each (`interleaved.interleave`). The head says of every sequence
whether it is the right one, as of any pair with the labels 0 and 1; what is trained, evaluated and predicted is the
softmax of these scores over the choices of a row. So a row is one decision everywhere. Where a row has any number of
labels, each label has a sigmoid of its own.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Tuple

import tensorflow.compat.v1 as tf

from albert.checkpoints.families import Family, build_encoder
from albert.finetuning.classification.distillation import TEACHER_PROBABILITIES, Distillation, distilled_loss
from albert.finetuning.classification.losses import LabelLoss
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
      is_multilabel: whether a row has any number of labels; then a batch has 0 or 1 for each.
    """

    family: Family
    config: ModelConfig
    num_labels: int
    use_pooled_output: bool = True
    use_one_hot_embeddings: bool = False
    has_choices: bool = False
    is_multilabel: bool = False

    def build(self, features: Features, is_training: bool) -> Tuple[TransformerModel, heads.ClassifierOutput]:
        """Builds the encoder and its head over a batch of records; without a loss where a row has several labels."""
        labels = None if self.is_multilabel else flat(features["label_ids"])
        inputs = separate(features, self.num_labels) if self.has_choices else features
        model = self._encoder(inputs, is_training)
        head = heads.chooser if self.has_choices else heads.classifier
        return model, head(model, self.num_labels, is_training, labels, self.use_pooled_output)

    def answers(self, features: Features) -> Tensor:
        """Builds the logits of labels, float32 [B, labels].

        Those of labels or choices that exclude each other are the natural logarithms of their probabilities.
        """
        logits = self.build(features, is_training=False)[1].logits
        return logits if self.is_multilabel else tf.nn.log_softmax(logits)

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


def classification_objective(
    classifier: Classifier, distillation: Optional[Distillation] = None, label_loss: Optional[LabelLoss] = None
) -> Objective:
    """Objective of classification: the mean loss of a batch's rows, by their weights where they have any.

    Args:
      classifier: what is trained.
      distillation: of a teacher, whose `distilled_loss` takes the labels' place; None without one.
      label_loss: of the labels; None for the plain cross entropy.
    """
    labels = label_loss or LabelLoss(classifier.is_multilabel)

    def totals_of(features: Features) -> Scalars:
        rows = {"rows": tf.cast(tf.shape(features["label_ids"])[0], tf.float32)}
        return dict(rows, weights=tf.reduce_sum(labels.row_weights(features))) if labels.has_row_weights else rows

    def terms(features: Features, totals: Scalars) -> Tuple[Tensor, Scalars]:
        model, output = classifier.build(features, is_training=True)
        hits = _hits(output.logits, features, classifier.is_multilabel)
        losses = labels.of_rows(output.logits, features)
        if distillation:
            losses = distilled_loss(losses, output.logits, features[TEACHER_PROBABILITIES], distillation)
        if labels.has_row_weights:
            loss = tf.reduce_sum(losses * labels.row_weights(features)) / totals["weights"]
        else:
            loss = tf.reduce_sum(losses) / totals["rows"]
        return (
            loss,
            {
                "accuracy": tf.reduce_sum(tf.cast(hits, tf.float32)) / totals["rows"],
                "tokens": tf.reduce_sum(tf.cast(features["input_mask"], tf.float32)),
                **spread_sums(model),
            },
        )

    return Objective(totals_of, terms)


def _hits(logits: Tensor, features: Features, is_multilabel: bool) -> Tensor:
    """Whether all decisions on a row are right, at a threshold of 0.5 where there are several: [B]."""
    if is_multilabel:
        return tf.reduce_all(tf.equal(logits > 0, features["label_ids"] > 0), axis=-1)
    return tf.equal(tf.argmax(logits, axis=-1, output_type=tf.int32), flat(features["label_ids"]))
