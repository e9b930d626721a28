"""Transformer encoder, the common part of BertModel and AlbertModel: inputs, scopes, pooler and getters."""

from __future__ import annotations

from typing import List, Optional

import tensorflow.compat.v1 as tf

from albert.model import layers
from albert.model.config import ModelConfig
from albert.model.pooling import MEAN, pool
from albert.model.types import Tensor


class TransformerModel:
    """A Transformer encoder over token ids; a family adds its embeddings, its layers and its vocabulary projection.

    Dimension letters stand in `layers`.
    """

    embedding_table: Tensor  # [V, E]; `_embed` sets both
    word_embedding_output: Tensor

    def __init__(
        self,
        config: ModelConfig,
        is_training: bool,
        input_ids: Tensor,
        input_mask: Optional[Tensor] = None,
        token_type_ids: Optional[Tensor] = None,
        use_one_hot_embeddings: bool = False,
        scope: Optional[str] = None,
        kept_positions: Optional[Tensor] = None,
        has_pooler: bool = True,
    ) -> None:
        """Builds the graph.

        Args:
          config: the family's configuration.
          is_training: whether dropout acts.
          input_ids: int [B, S]; both sizes may be unknown until run time.
          input_mask: int [B, S], 1 for tokens and 0 for padding; all ones by default.
          token_type_ids: int [B, S], the segment of each token; all zeros by default.
          use_one_hot_embeddings: look words up by a product with one-hot rows (TPU).
          scope: the variable scope, "bert" by default.
          kept_positions: int [B, P]; the last layer is computed for the first token and for these positions only, and
            the sequence output is [B, 1 + P, H]. All positions by default.
          has_pooler: whether there is a pooler; checkpoints for masked LM alone may lack it.

        Raises:
          ValueError: input_ids is not of rank 2, or longer than the model's positions.
        """
        layers.assert_rank(input_ids, 2)
        self.config = config if is_training else config.without_dropout()
        self._is_training = is_training
        self._use_one_hot_embeddings = use_one_hot_embeddings
        input_mask = tf.ones_like(input_ids) if input_mask is None else input_mask
        token_type_ids = tf.zeros_like(input_ids) if token_type_ids is None else token_type_ids
        self.input_mask = input_mask
        self.token_type_ids = token_type_ids
        self._kept_positions = kept_positions
        with tf.variable_scope(scope, default_name="bert"):
            with tf.variable_scope("embeddings"):
                self.embedding_output = self._embed(input_ids, token_type_ids)
            with tf.variable_scope("encoder"):
                self.all_encoder_layers = self._encode(layers.attention_bias(input_mask))
            self.sequence_output = self.all_encoder_layers[-1]  # [B, S, H], or [B, 1 + P, H]
            with tf.variable_scope("pooler"):
                self.pooled_output = self._pool() if has_pooler else None

    def _embed(self, input_ids: Tensor, token_type_ids: Tensor) -> Tensor:
        """Embeds ids [B, S]: [B, S, W]. Sets `embedding_table` and `word_embedding_output`."""
        raise NotImplementedError

    def _encode(self, attention_bias: Tensor) -> List[Tensor]:
        """Applies the layers to `embedding_output` and returns the output [B, S, H] of each."""
        raise NotImplementedError

    @property
    def _num_blocks(self) -> int:
        """The number of blocks of attention and feed-forward in a row."""
        return self.config.num_hidden_layers

    def _positions_of_block(self, block: int) -> Optional[Tensor]:
        """The positions at which a block (counted from 0) is computed; None for all."""
        if self._kept_positions is None or block < self._num_blocks - 1:
            return None
        return tf.pad(tf.cast(self._kept_positions, tf.int32), [[0, 0], [1, 0]])  # the first token is at 0

    def _pool(self) -> Tensor:
        config = self.config
        first_token = self.sequence_output[:, 0]  # [B, H]
        return layers.dense(
            first_token, config.hidden_size, "dense", stddev=config.initializer_range, activation="tanh"
        )

    @property
    def masked_lm_size(self) -> int:
        """The width of the masked-LM transform's output."""
        raise NotImplementedError

    def project_to_vocabulary(self, x: Tensor) -> Tensor:
        """Projects [rows, masked_lm_size] to [rows, V] by the transposed embeddings."""
        raise NotImplementedError

    def get_pooled_output(self) -> Tensor:
        """The pooled output [B, H]: the first token through the pooler."""
        if self.pooled_output is None:
            raise ValueError("this model has no pooler")
        return self.pooled_output

    def get_mean_output(self) -> Tensor:
        """The mean [B, H] of the last layer over the tokens, without padding."""
        if self._kept_positions is not None:
            raise ValueError("this model does not keep the output of every token")
        return pool(self.sequence_output, self.input_mask, MEAN)

    def get_sequence_output(self) -> Tensor:
        """The last layer [B, S, H]; [B, 1 + P, H] where only some positions are kept."""
        return self.sequence_output

    def get_output_at(self, positions: Tensor) -> Tensor:
        """The last layer [B, P, H] at int [B, P] positions, which must be the kept ones if only some are kept."""
        if self._kept_positions is None:
            return layers.select_positions(self.sequence_output, positions)
        if positions is not self._kept_positions:
            raise ValueError("this model keeps the output of other positions only")
        return self.sequence_output[:, 1:]

    def get_token_vectors(self) -> Optional[Tensor]:
        """The deepest layer [B, S, H] that holds every token; None where the only layer keeps some positions."""
        if self._kept_positions is None:
            return self.sequence_output
        return self.all_encoder_layers[-2] if len(self.all_encoder_layers) > 1 else None

    def get_all_encoder_layers(self) -> List[Tensor]:
        """The outputs of all layers, each [B, S, H]."""
        return self.all_encoder_layers

    def get_word_embedding_output(self) -> Tensor:
        """The word embeddings [B, S, W] of the ids, before segments and positions are added; W as below."""
        return self.word_embedding_output

    def get_embedding_output(self) -> Tensor:
        """The input [B, S, W] of the encoder; W is H in the zh family and E in the google family."""
        return self.embedding_output

    def get_embedding_table(self) -> Tensor:
        """The table [V, E] of word embeddings."""
        return self.embedding_table
