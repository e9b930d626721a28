"""Heads of an encoder: masked LM, sentence order, sentence vectors, classes, spans, tags.

Tensors in, losses and answers out.
"""

from __future__ import annotations

from typing import NamedTuple, Optional

import tensorflow.compat.v1 as tf

from albert.model import layers
from albert.model.encoder import TransformerModel
from albert.model.pooling import pool
from albert.model.types import Tensor

CLASSIFIER_DROPOUT = 0.1
PADDING_LOGIT = -1e9  # added to the scores of padding
WEIGHT_EPSILON = 1e-5  # keeps the masked-LM loss finite in a batch without predictions


class MaskedLmOutput(NamedTuple):
    """Results of the masked LM; rows are the P positions of each sequence in turn."""

    loss: Tensor  # scalar
    example_loss: Tensor  # [B*P]
    logits: Tensor  # [B*P, V]
    labels: Tensor  # [B*P]
    weights: Tensor  # [B*P], 0 for padding


class ClassifierOutput(NamedTuple):
    """Results of a softmax over labels: sentence order, or the classes of a task."""

    loss: Tensor  # scalar; None without labels
    example_loss: Tensor  # [B]; None without labels
    logits: Tensor  # [B, labels or choices]


def masked_lm_logits(model: TransformerModel, positions: Optional[Tensor]) -> Tensor:
    """Scores the vocabulary at [B, P] positions: [B*P, V]; at all: [B*S, V]. Variables under cls/predictions."""
    config = model.config
    x = model.get_sequence_output() if positions is None else model.get_output_at(positions)
    x = tf.reshape(x, [-1, config.hidden_size])  # [B*S, H] or [B*P, H]
    with tf.variable_scope("cls/predictions"):
        with tf.variable_scope("transform"):
            x = layers.dense(
                x,
                model.masked_lm_size,
                "dense",
                stddev=config.initializer_range,
                activation=config.hidden_act,
            )
            x = layers.layer_norm(x)
        bias = tf.get_variable("output_bias", [config.vocab_size], initializer=tf.zeros_initializer())
        return tf.nn.bias_add(model.project_to_vocabulary(x), bias)


def masked_lm(model: TransformerModel, positions: Tensor, ids: Tensor, weights: Tensor) -> MaskedLmOutput:
    """Computes the masked-LM loss Σ w·nll / (Σ w + 1e-5).

    Args:
      model: the encoder.
      positions, ids: int [B, P], the places of the masked tokens and the tokens themselves.
      weights: float [B, P], 1 for predictions and 0 for padding.
    """
    logits = masked_lm_logits(model, positions)
    labels = tf.reshape(ids, [-1])
    weights = tf.reshape(weights, [-1])
    # The name of the scope itself: the published freeze_graph command looks for the node cls/predictions/truediv.
    with tf.name_scope("cls/predictions/"):
        example_loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        numerator = tf.reduce_sum(weights * example_loss)
        loss = tf.truediv(numerator, tf.reduce_sum(weights) + WEIGHT_EPSILON, name="truediv")
    return MaskedLmOutput(loss, example_loss, logits, labels, weights)


def sentence_order_logits(model: TransformerModel) -> Tensor:
    """Scores "in order" and "swapped": [B, 2]. Variables under cls/seq_relationship."""
    with tf.variable_scope("cls/seq_relationship"):
        return _label_logits(model.get_pooled_output(), 2, model.config.initializer_range)


def sentence_order(model: TransformerModel, labels: Tensor) -> ClassifierOutput:
    """Predicts whether the two segments are in order (0) or swapped (1); ALBERT, section 3.1.

    Args:
      model: the encoder.
      labels: int [B, 1]; `features.NO_SENTENCE_ORDER` (or any negative label) for a sequence without a pair,
        which does not count in the mean.
    """
    logits = sentence_order_logits(model)
    labels = tf.reshape(labels, [-1])
    weights = tf.cast(labels >= 0, tf.float32)
    example_loss = weights * cross_entropy(logits, tf.maximum(labels, 0))
    loss = tf.reduce_sum(example_loss) / tf.maximum(tf.reduce_sum(weights), 1.0)
    return ClassifierOutput(loss, example_loss, logits)


def sentence_vector(model: TransformerModel, size: int, pooling: str) -> Tensor:
    """Computes sentence vectors of length 1: [B, size]. Variables under cls/sentence_vector.

    The vector is the pooled last layer through a linear map, divided by its length (defined in
    docs/en/models.md, "What a sentence vector is").

    Args:
      model: the encoder.
      size: numbers of a vector. A map to the hidden size begins as the identity, so that training starts from the
        pooled vectors of the encoder; any other begins at random.
      pooling: see `pooling.pool`.
    """
    x = pool(model.get_sequence_output(), model.input_mask, pooling)
    x = _normalised(model, x, "cls/sentence_vector/LayerNorm")
    width = model.config.hidden_size
    with tf.variable_scope("cls/sentence_vector/dense"):
        if size == width:
            kernel = tf.get_variable("kernel", [width, size], initializer=tf.initializers.identity())
        else:
            kernel = layers.weight("kernel", [width, size], width**-0.5)
        bias = tf.get_variable("bias", [size], initializer=tf.zeros_initializer())
    return tf.math.l2_normalize(tf.nn.bias_add(tf.matmul(x, kernel), bias), axis=-1)


def classifier(
    model: TransformerModel,
    num_labels: int,
    is_training: bool,
    labels: Optional[Tensor],
    use_pooled_output: bool = True,
) -> ClassifierOutput:
    """Classifies the pooled output by a softmax. Variables output_weights and output_bias at the root.

    Args:
      model: the encoder.
      num_labels: classes.
      is_training: whether dropout (0.1) acts on the pooled output.
      labels: int [B]; None computes no loss.
      use_pooled_output: take the pooler's output, or the mean of the tokens.
    """
    pooled_output = model.get_pooled_output() if use_pooled_output else model.get_mean_output()
    pooled_output = _normalised(model, pooled_output, "loss/LayerNorm")
    pooled_output = layers.dropout(pooled_output, CLASSIFIER_DROPOUT if is_training else 0.0)
    logits = _label_logits(pooled_output, num_labels, model.config.initializer_range)
    if labels is None:
        return ClassifierOutput(None, None, logits)
    example_loss = cross_entropy(logits, tf.reshape(labels, [-1]))
    return ClassifierOutput(tf.reduce_mean(example_loss), example_loss, logits)


def chooser(
    model: TransformerModel, num_choices: int, is_training: bool, labels: Tensor, use_pooled_output: bool = True
) -> ClassifierOutput:
    """Chooses by a softmax over the choices of each row.

    The variables are those of a classifier of two labels, 0 wrong and 1 right. The score of a choice is its second
    logit less its first, so the model also answers for a single sequence, as any classifier does.

    Args:
      model: the encoder over B*C sequences, the C choices of a row one after the other.
      num_choices: C.
      is_training: see `classifier`.
      labels: int [B], the number of the right choice.
      use_pooled_output: see `classifier`.
    """
    pair_logits = classifier(model, 2, is_training, None, use_pooled_output).logits  # [B*C, 2]
    logits = tf.reshape(pair_logits[:, 1] - pair_logits[:, 0], [-1, num_choices])
    example_loss = cross_entropy(logits, tf.reshape(labels, [-1]))
    return ClassifierOutput(tf.reduce_mean(example_loss), example_loss, logits)


def span_logits(model: TransformerModel, input_mask: Tensor) -> Tensor:
    """Scores each token as the first and as the last of a span: [B, 2, S]. Variables under cls/squad.

    BERT, section 4.2. Padding has no probability: the length of a batch changes no softmax over the tokens.

    Args:
      model: the encoder.
      input_mask: int [B, S], 0 for padding.
    """
    with tf.variable_scope("cls/squad"):
        logits = _token_logits(model, model.get_sequence_output(), 2)  # [B, S, 2]
    padding = tf.expand_dims(1.0 - tf.cast(input_mask, tf.float32), 1)  # [B, 1, S]
    return tf.transpose(logits, [0, 2, 1]) + PADDING_LOGIT * padding


def tag_logits(model: TransformerModel, num_tags: int, is_training: bool) -> Tensor:
    """Scores the tags of each token: [B, S, tags]. Variables under cls/tagging. BERT, section 5.3.

    Args:
      model: the encoder.
      num_tags: tags.
      is_training: whether dropout (0.1) acts on the encoder's output.
    """
    with tf.variable_scope("cls/tagging"):
        x = layers.dropout(model.get_sequence_output(), CLASSIFIER_DROPOUT if is_training else 0.0)
        return _token_logits(model, x, num_tags)


def _token_logits(model: TransformerModel, x: Tensor, num_labels: int) -> Tensor:
    """[B, S, H] -> [B, S, labels]."""
    x = _normalised(model, x)
    batch, length, width = layers.shape_list(x)
    logits = _label_logits(tf.reshape(x, [-1, width]), num_labels, model.config.initializer_range)
    return tf.reshape(logits, [batch, length, num_labels])


def _normalised(model: TransformerModel, x: Tensor, name: Optional[str] = "LayerNorm") -> Tensor:
    """Normalises the output of a preln encoder, which is not normalised yet (docs/en/models.md, "Heads")."""
    return layers.layer_norm(x, name) if getattr(model.config, "ln_type", "postln") == "preln" else x


def _label_logits(x: Tensor, num_labels: int, stddev: float) -> Tensor:
    """[B, H] -> [B, labels]. Variables: output_weights [labels, H], output_bias [labels]."""
    shape = [num_labels, x.shape.as_list()[-1]]
    weights = layers.weight("output_weights", shape, stddev)
    bias = tf.get_variable("output_bias", [num_labels], initializer=tf.zeros_initializer())
    return tf.nn.bias_add(tf.matmul(x, weights, transpose_b=True), bias)


def cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Computes the negative logarithm of each label's probability: [B, labels] and int [B] -> [B]."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
