"""Layers that both model families are made of: dense, LayerNorm, activations, lookups, masks, attention.

Dimension letters, used in every shape comment of the model code:
  B batch, S sequence, V vocabulary, E embedding size, H hidden size, I intermediate size,
  N attention heads, D = H / N size of a head, P predictions per sequence, G hidden groups, L layers.
"""

from __future__ import annotations

import math
import zlib
from typing import Any, Callable, Dict, List, Optional

import tensorflow.compat.v1 as tf

from albert.model import compute
from albert.model.config import ModelConfig
from albert.model.types import Dimension, Tensor

LAYER_NORM_EPSILON = 1e-12
MASKED_SCORE = -10000.0  # added to the attention scores of padding

_GELU_LINEAR = math.sqrt(2.0 / math.pi)
_GELU_CUBIC = 0.044715


def gelu(x: Tensor) -> Tensor:
    """Gaussian error linear unit in its tanh form (docs/en/models.md, "Common"; elsewhere named gelu_new)."""
    if compute.current().is_training:
        return _gelu_of_few_passes(x)
    # No constant multiplies x itself: TFLite's converter would turn it into another copy of the dense kernel before it.
    cubic = x * (1.0 + _GELU_CUBIC * (x * x))
    return x * (0.5 * (1.0 + tf.tanh(_GELU_LINEAR * cubic)))


@tf.custom_gradient
def _gelu_of_few_passes(x: Tensor) -> Tensor:
    """`gelu` as x · sigmoid(2u), for 1 + tanh(u) = 2 · sigmoid(2u): its time goes into moving [B*S, I] numbers."""
    linear, cubic = 2.0 * _GELU_LINEAR, 2.0 * _GELU_LINEAR * _GELU_CUBIC
    share = tf.sigmoid(x * (linear + cubic * tf.square(x)))

    def gradient(d_y: Tensor) -> Tensor:
        slope = x * (linear + 3.0 * cubic * tf.square(x))  # x · d(2u)/dx
        return d_y * share * (1.0 + slope * (1.0 - share))

    return x * share, gradient


ACTIVATIONS: Dict[str, Callable[[Tensor], Tensor]] = {
    "gelu": gelu,
    "relu": tf.nn.relu,
    "tanh": tf.tanh,
    "linear": lambda x: x,
}


def shape_list(tensor: Tensor) -> List[Dimension]:
    """Lists the sizes of a tensor: numbers where they are static, scalar tensors elsewhere."""
    static = tensor.shape.as_list()
    if None not in static:
        return static
    dynamic = tf.shape(tensor)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(static)]


def assert_rank(tensor: Tensor, rank: int) -> None:
    """Raises ValueError if the tensor has another rank."""
    if tensor.shape.ndims != rank:
        raise ValueError("{} has shape {}, expected rank {}".format(tensor.name, tensor.shape, rank))


def weight(name: str, shape: List[int], stddev: float) -> Tensor:
    """Creates a variable that begins as truncated normal, as every weight of the published models.

    Its values depend on the run's seed and its own name alone: a run begins with the same weights, however the rest of
    the graph is built.
    """
    full_name = "{}/{}".format(tf.get_variable_scope().name, name)
    return tf.get_variable(name, shape, initializer=initializer(full_name, stddev))


def initializer(full_name: str, stddev: float) -> Callable[..., Tensor]:
    """Makes the initializer of `weight` for a variable, by its name with its scopes."""
    seed = zlib.crc32(full_name.encode("utf-8")) & 0x7FFFFFFF

    def initial_value(shape: List[int], dtype: Any, **_: Any) -> Tensor:
        with tf.xla.experimental.jit_scope(compile_ops=False):  # XLA has random numbers of its own
            return tf.truncated_normal_initializer(stddev=stddev, seed=seed)(shape, dtype)

    return initial_value


def dropout(x: Tensor, rate: float) -> Tensor:
    """Sets a share of the values to zero and scales the rest; nothing at rate 0."""
    return x if rate == 0.0 else x * dropout_mask(shape_list(x), rate)


def dropout_mask(shape: List[Dimension], rate: float) -> Tensor:
    """Draws a factor of 0 or 1 / (1 - rate) for each value; by the keys of the scope where it has some."""
    keys = compute.current().dropout_keys
    uniform = tf.random.uniform(shape) if keys is None else tf.random.stateless_uniform(shape, seed=keys.next())
    return tf.cast(uniform >= rate, tf.float32) / (1.0 - rate)


def layer_norm(x: Tensor, name: Optional[str] = "LayerNorm") -> Tensor:
    """Normalises the last axis. Variables: name/{beta,gamma}, each as long as that axis; None makes the name unique."""
    size = x.shape.as_list()[-1]
    with tf.variable_scope(name, default_name="LayerNorm"):
        beta = tf.get_variable("beta", [size], initializer=tf.zeros_initializer())
        gamma = tf.get_variable("gamma", [size], initializer=tf.ones_initializer())
        mean, variance = tf.nn.moments(x, axes=[-1], keepdims=True)
        return tf.nn.batch_normalization(x, mean, variance, beta, gamma, LAYER_NORM_EPSILON)


def dense(x: Tensor, units: int, name: str, *, stddev: float, activation: str = "linear") -> Tensor:
    """Applies a dense layer: [..., in] -> [..., units]. Variables: name/kernel [in, units], name/bias [units]."""
    shape = shape_list(x)
    with tf.variable_scope(name):
        kernel = weight("kernel", [shape[-1], units], stddev)
        bias = tf.get_variable("bias", [units], initializer=tf.zeros_initializer())
        rows = tf.reshape(x, [-1, shape[-1]])
        y = ACTIVATIONS[activation](tf.nn.bias_add(compute.matmul(rows, kernel), bias))
        return tf.reshape(y, shape[:-1] + [units])


def embedding_table(name: str, rows: int, width: int, stddev: float) -> Tensor:
    """Creates a variable [rows, width]."""
    return weight(name, [rows, width], stddev)


def embedding_lookup(ids: Tensor, table: Tensor, use_one_hot: bool = False) -> Tensor:
    """Looks [B, S] ids up: [B, S, width]. A product with one-hot rows is faster on a TPU."""
    assert_rank(ids, 2)
    if not use_one_hot:
        return tf.nn.embedding_lookup(table, ids)
    rows, width = table.shape.as_list()
    one_hot = tf.one_hot(tf.reshape(ids, [-1]), depth=rows, dtype=tf.float32)
    return tf.reshape(tf.matmul(one_hot, table), shape_list(ids) + [width])


def check_length(sequence_length: Dimension, num_positions: int) -> None:
    """Raises ValueError if a sequence is longer than the positions."""
    if isinstance(sequence_length, int) and sequence_length > num_positions:
        raise ValueError("sequence length {} is over the model's {} positions".format(sequence_length, num_positions))


def add_type_and_position(x: Tensor, token_type_ids: Tensor, config: ModelConfig, is_training: bool) -> Tensor:
    """Adds the embeddings of segments and positions to word embeddings [B, S, W].

    Variables: token_type_embeddings [T, W], position_embeddings [max_pos, W].

    Raises:
      ValueError: the sequence is longer than the positions.
    """
    _, sequence_length, width = shape_list(x)
    check_length(sequence_length, config.max_position_embeddings)
    stddev = config.initializer_range
    types = embedding_table("token_type_embeddings", config.type_vocab_size, width, stddev)
    positions = embedding_table("position_embeddings", config.max_position_embeddings, width, stddev)
    # A table of two or three rows is trained faster by a product than by a gather. But TF 1.15's TFLite converter takes
    # the positions for a bias of that product, and so gives every token the first position.
    type_embeddings = embedding_lookup(token_type_ids, types, use_one_hot=is_training)
    return x + type_embeddings + tf.expand_dims(positions[:sequence_length], 0)


def attention_bias(input_mask: Tensor) -> Tensor:
    """Turns a mask [B, S] (1 token, 0 padding) into [B, 1, 1, S] to be added to the attention scores."""
    batch, sequence_length = shape_list(input_mask)
    # Reshaped rather than sliced with new axes, which TF 1.15's TFLite converter does not take.
    mask = tf.reshape(tf.cast(input_mask, tf.float32), [batch, 1, 1, sequence_length])
    return (1.0 - mask) * MASKED_SCORE


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """[B, S, H] -> [B, N, S, D]."""
    batch, sequence_length, hidden_size = shape_list(x)
    heads = tf.reshape(x, [batch, sequence_length, num_heads, hidden_size // num_heads])
    return tf.transpose(heads, [0, 2, 1, 3])


def self_attention(
    x: Tensor, bias: Tensor, config: ModelConfig, scope: str, queries: Optional[Tensor] = None
) -> Tensor:
    """Scaled dot-product attention of a sequence to itself, and its output projection.

    Args:
      x: [B, S, H].
      bias: [B, 1, 1, S], see `attention_bias`.
      config: num_attention_heads, attention_probs_dropout_prob, initializer_range.
      scope: variables are scope/self/{query,key,value} and scope/output/dense.
      queries: [B, Q, H], the vectors of x that attend to all of x; all of them by default.

    Returns:
      [B, Q, H], before dropout and residual.
    """
    queries = x if queries is None else queries
    hidden_size, num_heads, stddev = config.hidden_size, config.num_attention_heads, config.initializer_range
    with tf.variable_scope(scope):
        query, key, value = (
            split_heads(dense(y, hidden_size, "self/" + name, stddev=stddev), num_heads)
            for y, name in ((queries, "query"), (x, "key"), (x, "value"))
        )  # [B, N, Q, D], then twice [B, N, S, D]
        query *= 1.0 / math.sqrt(hidden_size // num_heads)
        context = attend(query, key, value, bias, config.attention_probs_dropout_prob)  # [B, N, Q, D]
        context = tf.transpose(context, [0, 2, 1, 3])  # [B, Q, N, D]
        return dense(tf.reshape(context, shape_list(queries)), hidden_size, "output/dense", stddev=stddev)


def attend(query: Tensor, key: Tensor, value: Tensor, bias: Tensor, dropout_rate: float) -> Tensor:
    """Computes softmax(query · keyᵀ + bias) · value, [B, N, Q, D]; in training with a gradient of fewer passes."""
    if not compute.current().is_training:
        scores = compute.matmul(query, key, transpose_b=True) + bias  # [B, N, Q, S]
        return compute.matmul(dropout(tf.nn.softmax(scores), dropout_rate), value)
    keep = None if dropout_rate == 0.0 else dropout_mask([*shape_list(query)[:3], shape_list(key)[2]], dropout_rate)

    @tf.custom_gradient
    def attended(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        # No product below is given a transposed argument: TF 1.15 takes up to four times as long for those. Transposing
        # [S, D] first costs little, and none of [S, S] is ever transposed, scaled or summed up.
        scores = compute.matmul(query, _transposed(key)) + bias
        probabilities = tf.nn.softmax(scores)  # [B, N, Q, S]
        kept = probabilities if keep is None else probabilities * keep
        context = compute.matmul(kept, value)  # [B, N, Q, D]

        def gradient(d_context: Tensor) -> Tensor:
            d_kept = compute.matmul(d_context, _transposed(value))
            d_probabilities = d_kept if keep is None else d_kept * keep
            # Σ over S of probabilities · d_probabilities, without a pass over [Q, S] (arXiv 2205.14135, appendix B.2).
            mean = tf.reduce_sum(d_context * context, axis=-1, keepdims=True)
            d_scores = probabilities * (d_probabilities - mean)
            d_query = compute.matmul(d_scores, key)
            d_key = _transposed(compute.matmul(_transposed(query), d_scores))
            d_value = _transposed(compute.matmul(_transposed(d_context), kept))
            return d_query, d_key, d_value

        return context, gradient

    return attended(query, key, value)


def _transposed(x: Tensor) -> Tensor:
    """[B, N, S, D] -> [B, N, D, S]."""
    return tf.transpose(x, [0, 1, 3, 2])


def feed_forward(x: Tensor, config: ModelConfig, *, intermediate: str, output: str) -> Tensor:
    """Applies the feed-forward layers [B, S, H] -> [B, S, I] -> [B, S, H]; `intermediate` and `output` name them."""
    stddev = config.initializer_range
    y = dense(x, config.intermediate_size, intermediate, stddev=stddev, activation=config.hidden_act)
    return dense(y, config.hidden_size, output, stddev=stddev)


def select_positions(x: Tensor, positions: Optional[Tensor]) -> Tensor:
    """Selects the vectors of [B, S, H] at [B, Q] positions, as [B, Q, H]; x itself where positions is None."""
    if positions is None:
        return x
    batch, sequence_length, width = shape_list(x)
    offsets = tf.reshape(tf.range(batch, dtype=tf.int32) * sequence_length, [-1, 1])
    flat_positions = tf.reshape(tf.cast(positions, tf.int32) + offsets, [-1])
    return tf.reshape(tf.gather(tf.reshape(x, [-1, width]), flat_positions), [*shape_list(positions), width])
