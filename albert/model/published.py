"""Functions of the published modeling.py under their names and arguments, for programs that import them from there.

The models of this repository are built from `layers`, which most of these call.
"""

from __future__ import annotations

import collections
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

import tensorflow.compat.v1 as tf

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
    tvars: Sequence[Any], init_checkpoint: str
) -> Tuple[Dict[str, str], Dict[str, int]]:
    """Finds the variables that a checkpoint holds, by name alone; `warm_start` compares shapes and families too.

    Returns:
      The map for tf.train.init_from_checkpoint, and the names of its variables, with and without ":0", each with 1.
    """
    own = {variable.op.name for variable in tvars}
    found = [name for name, _ in tf.train.list_variables(init_checkpoint) if name in own]
    initialized = {spelling: 1 for name in found for spelling in (name, name + ":0")}
    return collections.OrderedDict((name, name) for name in found), initialized
