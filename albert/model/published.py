"""Functions of the published modeling.py under their names and arguments, for programs that import them from there.

The models of this repository are built from `layers`, which most of these call.
"""

from __future__ import annotations

import collections
import math
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import tensorflow.compat.v1 as tf

from albert.files.literal_paths import literal_path
from albert.model import layers
from albert.model.layers import gelu  # noqa: F401 (modeling.py takes it from here)
from albert.model.types import Dimension, Tensor


def get_activation(activation_string: Any) -> Optional[Callable[[Tensor], Tensor]]:
    """Returns the function of an activation's name; None for "linear". Anything but a name is returned as it is.

    Raises:
      ValueError: the name is not known.
    """
    if not isinstance(activation_string, str):
        return activation_string
    name = activation_string.lower() or "linear"
    if name not in layers.ACTIVATIONS:
        raise ValueError("there is no activation {}: name {}".format(name, ", ".join(layers.ACTIVATIONS)))
    return None if name == "linear" else layers.ACTIVATIONS[name]


def dropout(input_tensor: Tensor, dropout_prob: Optional[float]) -> Tensor:
    """Drops a share of the values and scales the rest; nothing for None and 0."""
    return layers.dropout(input_tensor, dropout_prob or 0.0)


def layer_norm(input_tensor: Tensor, name: Optional[str] = None) -> Tensor:
    """Normalises the last axis. Without a name, each call of a scope has variables of its own."""
    return layers.layer_norm(input_tensor, name)


def layer_norm_and_dropout(input_tensor: Tensor, dropout_prob: Optional[float], name: Optional[str] = None) -> Tensor:
    """Applies `layer_norm`, then `dropout`."""
    return dropout(layer_norm(input_tensor, name), dropout_prob)


def create_initializer(initializer_range: float = 0.02) -> Any:
    """Creates the initializer of weights: truncated normal of a standard deviation."""
    return tf.truncated_normal_initializer(stddev=initializer_range)


def embedding_lookup(
    input_ids: Tensor,
    vocab_size: int,
    embedding_size: int = 128,
    initializer_range: float = 0.02,
    word_embedding_name: str = "word_embeddings",
    use_one_hot_embeddings: bool = False,
) -> Tuple[Tensor, Tensor]:
    """Creates a table [V, E] and looks ids up in it; returns [B, S, E] and the table.

    Raises:
      ValueError: input_ids is not [B, S].
    """
    table = layers.embedding_table(word_embedding_name, vocab_size, embedding_size, initializer_range)
    return layers.embedding_lookup(input_ids, table, use_one_hot_embeddings), table


def embedding_lookup_factorized(
    input_ids: Tensor,
    vocab_size: int,
    hidden_size: int,
    embedding_size: int = 128,
    initializer_range: float = 0.02,
    word_embedding_name: str = "word_embeddings",
    use_one_hot_embeddings: bool = False,
) -> Tuple[Tensor, Tensor, Tensor]:
    """Looks ids up in a factorized table: [B, S, H], and the two factors [V, E] and [E, H] (ALBERT, section 3.1)."""
    x, table = embedding_lookup(
        input_ids, vocab_size, embedding_size, initializer_range, word_embedding_name, use_one_hot_embeddings
    )
    projection = layers.embedding_table(word_embedding_name + "_2", embedding_size, hidden_size, initializer_range)
    rows = tf.matmul(reshape_to_matrix(x), projection)
    return reshape_from_matrix(rows, [*layers.shape_list(input_ids), hidden_size]), table, projection


def embedding_postprocessor(
    input_tensor: Tensor,
    use_token_type: bool = False,
    token_type_ids: Optional[Tensor] = None,
    token_type_vocab_size: int = 16,
    token_type_embedding_name: str = "token_type_embeddings",
    use_position_embeddings: bool = True,
    position_embedding_name: str = "position_embeddings",
    initializer_range: float = 0.02,
    max_position_embeddings: int = 512,
    dropout_prob: Optional[float] = 0.1,
    use_one_hot_embeddings: bool = True,
) -> Tensor:
    """Adds segments and positions to word embeddings [B, S, W], then normalises and drops; of the same shape.

    Raises:
      ValueError: segments are to be added and not given, or the sequence is longer than the positions.
    """
    _, length, width = get_shape_list(input_tensor, expected_rank=3)
    x = input_tensor
    if use_token_type:
        if token_type_ids is None:
            raise ValueError("use_token_type=True needs token_type_ids, int [B, S]")
        types = layers.embedding_table(token_type_embedding_name, token_type_vocab_size, width, initializer_range)
        x += layers.embedding_lookup(token_type_ids, types, use_one_hot_embeddings)
    if use_position_embeddings:
        layers.check_length(length, max_position_embeddings)
        positions = layers.embedding_table(position_embedding_name, max_position_embeddings, width, initializer_range)
        x += tf.expand_dims(positions[:length], 0)
    return layer_norm_and_dropout(x, dropout_prob)


def attention_layer(
    from_tensor: Tensor,
    to_tensor: Tensor,
    attention_mask: Optional[Tensor] = None,
    num_attention_heads: int = 1,
    size_per_head: int = 512,
    query_act: Any = None,
    key_act: Any = None,
    value_act: Any = None,
    attention_probs_dropout_prob: Optional[float] = 0.0,
    initializer_range: float = 0.02,
    do_return_2d_tensor: bool = False,
    batch_size: Optional[int] = None,
    from_seq_length: Optional[int] = None,
    to_seq_length: Optional[int] = None,
) -> Tensor:
    """Multi-head attention of one sequence to another. Variables: {query,key,value}/{kernel,bias} in the scope.

    Args:
      from_tensor, to_tensor: [B, F, W] and [B, T, W]; as matrices [B*F, W] and [B*T, W] they need the three lengths.
      attention_mask: [B, F, T], 1 where a position may look and 0 elsewhere.
      num_attention_heads, size_per_head: N and D.
      query_act, key_act, value_act: activations, by name or as functions.
      attention_probs_dropout_prob: dropout of the probabilities.
      initializer_range: standard deviation of the initial weights.
      do_return_2d_tensor: whether to return [B*F, N*D].
      batch_size, from_seq_length, to_seq_length: B, F and T of matrices.

    Returns:
      [B, F, N*D].
    """
    width = num_attention_heads * size_per_head
    from_rows = _as_sequences(from_tensor, batch_size, from_seq_length)
    to_rows = _as_sequences(to_tensor, batch_size, to_seq_length)

    def heads(rows: Tensor, name: str, activation: Any) -> Tensor:
        function = get_activation(activation) or tf.identity
        return layers.split_heads(
            function(layers.dense(rows, width, name, stddev=initializer_range)), num_attention_heads
        )

    query = heads(from_rows, "query", query_act) * (1.0 / math.sqrt(size_per_head))
    bias = 0.0 if attention_mask is None else attention_bias_of(attention_mask)
    context = layers.attend(
        query,
        heads(to_rows, "key", key_act),
        heads(to_rows, "value", value_act),
        bias,
        attention_probs_dropout_prob or 0.0,
    )  # [B, N, F, D]
    batch, length, _ = layers.shape_list(from_rows)
    context = tf.reshape(tf.transpose(context, [0, 2, 1, 3]), [batch, length, width])
    return reshape_to_matrix(context) if do_return_2d_tensor else context


def _as_sequences(tensor: Tensor, batch_size: Optional[int], length: Optional[int]) -> Tensor:
    if tensor.shape.ndims == 3:
        return tensor
    assert_rank(tensor, [2, 3])
    if batch_size is None or length is None:
        raise ValueError("a matrix needs batch_size, from_seq_length and to_seq_length")
    return reshape_from_matrix(tensor, [batch_size, length, None])


def attention_bias_of(attention_mask: Tensor) -> Tensor:
    """Turns a mask [B, F, T] into [B, 1, F, T] to be added to the attention scores."""
    return (1.0 - tf.cast(tf.expand_dims(attention_mask, 1), tf.float32)) * layers.MASKED_SCORE


def activation_name(activation: Any) -> str:
    """Names an activation that is given by name or as a function.

    Raises:
      ValueError: no family has it.
    """
    functions = {"linear": None, **{name: layers.ACTIVATIONS[name] for name in layers.ACTIVATIONS if name != "linear"}}
    function = get_activation(activation)
    for name, known in functions.items():
        if known is function:
            return name
    raise ValueError("there is no activation {}: name {}".format(activation, ", ".join(layers.ACTIVATIONS)))


def create_attention_mask_from_input_mask(from_tensor: Tensor, to_mask: Tensor) -> Tensor:
    """Creates the mask float [B, F, T] with which [B, F, …] looks at the tokens of a mask [B, T]."""
    batch, from_length = layers.shape_list(from_tensor)[:2]
    return tf.ones([batch, from_length, 1]) * tf.cast(tf.expand_dims(to_mask, 1), tf.float32)


def get_shape_list(
    tensor: Tensor, expected_rank: Union[int, Sequence[int], None] = None, name: Optional[str] = None
) -> List[Dimension]:
    """Lists the sizes of a tensor: numbers where they are static, scalar tensors elsewhere.

    Raises:
      ValueError: the tensor is not of (one of) the expected rank(s).
    """
    if expected_rank is not None:
        assert_rank(tensor, expected_rank, name)
    return layers.shape_list(tensor)


def assert_rank(tensor: Tensor, expected_rank: Union[int, Sequence[int]], name: Optional[str] = None) -> None:
    """Raises ValueError if a tensor is not of (one of) the expected rank(s)."""
    ranks = [expected_rank] if isinstance(expected_rank, int) else list(expected_rank)
    if tensor.shape.ndims not in ranks:
        raise ValueError(
            "{} has shape {}, expected rank {}".format(name or tensor.name, tensor.shape, " or ".join(map(str, ranks)))
        )


def reshape_to_matrix(input_tensor: Tensor) -> Tensor:
    """Reshapes [..., width] to [rows, width].

    Raises:
      ValueError: the tensor is of rank 0 or 1.
    """
    if input_tensor.shape.ndims < 2:
        raise ValueError("{} has shape {}, expected rank 2 or more".format(input_tensor.name, input_tensor.shape))
    return tf.reshape(input_tensor, [-1, input_tensor.shape[-1]])


def reshape_from_matrix(output_tensor: Tensor, orig_shape_list: Sequence[Dimension]) -> Tensor:
    """Reshapes [rows, width] back to the shape that `reshape_to_matrix` was given, the width aside."""
    return tf.reshape(output_tensor, [*orig_shape_list[:-1], layers.shape_list(output_tensor)[-1]])


def get_assignment_map_from_checkpoint(
    tvars: Sequence[Any], init_checkpoint: str, num_of_group: int = 0
) -> Tuple[Dict[str, str], Dict[str, int]]:
    """Finds the variables that a checkpoint holds, by name alone; `warm_start` compares shapes and families too.

    Returns:
      The map for tf.train.init_from_checkpoint, and the names of its variables, with and without ":0", each with 1.

    Raises:
      ValueError: num_of_group is not 0.
    """
    if num_of_group:
        raise ValueError("num_of_group={}: warm_start_variables(…, from_group_0=True) does it".format(num_of_group))
    own = {variable.op.name for variable in tvars}
    found = [name for name, _ in tf.train.list_variables(literal_path(init_checkpoint)) if name in own]
    initialized = {spelling: 1 for name in found for spelling in (name, name + ":0")}
    return collections.OrderedDict((name, name) for name in found), initialized
