"""AlbertConfig and AlbertModel, the google family: E wide embeddings, groups of layers (docs/en/models.md)."""

from __future__ import annotations

import dataclasses
from functools import partial
from typing import Any, List, Optional

import tensorflow.compat.v1 as tf

from albert.base.errors import UserError
from albert.model import layers
from albert.model.config import ModelConfig
from albert.model.encoder import TransformerModel
from albert.model.published import (  # noqa: F401 (programs import these names from here)
    assert_rank,
    attention_layer,
    create_attention_mask_from_input_mask,
    create_initializer,
    dropout,
    embedding_lookup,
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


@dataclasses.dataclass
class AlbertConfig(ModelConfig):
    """Configuration of a model of the google family; `ModelConfig` documents the shared keys.

    In a program the sizes have the published defaults, those of xxlarge; a configuration file must name them.

    Attributes:
      embedding_size: width of the embeddings (E).
      num_hidden_groups: groups of layers with variables of their own (G).
      inner_group_num: blocks in a layer, one after the other.
      net_structure_type, gap_size, num_memory_blocks, down_scale_factor: carried by the published files and unused.
    """

    hidden_size: int = 4096
    num_attention_heads: int = 64
    intermediate_size: int = 16384
    embedding_size: int = 128
    num_hidden_groups: int = 1
    inner_group_num: int = 1
    net_structure_type: int = 0
    gap_size: int = 0
    num_memory_blocks: int = 0
    down_scale_factor: int = 1

    def __new__(cls, *sizes: int, **named: Any) -> AlbertConfig:
        """Refuses sizes without a name: published classes do not agree on their order."""
        if len(sizes) > 1:
            raise TypeError("AlbertConfig takes vocab_size first and all else by name, such as hidden_size=312")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        """Checks types and values."""
        super().__post_init__()
        for name in ("embedding_size", "num_hidden_groups", "inner_group_num"):
            if getattr(self, name) < 1:
                raise UserError("{} must be at least 1, not {}".format(name, getattr(self, name)))
        if self.num_hidden_groups > self.num_hidden_layers:
            raise UserError(
                "num_hidden_groups {} is over num_hidden_layers {}".format(
                    self.num_hidden_groups, self.num_hidden_layers
                )
            )


class AlbertModel(TransformerModel):
    """Encoder of the google family: LayerNorm(word + type + position) of width E, mapped to H, then L layers.

    Layer l uses group floor(l / L · G).
    """

    config: AlbertConfig

    def _embed(self, input_ids: Tensor, token_type_ids: Tensor) -> Tensor:
        config = self.config
        self.embedding_table = layers.embedding_table(
            "word_embeddings", config.vocab_size, config.embedding_size, config.initializer_range
        )
        x = layers.embedding_lookup(input_ids, self.embedding_table, self._use_one_hot_embeddings)
        self.word_embedding_output = x
        x = layers.layer_norm(layers.add_type_and_position(x, token_type_ids, config, self._is_training))
        return layers.dropout(x, config.hidden_dropout_prob)  # [B, S, E]

    def _encode(self, attention_bias: Tensor) -> List[Tensor]:
        config = self.config
        x = layers.dense(
            self.embedding_output, config.hidden_size, "embedding_hidden_mapping_in", stddev=config.initializer_range
        )  # [B, S, H]
        stack = LayerStack()
        outputs: List[Tensor] = []
        for layer in range(config.num_hidden_layers):
            group = layer * config.num_hidden_groups // config.num_hidden_layers
            for inner in range(config.inner_group_num):
                scope = "transformer/group_%d/inner_group_%d" % (group, inner)
                with tf.variable_scope(scope, reuse=tf.AUTO_REUSE):
                    positions = self._positions_of_block(len(outputs))
                    x = stack.apply(
                        partial(_block, attention_bias=attention_bias, config=config, positions=positions), x
                    )
                outputs.append(x)
        return outputs

    @property
    def _num_blocks(self) -> int:
        """Every layer applies all inner groups."""
        return self.config.num_hidden_layers * self.config.inner_group_num

    @property
    def masked_lm_size(self) -> int:
        """E: the transform goes back to the embeddings' width."""
        return self.config.embedding_size

    def project_to_vocabulary(self, x: Tensor) -> Tensor:
        """Projects [rows, E] to [rows, V]: x · word_embeddingsᵀ."""
        return tf.matmul(x, self.embedding_table, transpose_b=True)


def _block(x: Tensor, attention_bias: Tensor, config: AlbertConfig, positions: Optional[Tensor]) -> Tensor:
    kept = layers.select_positions(x, positions)
    attention = layers.self_attention(x, attention_bias, config, scope="attention_1", queries=kept)
    # The two norms have different names: under AUTO_REUSE an automatic name would silently be the same norm twice.
    a = layers.layer_norm(kept + layers.dropout(attention, config.hidden_dropout_prob), "LayerNorm")
    y = layers.feed_forward(
        a, config, intermediate="ffn_1/intermediate/dense", output="ffn_1/intermediate/output/dense"
    )
    return layers.layer_norm(a + layers.dropout(y, config.hidden_dropout_prob), "LayerNorm_1")
