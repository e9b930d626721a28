"""BertConfig and BertModel, the zh family: factorized embeddings and one shared layer (docs/en/models.md).

ALBERT, arXiv 1909.11942, sections 3.1 and 3.2; variable names are those of the published zh checkpoints.
"""

from __future__ import annotations

import dataclasses
import functools
import logging
from functools import partial
from typing import Any, Callable, Dict, List, Optional, Tuple

import tensorflow.compat.v1 as tf

from albert.model import layers
from albert.model.config import ModelConfig
from albert.model.encoder import TransformerModel
from albert.model.published import (  # noqa: F401 (programs import these names from here)
    activation_name,
    assert_rank,
    attention_bias_of,
    attention_layer,
    create_attention_mask_from_input_mask,
    create_initializer,
    dropout,
    embedding_lookup,
    embedding_lookup_factorized,
    embedding_postprocessor,
    gelu,
    get_activation,
    get_assignment_map_from_checkpoint,
    get_shape_list,
    layer_norm,
    layer_norm_and_dropout,
    reshape_from_matrix,
    reshape_to_matrix,
)
from albert.model.recompute import LayerStack
from albert.model.types import Tensor

LAYER_NORM_TYPES = ("postln", "preln")

_OF_PUBLISHED_MODELS = (("hidden_dropout_prob", 0.0), ("attention_probs_dropout_prob", 0.0), ("type_vocab_size", 2))

_log = logging.getLogger(__name__)


@dataclasses.dataclass
class BertConfig(ModelConfig):
    """Configuration of a model of the zh family; `ModelConfig` documents the shared keys.

    In a program dropout and type_vocab_size have the published defaults. A file that does not name them is read with
    the values of all published zh models, and a line says so.

    Attributes:
      embedding_size: width of the word embeddings (E); None makes the table as wide as the encoder, as in BERT.
      ln_type: LayerNorm after each residual ("postln") or before each block ("preln").
      directionality, pooler_*: carried by the published files and unused.
    """

    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    type_vocab_size: int = 16
    embedding_size: Optional[int] = None
    ln_type: str = "postln"
    directionality: Optional[str] = None
    pooler_fc_size: Optional[int] = None
    pooler_num_attention_heads: Optional[int] = None
    pooler_num_fc_layers: Optional[int] = None
    pooler_size_per_head: Optional[int] = None
    pooler_type: Optional[str] = None

    def __post_init__(self) -> None:
        """Checks types and values."""
        super().__post_init__()
        self._check_choice("ln_type", LAYER_NORM_TYPES)

    @classmethod
    def from_dict(cls, values: Dict[str, Any]) -> BertConfig:
        """See `ModelConfig`; what a file leaves out is as in the published zh models."""
        absent = tuple((key, value) for key, value in _OF_PUBLISHED_MODELS if key not in values)
        config = super().from_dict({**dict(absent), **values})
        if absent:
            _say_what_is_absent(absent)
        return config


@functools.lru_cache(maxsize=None)  # once
def _say_what_is_absent(absent: Tuple[Tuple[str, float], ...]) -> None:
    _log.info(
        "The config does not say %s: taken as in the published zh models (the published code would take 0.1 for "
        "dropout and 16 for type_vocab_size).",
        ", ".join("{} {:g}".format(key, value) for key, value in absent),
    )


class BertModel(TransformerModel):
    """Encoder of the zh family: word_embeddings[ids] · word_embeddings_2 + type + position, then L times one layer.

    `share_parameter_across_layers=False` gives every layer its own variables (`layer_%d`), as in BERT.
    """

    config: BertConfig

    def __init__(self, *args: Any, share_parameter_across_layers: bool = True, **kwargs: Any) -> None:
        """See `TransformerModel`."""
        self._share_parameters = share_parameter_across_layers
        super().__init__(*args, **kwargs)

    def _embed(self, input_ids: Tensor, token_type_ids: Tensor) -> Tensor:
        config, stddev = self.config, self.config.initializer_range
        width = config.embedding_size or config.hidden_size
        self.embedding_table = layers.embedding_table("word_embeddings", config.vocab_size, width, stddev)
        x = layers.embedding_lookup(input_ids, self.embedding_table, self._use_one_hot_embeddings)  # [B, S, E]
        self.embedding_projection = None
        if config.embedding_size:
            self.embedding_projection = layers.embedding_table("word_embeddings_2", width, config.hidden_size, stddev)
            rows = tf.matmul(tf.reshape(x, [-1, width]), self.embedding_projection)
            x = tf.reshape(rows, layers.shape_list(input_ids) + [config.hidden_size])  # [B, S, H]
        self.word_embedding_output = x
        x = layers.layer_norm(layers.add_type_and_position(x, token_type_ids, config, self._is_training))
        return layers.dropout(x, config.hidden_dropout_prob)

    def _encode(self, attention_bias: Tensor) -> List[Tensor]:
        return _encode(
            self.embedding_output, attention_bias, self.config, self._share_parameters, self._positions_of_block
        )

    def get_embedding_table_2(self) -> Tensor:
        """The projection [E, H] of the word embeddings; None if there is none."""
        return self.embedding_projection

    @property
    def masked_lm_size(self) -> int:
        """H: the transform keeps the encoder's width."""
        return self.config.hidden_size

    def project_to_vocabulary(self, x: Tensor) -> Tensor:
        """Projects [rows, H] to [rows, V]: x · word_embeddings_2ᵀ · word_embeddingsᵀ."""
        if self.embedding_projection is not None:
            x = tf.matmul(x, self.embedding_projection, transpose_b=True)
        return tf.matmul(x, self.embedding_table, transpose_b=True)


def _encode(
    x: Tensor,
    attention_bias: Tensor,
    config: BertConfig,
    share_parameters: bool,
    positions_of: Callable[[int], Optional[Tensor]],
) -> List[Tensor]:
    """Applies the layers to [B, S, H] and returns the output of each."""
    layer = _postln_layer if config.ln_type == "postln" else _preln_layer
    stack, outputs = LayerStack(), []
    for index in range(config.num_hidden_layers):
        scope = "layer_shared" if share_parameters else "layer_%d" % index
        with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
            positions = positions_of(index)
            x = stack.apply(partial(layer, attention_bias=attention_bias, config=config, positions=positions), x)
        outputs.append(x)
    return outputs


def transformer_model(
    input_tensor: Tensor,
    attention_mask: Optional[Tensor] = None,
    hidden_size: int = 768,
    num_hidden_layers: int = 12,
    num_attention_heads: int = 12,
    intermediate_size: int = 3072,
    intermediate_act_fn: Any = gelu,
    hidden_dropout_prob: float = 0.1,
    attention_probs_dropout_prob: float = 0.1,
    initializer_range: float = 0.02,
    do_return_all_layers: bool = False,
    share_parameter_across_layers: bool = True,
    ln_type: str = "postln",
) -> Any:
    """Encodes embeddings [B, S, H], by the published name and arguments.

    Args:
      input_tensor: [B, S, H].
      attention_mask: [B, S, S], 1 where a position may look; all may by default.
      hidden_size, num_hidden_layers, num_attention_heads, intermediate_size: H, L, N and I.
      intermediate_act_fn: the activation, by name or as the function that `get_activation` gives.
      hidden_dropout_prob, attention_probs_dropout_prob, initializer_range: see `ModelConfig`.
      do_return_all_layers: whether to return the outputs of all layers, as a list.
      share_parameter_across_layers: whether all layers are `layer_shared`.
      ln_type: see `BertConfig`.

    Returns:
      [B, S, H].
    """
    if get_shape_list(input_tensor, expected_rank=3)[2] != hidden_size:
        raise ValueError("input_tensor is {} wide, hidden_size is {}".format(input_tensor.shape[-1], hidden_size))
    config = BertConfig(
        vocab_size=1,
        hidden_size=hidden_size,
        num_hidden_layers=num_hidden_layers,
        num_attention_heads=num_attention_heads,
        intermediate_size=intermediate_size,
        hidden_act=activation_name(intermediate_act_fn),
        hidden_dropout_prob=hidden_dropout_prob,
        attention_probs_dropout_prob=attention_probs_dropout_prob,
        initializer_range=initializer_range,
        ln_type=ln_type,
    )
    bias = 0.0 if attention_mask is None else attention_bias_of(attention_mask)
    outputs = _encode(input_tensor, bias, config, share_parameter_across_layers, lambda index: None)
    return outputs if do_return_all_layers else outputs[-1]


prelln_transformer_model = partial(transformer_model, ln_type="preln")  # the published spelling


def _attention(x: Tensor, attention_bias: Tensor, config: BertConfig, queries: Tensor) -> Tensor:
    y = layers.self_attention(x, attention_bias, config, scope="attention", queries=queries)
    return layers.dropout(y, config.hidden_dropout_prob)


def _feed_forward(x: Tensor, config: BertConfig) -> Tensor:
    y = layers.feed_forward(x, config, intermediate="intermediate/dense", output="output/dense")
    return layers.dropout(y, config.hidden_dropout_prob)


def _postln_layer(x: Tensor, attention_bias: Tensor, config: BertConfig, positions: Optional[Tensor]) -> Tensor:
    kept = layers.select_positions(x, positions)
    a = layers.layer_norm(kept + _attention(x, attention_bias, config, kept), "attention/output/LayerNorm")
    return layers.layer_norm(a + _feed_forward(a, config), "output/LayerNorm")


def _preln_layer(x: Tensor, attention_bias: Tensor, config: BertConfig, positions: Optional[Tensor]) -> Tensor:
    normed = layers.layer_norm(x, "attention/output/LayerNorm")
    queries = layers.select_positions(normed, positions)
    a = layers.select_positions(x, positions) + _attention(normed, attention_bias, config, queries)
    return a + _feed_forward(layers.layer_norm(a, "output/LayerNorm"), config)
