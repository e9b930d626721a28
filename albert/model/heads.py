"""What stands on an encoder: masked LM, sentence order, classes, spans, tags. Tensors in, losses and answers out."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional

import tensorflow.compat.v1 as tf

from albert.model import layers
from albert.model.encoder import TransformerModel

CLASSIFIER_DROPOUT = 0.1
PADDING_LOGIT = -1e9  # added to the scores of padding
WEIGHT_EPSILON = 1e-5  # keeps the masked-LM loss finite in a batch without predictions


class MaskedLmOutput(NamedTuple):
    """Masked-LM results; rows are the P positions of each sequence in turn."""

    loss: Any  # scalar
    example_loss: Any  # [B*P]
    logits: Any  # [B*P, V]
    labels: Any  # [B*P]
    weights: Any  # [B*P], 0 for padding


class ClassifierOutput(NamedTuple):
    """Results of a softmax over labels: sentence order or a task's classes."""

    loss: Any  # scalar; None without labels
    example_loss: Any  # [B]; None without labels
    logits: Any  # [B, labels or choices]


def masked_lm_logits(model: TransformerModel, positions: Optional[Any]) -> Any:
    """The vocabulary scores [B*P, V] at [B, P] positions, or [B*S, V] at all; variables under cls/predictions."""
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


def masked_lm(model: TransformerModel, positions: Any, ids: Any, weights: Any) -> MaskedLmOutput:
    """The masked-LM loss Σ w·nll / (Σ w + 1e-5).

    Args:
      model: the encoder.
      positions, ids: int [B, P], where tokens were masked and which they were.
      weights: float [B, P], 1 for predictions and 0 for padding.
    """
    logits = masked_lm_logits(model, positions)
    labels = tf.reshape(ids, [-1])
    weights = tf.reshape(weights, [-1])
    # The scope's own name: the published freeze_graph command asks for the node cls/predictions/truediv.
    with tf.name_scope("cls/predictions/"):
        example_loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
        numerator = tf.reduce_sum(weights * example_loss)
        loss = tf.truediv(numerator, tf.reduce_sum(weights) + WEIGHT_EPSILON, name="truediv")
    return MaskedLmOutput(loss, example_loss, logits, labels, weights)


def sentence_order_logits(model: TransformerModel) -> Any:
    """The scores [B, 2] of "in order" and "swapped"; variables under cls/seq_relationship."""
    with tf.variable_scope("cls/seq_relationship"):
        return _label_logits(model.get_pooled_output(), 2, model.config.initializer_range)


def sentence_order(model: TransformerModel, labels: Any) -> ClassifierOutput:
    """Whether the two segments are in order (0) or swapped (1); ALBERT, section 3.1.

    Args:
      model: the encoder.
      labels: int [B, 1]; `features.NO_SENTENCE_ORDER` (or any negative label) for a sequence without a pair,
        which is left out of the mean.
    """
    logits = sentence_order_logits(model)
    labels = tf.reshape(labels, [-1])
    weights = tf.cast(labels >= 0, tf.float32)
    example_loss = weights * cross_entropy(logits, tf.maximum(labels, 0))
    loss = tf.reduce_sum(example_loss) / tf.maximum(tf.reduce_sum(weights), 1.0)
    return ClassifierOutput(loss, example_loss, logits)


def classifier(
    model: TransformerModel,
    num_labels: int,
    is_training: bool,
    labels: Optional[Any],
    use_pooled_output: bool = True,
) -> ClassifierOutput:
    """A softmax over the pooled output; variables output_weights and output_bias at the root.

    Args:
      model: the encoder.
      num_labels: classes.
      is_training: whether dropout (0.1) acts on the pooled output.
      labels: int [B], or None where there are none to compare with.
      use_pooled_output: stand on the pooler's first token, or on the mean of the tokens.
    """
    pooled_output = model.get_pooled_output() if use_pooled_output else model.get_mean_output()
    # Nothing has normalised the output of a preln encoder yet (docs/en/models.md, "Heads").
    if getattr(model.config, "ln_type", "postln") == "preln":
        pooled_output = layers.layer_norm(pooled_output, "loss/LayerNorm")
    pooled_output = layers.dropout(pooled_output, CLASSIFIER_DROPOUT if is_training else 0.0)
    logits = _label_logits(pooled_output, num_labels, model.config.initializer_range)
    if labels is None:
        return ClassifierOutput(None, None, logits)
    example_loss = cross_entropy(logits, tf.reshape(labels, [-1]))
    return ClassifierOutput(tf.reduce_mean(example_loss), example_loss, logits)


def chooser(
    model: TransformerModel, num_choices: int, is_training: bool, labels: Any, use_pooled_output: bool = True
) -> ClassifierOutput:
    """A softmax over the choices of each row.

    The variables are those of a classifier of two labels, 0 wrong and 1 right; the score of a choice is what the second
    logit is above the first. So the model answers for a single sequence as well, as any classifier.

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


def span_logits(model: TransformerModel, input_mask: Any) -> Any:
    """The scores [B, 2, S] of each token as the first and as the last of a span; variables under cls/squad.

    BERT, section 4.2. Padding is out of the question: what a batch is padded to changes no softmax over the tokens.

    Args:
      model: the encoder.
      input_mask: int [B, S], 0 for padding.
    """
    with tf.variable_scope("cls/squad"):
        logits = _token_logits(model, model.get_sequence_output(), 2)  # [B, S, 2]
    padding = tf.expand_dims(1.0 - tf.cast(input_mask, tf.float32), 1)  # [B, 1, S]
    return tf.transpose(logits, [0, 2, 1]) + PADDING_LOGIT * padding


def tag_logits(model: TransformerModel, num_tags: int, is_training: bool) -> Any:
    """The scores [B, S, tags] of each token's tag; variables under cls/tagging. BERT, section 5.3.

    Args:
      model: the encoder.
      num_tags: tags.
      is_training: whether dropout (0.1) acts on the encoder's output.
    """
    with tf.variable_scope("cls/tagging"):
        x = layers.dropout(model.get_sequence_output(), CLASSIFIER_DROPOUT if is_training else 0.0)
        return _token_logits(model, x, num_tags)


def _token_logits(model: TransformerModel, x: Any, num_labels: int) -> Any:
    """[B, S, H] -> [B, S, labels]."""
    if getattr(model.config, "ln_type", "postln") == "preln":  # as in `classifier`
        x = layers.layer_norm(x)
    batch, length, width = layers.shape_list(x)
    logits = _label_logits(tf.reshape(x, [-1, width]), num_labels, model.config.initializer_range)
    return tf.reshape(logits, [batch, length, num_labels])


def _label_logits(x: Any, num_labels: int, stddev: float) -> Any:
    """[B, H] -> [B, labels]. Variables: output_weights [labels, H], output_bias [labels]."""
    shape = [num_labels, x.shape.as_list()[-1]]
    weights = layers.weight("output_weights", shape, stddev)
    bias = tf.get_variable("output_bias", [num_labels], initializer=tf.zeros_initializer())
    return tf.nn.bias_add(tf.matmul(x, weights, transpose_b=True), bias)


def cross_entropy(logits: Any, labels: Any) -> Any:
    """The negative logarithm of each label's probability: [B, labels] and int [B] -> [B]."""
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
