"""Plain pre-training step, as BERT's published code computes it: the baseline of benchmarks.pretraining.

It has the arithmetic, sizes and variables of the zh family, but a dense one-hot loss over the vocabulary, a mask of
[B, S, S], a chain of small ops for every norm and activation, and separate optimizer ops for each variable.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Dict, List, Optional, Tuple

import tensorflow.compat.v1 as tf

from albert.model.config import ModelConfig

Tensor = Any

_LEARNING_RATE, _DECAY, _BETA_1, _BETA_2, _EPSILON = 1e-4, 0.01, 0.9, 0.999, 1e-6
_UNDECAYED = ("LayerNorm", "bias")


def model_fn_of(config: ModelConfig) -> Callable[..., Any]:
    """Builds a model_fn that trains on the same features as the library's model_fn."""

    def model_fn(
        features: Dict[str, Tensor], labels: None, mode: str, params: Dict[str, Any]
    ) -> tf.estimator.EstimatorSpec:
        del labels, params
        with tf.variable_scope("bert"):
            with tf.variable_scope("embeddings"):
                x, words, projection = _embed(features["input_ids"], features["segment_ids"], config)
            with tf.variable_scope("encoder"):
                x = _encode(x, features["input_mask"], config)
            with tf.variable_scope("pooler"):
                pooled = _dense(tf.squeeze(x[:, 0:1, :], axis=1), config.hidden_size, "dense", config, tf.tanh)
        with tf.variable_scope("cls"):
            loss = _masked_lm_loss(x, words, projection, features, config)
            loss += _sentence_order_loss(pooled, features["next_sentence_labels"], config)
        return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=_lamb(loss))

    return model_fn


def _weights(name: str, shape: List[int], config: ModelConfig) -> Tensor:
    return tf.get_variable(name, shape, initializer=tf.truncated_normal_initializer(stddev=config.initializer_range))


def _zeros(name: str, size: int) -> Tensor:
    return tf.get_variable(name, [size], initializer=tf.zeros_initializer())


def _dense(
    x: Tensor, units: int, name: str, config: ModelConfig, activation: Optional[Callable[[Tensor], Tensor]] = None
) -> Tensor:
    """Dense layer over the last axis of a tensor of any rank, by tensordot."""
    with tf.variable_scope(name):
        kernel = _weights("kernel", [x.shape.as_list()[-1], units], config)
        bias = _zeros("bias", units)
    y = tf.tensordot(x, kernel, axes=[[x.shape.ndims - 1], [0]]) + bias
    return y if activation is None else activation(y)


def _gelu(x: Tensor) -> Tensor:
    cumulative = 0.5 * (1.0 + tf.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * tf.pow(x, 3))))
    return x * cumulative


def _layer_norm(x: Tensor, name: str = "LayerNorm") -> Tensor:
    size = x.shape.as_list()[-1]
    with tf.variable_scope(name):
        beta, gamma = _zeros("beta", size), tf.get_variable("gamma", [size], initializer=tf.ones_initializer())
    mean, variance = tf.nn.moments(x, axes=[-1], keep_dims=True)
    return (x - mean) * tf.rsqrt(variance + 1e-12) * gamma + beta


def _embed(input_ids: Tensor, segment_ids: Tensor, config: ModelConfig) -> Tuple[Tensor, Tensor, Tensor]:
    batch, length = input_ids.shape.as_list()
    words = _weights("word_embeddings", [config.vocab_size, config.embedding_size], config)
    projection = _weights("word_embeddings_2", [config.embedding_size, config.hidden_size], config)
    types = _weights("token_type_embeddings", [config.type_vocab_size, config.hidden_size], config)
    positions = _weights("position_embeddings", [config.max_position_embeddings, config.hidden_size], config)
    x = tf.reshape(tf.gather(words, tf.reshape(input_ids, [-1])), [batch, length, config.embedding_size])
    x = tf.tensordot(x, projection, axes=[[2], [0]])
    one_hot_types = tf.one_hot(tf.reshape(segment_ids, [-1]), depth=config.type_vocab_size)
    x += tf.reshape(tf.matmul(one_hot_types, types), [batch, length, config.hidden_size])
    x += tf.reshape(tf.slice(positions, [0, 0], [length, -1]), [1, length, config.hidden_size])
    return _layer_norm(x), words, projection


def _encode(x: Tensor, input_mask: Tensor, config: ModelConfig) -> Tensor:
    batch, length = input_mask.shape.as_list()
    mask = tf.ones([batch, length, 1]) * tf.cast(tf.reshape(input_mask, [batch, 1, length]), tf.float32)  # [B, S, S]
    for _ in range(config.num_hidden_layers):
        with tf.variable_scope("layer_shared", reuse=tf.AUTO_REUSE):
            with tf.variable_scope("attention"):
                attended = _attend(x, mask, config)
                x = _layer_norm(x + _dense(attended, config.hidden_size, "output/dense", config), "output/LayerNorm")
            y = _dense(x, config.intermediate_size, "intermediate/dense", config, _gelu)
            x = _layer_norm(x + _dense(y, config.hidden_size, "output/dense", config), "output/LayerNorm")
    return x


def _attend(x: Tensor, mask: Tensor, config: ModelConfig) -> Tensor:
    batch, length, width = x.shape.as_list()
    shape = [batch, length, config.num_attention_heads, width // config.num_attention_heads]
    query, key, value = (
        tf.transpose(tf.reshape(_dense(x, width, "self/" + name, config), shape), [0, 2, 1, 3])
        for name in ("query", "key", "value")
    )
    scores = tf.multiply(tf.matmul(query, key, transpose_b=True), 1.0 / math.sqrt(float(shape[-1])))
    scores += (1.0 - tf.expand_dims(mask, axis=[1])) * -10000.0
    context = tf.matmul(tf.nn.softmax(scores), value)
    return tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [batch, length, width])


def _masked_lm_loss(
    x: Tensor, words: Tensor, projection: Tensor, features: Dict[str, Tensor], config: ModelConfig
) -> Tensor:
    batch, length, width = x.shape.as_list()
    offsets = tf.reshape(tf.range(0, batch, dtype=tf.int32) * length, [-1, 1])
    places = tf.reshape(features["masked_lm_positions"] + offsets, [-1])
    with tf.variable_scope("predictions"):
        y = tf.gather(tf.reshape(x, [batch * length, width]), places)
        with tf.variable_scope("transform"):
            y = _layer_norm(_dense(y, width, "dense", config, _gelu))
        bias = _zeros("output_bias", config.vocab_size)
        logits = tf.matmul(tf.matmul(y, projection, transpose_b=True), words, transpose_b=True) + bias
        log_probabilities = tf.nn.log_softmax(logits, axis=-1)
        weights = tf.reshape(features["masked_lm_weights"], [-1])
        one_hot_labels = tf.one_hot(tf.reshape(features["masked_lm_ids"], [-1]), depth=config.vocab_size)
        example_loss = -tf.reduce_sum(log_probabilities * one_hot_labels, axis=[-1])
        return tf.reduce_sum(weights * example_loss) / (tf.reduce_sum(weights) + 1e-5)


def _sentence_order_loss(pooled: Tensor, labels: Tensor, config: ModelConfig) -> Tensor:
    with tf.variable_scope("seq_relationship"):
        kernel = _weights("output_weights", [2, config.hidden_size], config)
        bias = _zeros("output_bias", 2)
        log_probabilities = tf.nn.log_softmax(tf.matmul(pooled, kernel, transpose_b=True) + bias, axis=-1)
        one_hot_labels = tf.one_hot(tf.reshape(labels, [-1]), depth=2)
        return tf.reduce_mean(-tf.reduce_sum(one_hot_labels * log_probabilities, axis=-1))


def _lamb(loss: Tensor) -> Tensor:
    """LAMB with clipped gradients (arXiv 1904.00962), each step of it in ops of its own."""
    variables = tf.trainable_variables()
    gradients, _ = tf.clip_by_global_norm(tf.gradients(loss, variables), clip_norm=1.0)
    updates = []
    for gradient, variable in zip(gradients, variables):
        with tf.variable_scope(variable.op.name):
            m, v = (
                tf.get_variable(name, variable.shape, trainable=False, initializer=tf.zeros_initializer())
                for name in ("adam_m", "adam_v")
            )
        next_m = tf.multiply(_BETA_1, m) + tf.multiply(1.0 - _BETA_1, gradient)
        next_v = tf.multiply(_BETA_2, v) + tf.multiply(1.0 - _BETA_2, tf.square(gradient))
        update = next_m / (tf.sqrt(next_v) + _EPSILON)
        if not any(name in variable.op.name for name in _UNDECAYED):
            update += _DECAY * variable
        weight_norm, update_norm = tf.norm(variable, ord=2), tf.norm(update, ord=2)
        scaled = tf.where(tf.greater(update_norm, 0.0), weight_norm / update_norm, 1.0)
        ratio = tf.where(tf.greater(weight_norm, 0.0), scaled, 1.0)
        updates += [variable.assign(variable - ratio * _LEARNING_RATE * update), m.assign(next_m), v.assign(next_v)]
    return tf.group(*updates, tf.train.get_global_step().assign_add(1))
